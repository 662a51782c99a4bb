//! Why a LoRA cannot be used; each names the file, and the key that is at fault where there is one.

use std::path::Path;

/// Text for the log: it names files and keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoraError {
    /// The file as a whole.
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
    /// The first key that cannot be used.
    #[error("{path}: `{key}`: {reason}")]
    Key { path: String, key: String, reason: String },
    /// Made for other networks than the checkpoint has.
    #[error("{path}: `{key}`: {absent} of {modules} modules are not part of this checkpoint{guess}")]
    Foreign { path: String, key: String, absent: usize, modules: usize, guess: &'static str },
}

impl LoraError {
    pub(super) fn file(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::File { path: path.display().to_string(), reason: reason.to_string() }
    }

    pub(super) fn key(path: &Path, key: &str, reason: impl std::fmt::Display) -> Self {
        Self::Key { path: path.display().to_string(), key: key.to_owned(), reason: reason.to_string() }
    }
}
