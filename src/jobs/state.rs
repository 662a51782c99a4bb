//! The six states of a job and the moves between them.

use serde::{Deserialize, Serialize};

/// Where a job stands, named as the specification's `status` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    InQueue,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    TimedOut,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// A worker takes it.
    Claim,
    /// It goes back to wait: parked at a stop, or to be tried again.
    Requeue,
    Complete,
    Fail,
    Cancel,
    TimeOut,
}

impl JobState {
    pub const ALL: [Self; 6] =
        [Self::InQueue, Self::InProgress, Self::Completed, Self::Failed, Self::Cancelled, Self::TimedOut];

    /// The state after a move, or `None` where the move is not legal.
    pub fn after(self, made: Move) -> Option<Self> {
        match (self, made) {
            (Self::InQueue, Move::Claim) => Some(Self::InProgress),
            (Self::InQueue | Self::InProgress, Move::Cancel) => Some(Self::Cancelled),
            // A waiting job fails without a worker when it has used up its attempts or its plan cannot be read.
            (Self::InQueue | Self::InProgress, Move::Fail) => Some(Self::Failed),
            (Self::InProgress, Move::Requeue) => Some(Self::InQueue),
            (Self::InProgress, Move::Complete) => Some(Self::Completed),
            (Self::InProgress, Move::TimeOut) => Some(Self::TimedOut),
            _ => None,
        }
    }

    pub fn is_final(self) -> bool {
        !matches!(self, Self::InQueue | Self::InProgress)
    }

    /// The name in `status` and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::InQueue => "IN_QUEUE",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOVES: [Move; 6] =
        [Move::Claim, Move::Requeue, Move::Complete, Move::Fail, Move::Cancel, Move::TimeOut];

    proptest! {
        #[test]
        fn no_way_leads_out_of_a_final_state(moves in prop::collection::vec(0usize..6, 0..40)) {
            let mut state = JobState::InQueue;
            let mut ended = None;
            for made in moves {
                if let Some(next) = state.after(MOVES[made]) {
                    prop_assert!(ended.is_none(), "left {state:?} by {:?}", MOVES[made]);
                    state = next;
                }
                if state.is_final() {
                    ended = Some(state);
                }
            }
            prop_assert!(ended.is_none_or(|ended| ended == state));
        }
    }

    #[test]
    fn every_state_can_be_reached_and_left_unless_final() {
        let mut reached = vec![JobState::InQueue];
        let mut at = 0;
        while at < reached.len() {
            let ways: Vec<_> = MOVES.iter().filter_map(|made| reached[at].after(*made)).collect();
            assert_eq!(ways.is_empty(), reached[at].is_final());
            for next in ways {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        assert_eq!(reached.len(), JobState::ALL.len());
    }

    #[test]
    fn the_name_is_the_same_everywhere() {
        for state in JobState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(JobState::from_name(state.name()), Some(state));
        }
        assert_eq!(JobState::from_name("DONE"), None);
    }
}
