//! From what was found to what follows, and what is written down of it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::picture::FilterUnavailable;
use super::policy::{Mode, Policy};
use super::{Category, Tightened};

/// Why nothing will be drawn or delivered; everything that an answer needs (specification, "Completed (Blocked)").
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Blocked {
    /// `filter_categories`.
    pub categories: Vec<&'static str>,
    /// `compliance_codes`.
    pub codes: Vec<&'static str>,
    /// `error`: `Content blocked — flagged for: Category Name.`
    pub message: String,
}

impl Blocked {
    fn by(found: &[Category]) -> Self {
        let names: Vec<&str> = found.iter().map(|category| category.name()).collect();
        Self {
            categories: found.iter().map(|category| category.id()).collect(),
            codes: Category::codes_of(found),
            message: format!("Content blocked — flagged for: {}.", names.join(", ")),
        }
    }
}

/// What the review of a prompt leaves for that of its pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clearance {
    /// Found, and let through.
    pub flags: Vec<Category>,
    /// How much stricter than the policy this request's key and the request itself are.
    pub tightened: Tightened,
    /// What an operator has let pass of these texts.
    pub overridden: Vec<Category>,
    /// What the ledger knows the request by.
    pub text_sha256: String,
}

/// What came of a picture's review.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureVerdict {
    /// The picture must not be delivered.
    pub blocked: Option<Blocked>,
    /// Found, and let through.
    pub flags: Vec<Category>,
    /// For the ledger: one for each category that was found, or one that says that nothing was.
    pub evidence: Vec<Evidence>,
}

/// Which review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    Prompt,
    Picture,
}

/// What was decided of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Passed,
    Flagged,
    Overridden,
    Blocked,
    /// The picture could not be looked at, which ends its job as a block would.
    Unavailable,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    event: &'static str,
    stage: Stage,
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// Rule, network or list.
    by: String,
    /// Not for the locked categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f32>,
    /// Version of policy and rules.
    policy: String,
    text_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pdq: Option<String>,
    /// Why it could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<String>,
}

/// A picture that could not be looked at, and so must not be delivered.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{why}")]
pub struct Unseen {
    pub why: FilterUnavailable,
    /// For the ledger.
    pub evidence: Box<Evidence>,
}

/// Something that speaks for a category.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sign {
    pub(super) category: Category,
    /// 0 to 1, held against the policy's threshold.
    pub(super) score: f32,
    pub(super) by: String,
}

/// What every entry of one review says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) stage: Stage,
    pub(super) policy: String,
    pub(super) text_sha256: String,
    pub(super) model_sha256: Option<String>,
    pub(super) pdq: Option<String>,
}

impl Told {
    /// That nothing was found.
    pub(super) fn passed(&self, score: f32) -> Evidence {
        Evidence { score: Some(score), ..self.entry(Decision::Passed, "open_nsfw".to_owned()) }
    }

    /// That it could not be looked at.
    pub(super) fn unseen(&self, why: FilterUnavailable) -> Unseen {
        let entry = self.entry(Decision::Unavailable, "open_nsfw".to_owned());
        Unseen { evidence: Box::new(Evidence { diagnosis: Some(why.to_string()), ..entry }), why }
    }

    fn entry(&self, decision: Decision, by: String) -> Evidence {
        Evidence {
            event: "review",
            stage: self.stage,
            decision,
            category: None,
            by,
            score: None,
            threshold: None,
            policy: self.policy.clone(),
            text_sha256: self.text_sha256.clone(),
            model_sha256: self.model_sha256.clone(),
            pdq: self.pdq.clone(),
            diagnosis: None,
        }
    }
}

/// What follows of all signs.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) blocked: Option<Blocked>,
    pub(super) flags: Vec<Category>,
    pub(super) evidence: Vec<Evidence>,
}

impl Verdict {
    /// Each category counts by its strongest sign, if that reaches the policy's threshold.
    pub(super) fn of(mut signs: Vec<Sign>, policy: &Policy, clearance: &Clearance, told: &Told) -> Self {
        signs.sort_by(|a, b| a.category.cmp(&b.category).then(b.score.total_cmp(&a.score)));
        signs.dedup_by_key(|sign| sign.category);
        let (mut blocking, mut flags, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
        for Sign { category, score, by } in signs {
            let rule = policy.rule(category);
            let locked = category.is_locked();
            let threshold = match told.stage {
                Stage::Prompt => rule.prompt,
                Stage::Picture => rule.picture,
            };
            let mode = clearance.tightened.mode(category, rule.mode);
            if mode == Mode::Off || !locked && score < threshold {
                continue;
            }
            let decision = match mode {
                // A key or a request that wants it blocked is not overruled.
                Mode::Block
                    if clearance.overridden.contains(&category)
                        && !locked
                        && clearance.tightened.mode(category, Mode::Off) != Mode::Block =>
                {
                    Decision::Overridden
                }
                Mode::Block => Decision::Blocked,
                Mode::Flag | Mode::Off => Decision::Flagged,
            };
            if decision == Decision::Blocked {
                blocking.push(category);
            } else {
                flags.push(category);
            }
            evidence.push(Evidence {
                category: Some(category),
                score: (!locked).then_some(score),
                threshold: (!locked).then_some(threshold),
                ..told.entry(decision, by)
            });
        }
        let blocked = (!blocking.is_empty()).then(|| Blocked::by(&blocking));
        Self { blocked, flags, evidence }
    }
}
