//! What is written about a job: the plain data that goes in and comes out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Attachment;
use crate::compliance::{self, Category};
use crate::jobs::JobState;
use crate::plan::{Format, Plan, Warning};

/// A job as submitted.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// From [`super::ids::job_id`].
    pub id: String,
    /// The API key it belongs to.
    pub key_id: i64,
    pub verdict: Verdict,
    /// The watermark that the plan names; kept until the job has ended.
    pub attachment: Option<Attachment>,
    pub idempotency: Option<Idempotency>,
    /// For the ledger: what the review of the prompt found.
    pub evidence: Vec<Value>,
}

/// What compliance said of the prompt. A blocked prompt has no plan: only an approved one can be in a plan.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every job is accepted, and it is held once, not in lists"
)]
pub enum Verdict {
    Accepted(Plan),
    /// Stored COMPLETED at once; nothing is drawn.
    Blocked(Receipt, Blocked),
}

impl Verdict {
    /// The state a job of this verdict is stored in, its plan, and its outcome where it ends at once.
    pub(super) fn parts(&self) -> (JobState, Option<Arc<Plan>>, Option<Outcome>) {
        match self {
            Self::Accepted(plan) => (JobState::InQueue, Some(Arc::new(plan.clone())), None),
            Self::Blocked(_, blocked) => (JobState::Completed, None, Some(Outcome::Blocked(blocked.clone()))),
        }
    }
}

/// The header `Idempotency-Key` and what it was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    pub body_sha256: [u8; 32],
}

/// What `generate` answers beside the id; kept, so that a repeated request gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub gen_id: String,
    pub prompt: String,
    pub model: String,
    pub format: Format,
    pub seed: u32,
    pub warnings: Vec<Warning>,
}

impl From<&Plan> for Receipt {
    fn from(plan: &Plan) -> Self {
        Self {
            gen_id: plan.gen_id.clone(),
            prompt: plan.prompt.clone(),
            model: plan.model.clone(),
            format: plan.output.format,
            seed: plan.sampling.seed,
            warnings: plan.warnings.clone(),
        }
    }
}

/// What a submit came to. Durable when it is seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    New(Ticket),
    /// The same idempotency key and body were seen before: this is that job.
    Replayed(Ticket),
}

impl Submitted {
    pub fn ticket(&self) -> &Ticket {
        match self {
            Self::New(ticket) | Self::Replayed(ticket) => ticket,
        }
    }

    pub fn is_replayed(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

/// A job's id and what `generate` answers with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    pub id: String,
    pub receipt: Receipt,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    Completed(JobResult),
    Blocked(Blocked),
    Failed(Failure),
    Cancelled,
    TimedOut(Failure),
}

impl Outcome {
    pub fn state(&self) -> JobState {
        match self {
            Self::Completed(_) | Self::Blocked(_) => JobState::Completed,
            Self::Failed(_) => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
            Self::TimedOut(_) => JobState::TimedOut,
        }
    }
}

/// The pictures of a job, all of them uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobResult {
    /// In the order of their seeds; never empty.
    pub pictures: Vec<Picture>,
    /// What the review of the pictures found, and let through.
    #[serde(default)]
    pub flags: Vec<Category>,
}

/// One picture and its thumbnail, as they lie in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub seed: u32,
    /// PDQ of the final pixels, 64 hexadecimal digits.
    pub fingerprint: String,
    /// PDQ quality, 0 to 100; below 50 the fingerprint is not to be matched.
    pub fingerprint_quality: u8,
    /// Object key of the picture, such as `{gen_id}_{fingerprint}_00001.jpg`.
    pub picture_key: String,
    /// Object key of the thumbnail.
    pub thumbnail_key: String,
    /// Whether an invisible mark was read out of it before it was uploaded.
    #[serde(default)]
    pub marked: bool,
    /// Whether it carries content credentials.
    #[serde(default)]
    pub signed: bool,
}

/// Why compliance blocked a prompt, as `status` says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub message: String,
    pub filter_categories: Vec<String>,
    pub compliance_codes: Vec<String>,
}

impl From<compliance::Blocked> for Blocked {
    fn from(blocked: compliance::Blocked) -> Self {
        let owned = |ids: Vec<&'static str>| ids.into_iter().map(str::to_owned).collect();
        Self {
            message: blocked.message,
            filter_categories: owned(blocked.categories),
            compliance_codes: owned(blocked.codes),
        }
    }
}

/// Why a job came to nothing. For the operator: a client only sees a fixed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable; `UPPER_SNAKE`, but for `filter_unavailable`, whose name is agreed.
    pub code: String,
    pub diagnosis: String,
}

impl Failure {
    pub fn new(code: &str, diagnosis: impl Into<String>) -> Self {
        Self { code: code.to_owned(), diagnosis: diagnosis.into() }
    }
}
