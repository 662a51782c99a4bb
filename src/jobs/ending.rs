//! What becomes of a job when its attempt is over: a pure function.

use serde_json::Value;

use super::control::Halt;
use crate::store::{Blocked, Failure, JobResult, Outcome, Trace};

/// Why what a worker ran gave no pictures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CookError {
    /// It stopped because it was told to. `evidence`: what review had found by then.
    #[error("halted")]
    Halted { evidence: Vec<Value> },
    /// `again`: whether another attempt may go better. `evidence`: what review had found by then.
    #[error("{}: {}", failure.code, failure.diagnosis)]
    Failed { failure: Failure, again: bool, evidence: Vec<Value> },
}

impl CookError {
    pub fn halted() -> Self {
        Self::Halted { evidence: Vec::new() }
    }

    pub fn failed(code: &str, diagnosis: &(impl ToString + ?Sized), again: bool) -> Self {
        Self::Failed { failure: Failure::new(code, diagnosis.to_string()), again, evidence: Vec::new() }
    }

    fn evidence(self) -> Vec<Value> {
        match self {
            Self::Halted { evidence } | Self::Failed { evidence, .. } => evidence,
        }
    }

    /// With what review had found before that.
    pub(super) fn after(self, found: &[Value]) -> Self {
        match self {
            Self::Failed { failure, again, evidence } => {
                Self::Failed { failure, again, evidence: [found, &evidence].concat() }
            }
            Self::Halted { evidence } => Self::Halted { evidence: [found, &evidence].concat() },
        }
    }
}

/// What a worker ran to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Cooked {
    /// The pictures, or why none is delivered.
    pub result: Result<JobResult, Blocked>,
    pub trace: Trace,
}

/// What the worker does next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// With what it leaves behind.
    Record(Outcome, Trace),
    /// Back to the queue without having spent the attempt, with what review had found by then.
    Park(Vec<Value>),
    /// Back to the queue to be tried again, with what review had found by then.
    Again(Failure, Vec<Value>),
    /// The claim is lost: nothing to record but what review had found.
    Drop(Vec<Value>),
}

impl Ending {
    /// What review had found.
    pub(super) fn evidence(&self) -> &[Value] {
        match self {
            Self::Record(_, Trace { evidence, .. })
            | Self::Park(evidence)
            | Self::Again(_, evidence)
            | Self::Drop(evidence) => evidence,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Record(outcome, _) => outcome.state().name(),
            Self::Park(_) => "PARKED",
            Self::Again(..) => "AGAIN",
            Self::Drop(_) => "LOST",
        }
    }
}

/// `attempt` counts from 1; the last is `max_attempts`.
pub(super) fn ending(
    cooked: Result<Cooked, CookError>,
    halted: Option<Halt>,
    attempt: u32,
    max_attempts: u32,
) -> Ending {
    match (cooked, halted) {
        // Told to stop, but done all the same.
        (Ok(Cooked { result, trace }), _) => {
            Ending::Record(result.map_or_else(Outcome::Blocked, Outcome::Completed), trace)
        }
        // A stop takes things away from under a job, so its own complaint says nothing.
        (Err(error), Some(Halt::Park)) => Ending::Park(error.evidence()),
        (Err(error), Some(Halt::Lost)) => Ending::Drop(error.evidence()),
        (Err(CookError::Halted { evidence }), Some(Halt::TimeOut)) => {
            let failure = Failure::new("TIMED_OUT", "it ran longer than it may");
            Ending::Record(Outcome::TimedOut(failure), Trace { evidence, ..Trace::default() })
        }
        (Err(CookError::Halted { evidence }), None) => {
            let failure = Failure::new("CANCELLED_ITSELF", "it stopped although nobody had asked");
            Ending::Record(Outcome::Failed(failure), Trace { evidence, ..Trace::default() })
        }
        (Err(CookError::Failed { failure, again: true, evidence }), _) if attempt < max_attempts => {
            Ending::Again(failure, evidence)
        }
        (Err(CookError::Failed { failure, again: true, evidence }), _) => {
            let diagnosis =
                format!("attempt {attempt} of {max_attempts}: {}: {}", failure.code, failure.diagnosis);
            let failure = Failure::new("ATTEMPTS_EXHAUSTED", diagnosis);
            Ending::Record(Outcome::Failed(failure), Trace { evidence, ..Trace::default() })
        }
        (Err(CookError::Failed { failure, again: false, evidence }), _) => {
            Ending::Record(Outcome::Failed(failure), Trace { evidence, ..Trace::default() })
        }
    }
}

/// For what has no pictures.
pub(super) fn without_trace(outcome: Outcome) -> Ending {
    Ending::Record(outcome, Trace::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done() -> Cooked {
        Cooked { result: Ok(JobResult { pictures: Vec::new(), flags: Vec::new() }), trace: Trace::default() }
    }

    #[test]
    fn pictures_are_kept_whatever_was_said_meanwhile() {
        for halted in [None, Some(Halt::Park), Some(Halt::TimeOut), Some(Halt::Lost)] {
            let kept = without_trace(Outcome::Completed(done().result.unwrap()));
            assert_eq!(ending(Ok(done()), halted, 1, 3), kept);
        }
    }

    #[test]
    fn pictures_that_review_blocked_end_the_job_for_good() {
        let blocked = Blocked { message: "m".into(), filter_categories: vec![], compliance_codes: vec![] };
        let trace = Trace { evidence: vec![serde_json::json!({"stage": "picture"})], ..Trace::default() };
        let cooked = Cooked { result: Err(blocked.clone()), trace: trace.clone() };
        assert_eq!(ending(Ok(cooked), None, 1, 3), Ending::Record(Outcome::Blocked(blocked), trace));
    }

    #[test]
    fn a_halt_ends_a_job_as_it_should() {
        let halted = |why| ending(Err(CookError::halted()), Some(why), 1, 3);
        assert_eq!(halted(Halt::Park), Ending::Park(Vec::new()));
        assert_eq!(halted(Halt::Lost), Ending::Drop(Vec::new()));
        assert!(matches!(halted(Halt::TimeOut), Ending::Record(Outcome::TimedOut(_), _)));
    }

    #[test]
    fn a_failure_is_tried_again_until_the_last_attempt() {
        let failed = |attempt, again| {
            ending(Err(CookError::failed("TORCH", "out of memory", again)), None, attempt, 3)
        };
        assert_eq!(failed(2, true), Ending::Again(Failure::new("TORCH", "out of memory"), Vec::new()));
        let Ending::Record(Outcome::Failed(last), _) = failed(3, true) else {
            panic!("{:?}", failed(3, true))
        };
        assert_eq!(last.code, "ATTEMPTS_EXHAUSTED");
        assert!(last.diagnosis.contains("attempt 3 of 3: TORCH: out of memory"), "{}", last.diagnosis);
        assert_eq!(failed(1, false), without_trace(Outcome::Failed(Failure::new("TORCH", "out of memory"))));
    }

    #[test]
    fn what_review_found_is_kept_however_an_attempt_ends() {
        let found = [serde_json::json!({"stage": "picture"})];
        let failed = |again| CookError::failed("STORAGE", "full", again).after(&found);
        let halted = || CookError::halted().after(&found);
        for (error, halt) in [
            (failed(false), None),
            (failed(true), None),
            (failed(true), Some(Halt::Lost)),
            (halted(), Some(Halt::TimeOut)),
            (halted(), Some(Halt::Park)),
            (halted(), Some(Halt::Lost)),
            (halted(), None),
        ] {
            let ending = ending(Err(error), halt, 1, 3);
            assert_eq!(ending.evidence(), found, "{ending:?}");
        }
    }
}
