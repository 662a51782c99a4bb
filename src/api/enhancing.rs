//! Enhancement at the door: how many may ask the model at once, and what may come of it.

use std::sync::Arc;

use super::Chance;
use super::actions::{GenerateRequest, viewer};
use super::draft::{Draft, NOTHING_TO_ADD};
use super::line::Line;
use super::resolve::resolve;
use super::tokenizers::Tokenizers;
use crate::compliance::{Blocked, Clearance, Opinion, Reviewer, Tightened};
use crate::diffusion::tokenizer::{TokenizerError, Windows};
use crate::enhance::{Ask, EnhanceConfig, EnhanceError, Enhanced, Enhancer, enhance};
use crate::error::{ApiError, Code};
use crate::presets::Presets;
use crate::store::Caller;

/// Seconds after which a busy model is likely to be free.
const RETRY_AFTER_S: u64 = 3;

/// Shared by all event loops.
#[derive(Debug)]
pub struct EnhanceDesk {
    enhancer: Arc<dyn Enhancer>,
    line: Line,
    refused: Arc<[String]>,
    most_terms: usize,
    reviewer: Reviewer,
}

/// A request whose prompt is to be enhanced, with all that resolves it anew.
#[derive(Debug)]
pub(super) struct Errand {
    /// Without its `wm_image`, which may be large and says nothing here.
    pub(super) request: GenerateRequest,
    pub(super) presets: Arc<Presets>,
    pub(super) caller: Caller,
    pub(super) chance: Chance,
    /// How much stricter than the policy it is reviewed.
    pub(super) tightened: Tightened,
}

/// Why a prompt stays as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unenhanced {
    #[error("{0}")]
    Model(#[from] EnhanceError),
    #[error("{0}")]
    Tokenizer(#[from] TokenizerError),
    /// The rules would block it, so it goes to no model.
    #[error("{0}")]
    Blocked(Blocked),
    /// The line is full, or the work panicked.
    #[error("{0}")]
    Line(ApiError),
}

impl Errand {
    /// What the request means with another prompt.
    fn with_prompt(&self, prompt: &str) -> Result<Draft, ApiError> {
        let request = GenerateRequest { prompt: prompt.to_owned(), ..self.request.clone() };
        resolve(&request, &self.presets, &viewer(&self.caller), &self.chance)
    }
}

impl EnhanceDesk {
    pub fn new(config: &EnhanceConfig, reviewer: Reviewer) -> Self {
        Self {
            enhancer: config.open(),
            line: Line::new("enhancements", config.at_once, config.waiting),
            refused: config.refuse.clone().into(),
            most_terms: config.most_terms,
            reviewer,
        }
    }

    /// For `generate`: the draft of the enhanced prompt, or the given one with a warning.
    ///
    /// # Errors
    /// With `strict`, where it would be a warning.
    pub(super) async fn enhanced(
        &self,
        errand: Errand,
        draft: Draft,
        tokenizers: &Tokenizers,
    ) -> Result<Draft, ApiError> {
        let strict = errand.request.strict;
        let why = match self.run(errand, &draft, tokenizers).await {
            Ok((errand, made)) if !made.additions.is_empty() => {
                return Ok(errand.with_prompt(&made.prompt)?.enhanced_from(draft.prompt));
            }
            Ok(_) => NOTHING_TO_ADD,
            // To the block as it is.
            Err(Unenhanced::Blocked(_)) => return Ok(draft),
            Err(Unenhanced::Model(EnhanceError::Disabled)) => "this service does not enhance prompts",
            Err(Unenhanced::Model(EnhanceError::Busy) | Unenhanced::Line(_)) => {
                "too many prompts wait to be enhanced"
            }
            Err(Unenhanced::Model(_) | Unenhanced::Tokenizer(_)) => "the enhancement failed",
        };
        draft.not_enhanced(why, strict)
    }

    /// For `optimize`: the enhanced prompt of one that was reviewed.
    ///
    /// # Errors
    /// 502 when the model fails, 503 when too many wait for it.
    pub(super) async fn prompt(
        &self,
        errand: Errand,
        draft: &Draft,
        tokenizers: &Tokenizers,
    ) -> Result<String, ApiError> {
        match self.run(errand, draft, tokenizers).await {
            Ok((_, made)) => Ok(made.prompt),
            // It passed by an operator's ruling, which holds for these words alone.
            Err(Unenhanced::Blocked(_)) => Ok(draft.prompt.clone()),
            Err(Unenhanced::Line(error)) if error.code() == Code::Unavailable => Err(error),
            Err(error @ Unenhanced::Model(EnhanceError::Busy)) => Err(ApiError::new(Code::Unavailable)
                .with("message", error.to_string())
                .retry_after_s(RETRY_AFTER_S)),
            Err(Unenhanced::Model(_) | Unenhanced::Tokenizer(_) | Unenhanced::Line(_)) => {
                Err(Code::EnhancementFailed.into())
            }
        }
    }

    /// Off the event loop, in line.
    async fn run(
        &self,
        errand: Errand,
        draft: &Draft,
        tokenizers: &Tokenizers,
    ) -> Result<(Errand, Enhanced), Unenhanced> {
        let (enhancer, refused, most_terms) = (self.enhancer.clone(), self.refused.clone(), self.most_terms);
        let reviewer = self.reviewer.clone();
        let (tokenizers, composed) = (tokenizers.clone(), draft.composed.clone());
        let (checkpoint, prompt, seed) = (draft.checkpoint.clone(), draft.prompt.clone(), draft.seed());
        let style = errand.presets.models.get(&draft.model).and_then(|model| model.styles.get(&draft.style));
        let vocabulary = style.map(|style| style.enhance.clone()).unwrap_or_default();
        let work = move || -> Result<(Errand, Enhanced), Unenhanced> {
            let given = errand.with_prompt(&prompt).map_err(Unenhanced::Line)?;
            review(&reviewer, &given, &errand.tightened).map_err(Unenhanced::Blocked)?;
            let counter = tokenizers.of(&checkpoint)?;
            let windows = |text: &str| Ok::<_, TokenizerError>(lengths(&counter.count(text)?));
            let allowed = windows(&composed.positive)?;
            let ask = Ask {
                prompt: &prompt,
                positive: &composed.positive,
                negative: &composed.negative,
                vocabulary: &vocabulary,
                refused: &refused,
                most_terms,
                seed: seed.into(),
            };
            let made = enhance(enhancer.as_ref(), &ask, &mut |longer| {
                errand.with_prompt(longer).is_ok_and(|draft| {
                    windows(&draft.composed.positive).is_ok_and(|needed| needed == allowed)
                        && review(&reviewer, &draft, &errand.tightened).is_ok()
                })
            })?;
            Ok((errand, made))
        };
        let done = self.line.run(work).await.map_err(Unenhanced::Line).flatten();
        if let Err(error) = &done {
            tracing::warn!(%error, "a prompt was not enhanced");
        }
        done
    }
}

/// How many windows each text encoder needs.
fn lengths(counted: &[Windows]) -> Vec<usize> {
    counted.iter().map(|windows| windows.tokens.len()).collect()
}

/// By the rules alone: what is drawn in the end is reviewed with all opinions.
fn review(reviewer: &Reviewer, draft: &Draft, tightened: &Tightened) -> Result<(), Blocked> {
    let clearance = Clearance { tightened: tightened.clone(), ..Clearance::default() };
    reviewer.prompt(&draft.texts(&draft.said()), clearance, &Opinion::default()).verdict.map(drop)
}
