//! The store as a worker sees it: claim, renew, record. All but [`Store::recover`] block until durable: for plain threads only.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::jobs_table::{self, Claim, Trace};
use super::record::{Failure, Outcome};
use super::view::{JobView, Live};
use super::{Store, StoreError, ledger, moment};
use crate::jobs::{JobState, Move};

/// A job in a worker's hands.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub claim: Claim,
    pub view: Arc<JobView>,
    /// Where the worker says how far it is.
    pub live: Arc<Live>,
}

impl Store {
    /// Jobs that were running when the last process ended wait again; those at their last attempt are FAILED, unless they only waited
    /// for the engine. To be
    /// called once, before the first [`Store::claim`]. Returns how many there were.
    pub async fn recover(&self, max_attempts: u32) -> Result<usize, StoreError> {
        let now_ms = (self.inner.now_ms)();
        let views = self
            .write(
                move |connection| jobs_table::recover(connection, max_attempts, now_ms),
                |memory, views: &Vec<JobView>| {
                    for view in views {
                        memory.views.put(view.clone());
                    }
                    memory.bell.ring();
                },
            )
            .await?;
        Ok(views.len())
    }

    /// Takes the oldest waiting job, where there is one.
    pub fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Claimed>, StoreError> {
        if self.waiting() == 0 {
            return Ok(None);
        }
        let now_ms = (self.inner.now_ms)();
        let lease_ms = millis(lease);
        let owner = owner.to_owned();
        let claim = self.write_blocking(
            move |connection| jobs_table::claim(connection, &owner, now_ms, lease_ms),
            move |memory, claim| {
                if let Some(claim) = claim {
                    memory.views.change(&claim.id, |view| {
                        view.step_to(Move::Claim);
                        view.attempt = claim.attempt;
                        view.started_at = Some(moment(now_ms));
                        view.live = Arc::default();
                    });
                }
            },
        )?;
        let Some(claim) = claim else {
            return Ok(None);
        };
        match self.inner.memory.views.get(&claim.id) {
            Some(view) => Ok(Some(Claimed { claim, live: view.live.clone(), view })),
            // The row could not be read at the start; nobody can run it.
            None => {
                let failure = Failure::new("ROW_UNREADABLE", "the stored job cannot be read");
                self.finish(&claim, Outcome::Failed(failure), Trace::default())?;
                Ok(None)
            }
        }
    }

    /// Holds on to a claim. False where it is lost.
    pub fn renew(&self, claim: &Claim, lease: Duration) -> Result<bool, StoreError> {
        let until_ms = (self.inner.now_ms)() + millis(lease);
        let claim = claim.clone();
        self.write_blocking(move |connection| jobs_table::renew(connection, &claim, until_ms), |_, _| {})
    }

    /// Notes whether a claimed job waits for the engine behind others: should the process end meanwhile, it was none of its doing.
    pub fn note_line(&self, claim: &Claim, in_line: bool) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.write_blocking(move |connection| jobs_table::note_line(connection, &claim, in_line), |_, _| {})
    }

    /// Records how a claimed job ended, and what it leaves behind, all or nothing. False where the claim is lost; then
    /// nothing is recorded.
    pub fn finish(&self, claim: &Claim, outcome: Outcome, trace: Trace) -> Result<bool, StoreError> {
        let now_ms = (self.inner.now_ms)();
        let (claim, id) = (claim.clone(), claim.id.clone());
        let stored = outcome.clone();
        self.write_blocking(
            move |connection| jobs_table::finish(connection, &claim, &stored, &trace, now_ms),
            move |memory, done| {
                if *done {
                    memory.views.change(&id, |view| {
                        view.step_to(outcome.made_by());
                        view.finished_at = Some(moment(now_ms));
                        view.outcome = Some(outcome);
                    });
                }
            },
        )
    }

    /// Writes into the ledger what review found of a job whose claim was lost meanwhile.
    pub fn witness(&self, job_id: &str, evidence: Vec<Value>) -> Result<(), StoreError> {
        let (job_id, now_ms) = (job_id.to_owned(), (self.inner.now_ms)());
        self.write_blocking(
            move |connection| ledger::append(connection, &job_id, &evidence, now_ms),
            |_, _| {},
        )
    }

    /// Puts a claimed job back in its old place: parked (no failure; the attempt is not spent), or to be tried again.
    /// What review found is written into the ledger either way. False where the claim is lost.
    pub fn requeue(
        &self,
        claim: &Claim,
        failure: Option<Failure>,
        evidence: Vec<Value>,
    ) -> Result<bool, StoreError> {
        let (claim, id, now_ms) = (claim.clone(), claim.id.clone(), (self.inner.now_ms)());
        let spent = self.write_blocking(
            move |connection| {
                ledger::append(connection, &claim.id, &evidence, now_ms)?;
                jobs_table::requeue(connection, &claim, failure.as_ref())
            },
            move |memory, spent| {
                if let Some(spent) = spent {
                    memory.views.change(&id, |view| {
                        view.step_to(Move::Requeue);
                        view.attempt = *spent;
                        view.started_at = None;
                        view.live = Arc::default();
                    });
                    memory.bell.ring();
                }
            },
        )?;
        Ok(spent.is_some())
    }

    /// How often a job has come to wait so far; for [`Store::wait_for_work`].
    pub fn rings(&self) -> u64 {
        self.inner.memory.bell.rings()
    }

    /// Until a job has come to wait since `heard`, [`Store::wake_workers`] is called, or the time is over.
    pub fn wait_for_work(&self, heard: u64, at_most: Duration) {
        self.inner.memory.bell.wait(heard, at_most);
    }

    /// Wakes whoever waits for work, for a stop.
    pub fn wake_workers(&self) {
        self.inner.memory.bell.ring();
    }
}

impl JobView {
    /// The SQL has refused every illegal move already.
    fn step_to(&mut self, made: Move) {
        match self.state.after(made) {
            Some(next) => self.state = next,
            None => {
                tracing::error!(
                    job = self.id,
                    state = self.state.name(),
                    ?made,
                    "an illegal move was stored"
                );
            }
        }
    }
}

impl Outcome {
    fn made_by(&self) -> Move {
        match self.state() {
            JobState::Completed => Move::Complete,
            JobState::Cancelled => Move::Cancel,
            JobState::TimedOut => Move::TimeOut,
            JobState::Failed | JobState::InQueue | JobState::InProgress => Move::Fail,
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4)
}
