//! Who proposes additions to a prompt, what it is asked, and how it can fail.

use std::fmt;

/// What a model gets to see: nothing of the prompt's syntax, and no negative terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The positive terms as plain words, joined by `, `.
    pub text: String,
    pub seed: u64,
}

/// How far a source understands what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grasp {
    /// It knows what goes with what.
    Whole,
    /// It goes on with a text: only what goes with any prompt is taken.
    Fragments,
}

/// A source of proposals. What it says is only ever taken apart, never used as it stands.
pub trait Enhancer: fmt::Debug + Send + Sync {
    /// Proposes further terms, separated by commas. Blocks: for plain threads only.
    ///
    /// # Errors
    /// When there is no proposal; what failed inside is in the error, for the log.
    fn propose(&self, wish: &Wish) -> Result<String, EnhanceError>;

    /// Whether its proposals can be about anything.
    fn grasp(&self) -> Grasp {
        Grasp::Whole
    }

    /// One line for people: what it is, or why it cannot work, as far as can be known without asking it.
    ///
    /// # Errors
    /// When every proposal would fail.
    fn check(&self) -> Result<String, EnhanceError>;
}

/// Why there is no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnhanceError {
    #[error("enhancement is turned off ([enhance] kind = \"none\")")]
    Disabled,
    #[error("too many wait for the model")]
    Busy,
    #[error("the model took too long")]
    Timeout,
    #[error("{path}: {message}")]
    Model { path: String, message: String },
    #[error("the endpoint answered {0}")]
    Status(u16),
    #[error("the endpoint: {0}")]
    Endpoint(String),
}
