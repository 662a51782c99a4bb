//! The proof that a prompt was reviewed.

use serde::{Deserialize, Serialize};

use crate::prompt::literal;

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

    /// The same texts with every bracket and backslash escaped: what the encoders get of them is what these were before there
    /// were weights, and what was reviewed.
    pub fn as_literal(&self) -> Self {
        Self::new(literal(&self.positive), literal(&self.negative))
    }

    pub fn positive(&self) -> &str {
        &self.positive
    }

    pub fn negative(&self) -> &str {
        &self.negative
    }
}
