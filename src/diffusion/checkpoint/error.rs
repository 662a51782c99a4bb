//! Why a checkpoint cannot be used; each names the file, field or tensor.

/// Each variant names the file, and the field or tensor, that is at fault.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
    /// A file of another kind, which is named.
    #[error("{path}: not supported, this is a {kind}")]
    Unsupported { path: String, kind: String },
    /// Its hash was taken and may have been told to others.
    #[error("{path}: changed since its hash was taken; it is read again at the next start or SIGHUP")]
    Changed { path: String },
    /// A setting in a `config.json` that this build does not know how to follow.
    #[error("{path}: {field}: {reason}")]
    Config { path: String, field: String, reason: String },
    #[error("{component}: tensor `{name}` is missing")]
    Missing { component: String, name: String },
    #[error("{component}: tensor `{name}` has shape {found:?}, the configuration wants {expected:?}")]
    Misshapen { component: String, name: String, found: Vec<i64>, expected: Vec<i64> },
    #[error("{component}: {} tensors are not part of the network: {}", names.len(), names.join(", "))]
    Leftover { component: String, names: Vec<String> },
}

impl CheckpointError {
    pub(in crate::diffusion) fn file(path: &std::path::Path, reason: impl std::fmt::Display) -> Self {
        Self::File { path: path.display().to_string(), reason: reason.to_string() }
    }
}
