//! What can go wrong between a picture and its manifest, named as what it is.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use time::OffsetDateTime;

/// Why nothing was signed. Never carries a key or a password.
#[derive(Debug, Error)]
pub enum CredentialsError {
    #[error("{doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} cannot be read as {what}: {detail}", path.display())]
    Malformed { path: PathBuf, what: &'static str, detail: String },
    /// The certificate is whole, but no validator would take it for C2PA.
    #[error("the certificate of `{subject}` cannot sign C2PA claims: {detail}")]
    Unusable { subject: String, detail: String },
    #[error("the certificate of `{subject}` expired at {at}")]
    Expired { subject: String, at: OffsetDateTime },
    #[error("the certificate of `{subject}` is not valid before {from}; is the clock right?")]
    NotYetValid { subject: String, from: OffsetDateTime },
    #[error("the key does not belong to the certificate of `{subject}`")]
    KeyMismatch { subject: String },
    #[error("{} is encrypted; set IMGEN_C2PA_KEY_PASSWORD", path.display())]
    PasswordNeeded { path: PathBuf },
    #[error("the password does not open {}", path.display())]
    WrongPassword { path: PathBuf },
    #[error("certificates could not be made: {0}")]
    Making(#[from] rcgen::Error),
    #[error("the signer command `{program}` {detail}")]
    Command { program: String, detail: String, is_temporary: bool },
    #[error("no time-stamp from {url}: {detail}")]
    Timestamp { url: String, detail: String },
    #[error("signing failed: {detail}")]
    Signing { detail: String },
    /// Signed, and then not found good when read back.
    #[error("the signed picture does not verify: {}", reasons.join("; "))]
    NotVerified { reasons: Vec<String> },
}

impl CredentialsError {
    /// Whether the same may work a little later without anybody's doing.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Timestamp { .. } => true,
            Self::Command { is_temporary, .. } => *is_temporary,
            _ => false,
        }
    }
}
