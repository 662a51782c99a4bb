//! `parse`: what a prompt becomes, without drawing it.

use actix_web::HttpResponse;
use serde::Serialize;

use super::super::reviewing::Opinions;
use super::super::{Chance, Services, fields, resolve, tightened};
use super::generate::{ALIASES, GenerateRequest, check_available};
use super::{Asked, ok, viewer};
use crate::compliance;
use crate::diffusion::tokenizer::{MOST_WINDOWS, Windows};
use crate::error::ApiError;
use crate::plan::{PlannedLora, Warning};
use crate::prompt::{self, Token};

#[derive(Debug, Serialize)]
struct ParseResponse<'a> {
    /// What was read, in the prompt's order.
    terms: Vec<Term>,
    /// Empty where the prompt names none.
    character: &'a str,
    model: &'a str,
    style: &'a str,
    /// What the text encoders get.
    positive: &'a str,
    negative: &'a str,
    loras: &'a [PlannedLora],
    windows: Vec<EncoderWindows>,
    warnings: Vec<Warning>,
    would_block: Option<WouldBlock>,
}

/// A term, and where it goes: `character`, `positive` or `negative`.
#[derive(Debug, Serialize)]
struct Term {
    text: String,
    to: &'static str,
}

/// What both prompts fill in the windows of one text encoder, in tokens.
#[derive(Debug, Serialize)]
struct EncoderWindows {
    encoder: &'static str,
    positive: Vec<usize>,
    negative: Vec<usize>,
    room: usize,
}

/// As `status` would say it (specification, "Completed (Blocked)").
#[derive(Debug, Serialize)]
struct WouldBlock {
    error: String,
    filter_categories: Vec<&'static str>,
    compliance_codes: Vec<&'static str>,
}

impl From<compliance::Blocked> for WouldBlock {
    fn from(blocked: compliance::Blocked) -> Self {
        let compliance::Blocked { categories, codes, message } = blocked;
        Self { error: message, filter_categories: categories, compliance_codes: codes }
    }
}

/// The request is that of `generate`; of a picture that it brings nothing is looked at.
pub(super) async fn parse(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let request: GenerateRequest = fields::read(asked.fields, ALIASES)?;
    let presets = services.presets.now();
    let viewer = viewer(&asked.caller);
    let draft = resolve(&request, &presets, &viewer, &Chance::draw()?)?;
    check_available(&draft, &services.presets)?;
    let tightened = tightened::read(request.compliance.as_ref())?.and(&asked.caller.tightened);
    let key_id = asked.caller.key_id;
    let reviewed = services.review.review(&draft, &tightened, key_id, Opinions::None).await?;
    let would_block = reviewed.verdict.err().map(WouldBlock::from);
    let [positive, negative] =
        services.tokenizers.count(draft.checkpoint.clone(), draft.composed.clone()).await?;
    let mut warnings = draft.warnings.clone();
    if positive.iter().chain(&negative).any(Windows::are_too_many) {
        let message = format!("more than {MOST_WINDOWS} windows; a job with this prompt fails");
        warnings.push(Warning { code: "PROMPT_TOO_LONG".into(), message });
    }
    Ok(ok(ParseResponse {
        terms: prompt::tokens(&request.prompt).into_iter().map(term).collect(),
        character: draft.character.as_deref().unwrap_or_default(),
        model: &draft.model,
        style: &draft.style,
        positive: &draft.composed.positive,
        negative: &draft.composed.negative,
        loras: &draft.loras,
        windows: positive.into_iter().zip(negative).map(side_by_side).collect(),
        warnings,
        would_block,
    }))
}

fn term(token: Token) -> Term {
    let (text, to) = match token {
        Token::Name(text) => (text, "character"),
        Token::Positive(text) => (text, "positive"),
        Token::Negative(text) => (text, "negative"),
    };
    Term { text, to }
}

fn side_by_side((positive, negative): (Windows, Windows)) -> EncoderWindows {
    EncoderWindows {
        encoder: positive.encoder,
        room: positive.room,
        positive: positive.tokens,
        negative: negative.tokens,
    }
}
