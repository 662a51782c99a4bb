//! The proof that a prompt was reviewed.

use serde::{Deserialize, Serialize};

/// What compliance let through; byte for byte what the text encoders get.
///
/// Only this room constructs it. It is read back from a stored plan as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedPrompt {
    positive: String,
    negative: String,
}

impl ApprovedPrompt {
    pub(super) fn new(positive: String, negative: String) -> Self {
        Self { positive, negative }
    }

    pub fn positive(&self) -> &str {
        &self.positive
    }

    pub fn negative(&self) -> &str {
        &self.negative
    }
}
