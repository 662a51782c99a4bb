//! Review at the door: off the event loop, some at a time, with all opinions.

use serde_json::Value;

use super::draft::Draft;
use super::line::Line;
use crate::compliance::{
    Clearance, Evidence, ModerationUnavailable, Moderator, Reviewed, Reviewer, Texts, Tightened,
};
use crate::error::{ApiError, Code};
use crate::store::{Store, StoreError};

/// Reviews at once: as many as have something to do, or, where an endpoint is waited for, as it can be asked.
const AT_ONCE: usize = 4;
const AT_ONCE_ASKING: usize = 32;
/// Reviews that wait for their turn.
const WAITING: usize = 1_024;
/// Seconds after which an endpoint that gave no opinion may give one.
const RETRY_AFTER_S: u64 = 5;

/// Shared by all event loops.
#[derive(Debug)]
pub struct ReviewDesk {
    reviewer: Reviewer,
    store: Store,
    line: Line,
}

/// Who else is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opinions {
    /// The rules alone, where nothing is drawn.
    None,
    All,
}

#[derive(Debug, thiserror::Error)]
enum ReviewError {
    #[error("{0}")]
    Moderation(#[from] ModerationUnavailable),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A draft's texts, to be taken to another thread.
struct Owned {
    positive: String,
    negative: String,
    others: Vec<String>,
}

impl ReviewDesk {
    pub fn new(reviewer: Reviewer, store: Store) -> Self {
        let at_once = if reviewer.moderator().is_some() { AT_ONCE_ASKING } else { AT_ONCE };
        Self { reviewer, store, line: Line::new("reviews", at_once, WAITING) }
    }

    /// Reviews a draft of a key's, with what an operator has let pass of its texts.
    ///
    /// # Errors
    /// 503 where the line is full or whoever is to be asked gives no opinion; what the store says of the ledger.
    pub(super) async fn review(
        &self,
        draft: &Draft,
        tightened: &Tightened,
        key_id: i64,
        opinions: Opinions,
    ) -> Result<Reviewed, ApiError> {
        let owned = Owned {
            positive: draft.composed.positive.clone(),
            negative: draft.composed.negative.clone(),
            others: draft.said().into_iter().map(str::to_owned).collect(),
        };
        let (reviewer, store) = (self.reviewer.clone(), self.store.clone());
        let tightened = tightened.clone();
        let moderator = reviewer.moderator().filter(|_| opinions == Opinions::All);
        let work = move || reviewed(&owned, &reviewer, moderator.as_deref(), &store, tightened, key_id);
        self.line.run(work).await?.map_err(|error| match error {
            ReviewError::Store(error) => error.into(),
            ReviewError::Moderation(error) => {
                tracing::warn!(%error, "a prompt could not be reviewed");
                ApiError::new(Code::Unavailable)
                    .with("not_ready", vec!["moderation"])
                    .retry_after_s(RETRY_AFTER_S)
            }
        })
    }
}

fn reviewed(
    owned: &Owned,
    reviewer: &Reviewer,
    moderator: Option<&Moderator>,
    store: &Store,
    tightened: Tightened,
    key_id: i64,
) -> Result<Reviewed, ReviewError> {
    let others: Vec<&str> = owned.others.iter().map(String::as_str).collect();
    let texts = Texts { positive: &owned.positive, negative: &owned.negative, others: &others };
    let overridden = store.overridden(key_id, &texts.sha256())?;
    let clearance = Clearance { tightened, overridden, ..Clearance::default() };
    Ok(reviewer.prompt_with(moderator, &texts, clearance)?)
}

/// Evidence as the ledger keeps it.
pub(super) fn written(evidence: &[Evidence]) -> Result<Vec<Value>, ApiError> {
    let entries: Result<_, _> = evidence.iter().map(serde_json::to_value).collect();
    entries.map_err(|error| {
        tracing::error!(%error, "evidence cannot be written");
        Code::Internal.into()
    })
}
