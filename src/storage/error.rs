//! What can go wrong between this service and its object store, named as what it is.

use super::key::KeyError;

/// A failed call to the object store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// `RequestTimeTooSkewed`: signatures hold for 15 minutes around the store's clock.
    #[error(
        "the clock here and the object store's are more than 15 minutes apart; set this machine's clock ({detail})"
    )]
    ClockSkew { detail: String },
    #[error("the object store refused the credentials or the right to do this: {code} ({detail})")]
    Refused { code: String, detail: String },
    #[error("the object store has no bucket named {bucket:?}; create it or set another")]
    NoBucket { bucket: String },
    #[error("the object store has no object {key:?}")]
    NoObject { key: String },
    #[error("the name of the object store's host does not resolve: {detail}")]
    Dns { detail: String },
    #[error("no connection to the object store: {detail}")]
    Connect { detail: String },
    #[error("the object store's certificate is not accepted: {detail}")]
    Tls { detail: String },
    #[error("the object store did not answer in time: {detail}")]
    Timeout { detail: String },
    #[error("the object store is full: {detail}")]
    Full { detail: String },
    #[error("the object store answered {status} {code}: {detail}")]
    Answer { status: u16, code: String, detail: String },
    #[error("what came back from the object store cannot be read: {detail}")]
    Unreadable { detail: String },
    #[error("the object store returned other bytes than were put: {detail}")]
    Different { detail: String },
    #[error("the URL cannot be signed: {detail}")]
    Signing { detail: String },
    #[error("no random bytes from the system: {0}")]
    Chance(getrandom::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A probe of the store went wrong at one of its four steps.
    #[error("{step}: {source}")]
    Probe { step: ProbeStep, source: Box<StorageError> },
}

/// The steps of a probe, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStep {
    Put,
    Get,
    Compare,
    Delete,
}

impl std::fmt::Display for ProbeStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Put => "putting a probe object",
            Self::Get => "getting the probe object back",
            Self::Compare => "comparing the probe object",
            Self::Delete => "deleting the probe object",
        })
    }
}

impl StorageError {
    /// Whether the same call may succeed later with nothing changed by anyone: worth keeping the picture for.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Full { .. }
            | Self::Unreadable { .. }
            | Self::Chance(_) => true,
            Self::Answer { status, .. } => *status >= 500 || *status == 429,
            Self::Probe { source, .. } => source.is_transient(),
            Self::ClockSkew { .. }
            | Self::Refused { .. }
            | Self::NoBucket { .. }
            | Self::NoObject { .. }
            | Self::Tls { .. }
            | Self::Different { .. }
            | Self::Signing { .. }
            | Self::Key(_) => false,
        }
    }

    /// Names an answer of the store by its S3 error code ("Error responses" in the S3 API reference).
    pub(super) fn from_answer(status: u16, code: &str, detail: String, bucket: &str, key: &str) -> Self {
        match (code, status) {
            ("RequestTimeTooSkewed", _) => Self::ClockSkew { detail },
            ("NoSuchBucket", _) => Self::NoBucket { bucket: bucket.to_owned() },
            ("NoSuchKey", _) => Self::NoObject { key: key.to_owned() },
            ("InsufficientStorage" | "XMinioStorageFull", _) | (_, 507) => Self::Full { detail },
            (_, 401 | 403) => Self::Refused { code: code.to_owned(), detail },
            _ => Self::Answer { status, code: code.to_owned(), detail },
        }
    }

    /// Names a request that got no answer, by what its chain of causes says.
    pub(super) fn from_no_answer(detail: String) -> Self {
        let said = |words: &[&str]| words.iter().any(|word| detail.contains(word));
        if said(&["dns error", "failed to lookup address"]) {
            Self::Dns { detail }
        } else if said(&["certificate", "UnknownIssuer", "tls handshake"]) {
            Self::Tls { detail }
        } else if said(&["timeout", "timed out"]) {
            Self::Timeout { detail }
        } else {
            Self::Connect { detail }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_named_as_what_they_are() {
        let named = |status, code| {
            StorageError::from_answer(status, code, "said".to_owned(), "pictures", "a_b_00001.jpg")
                .to_string()
        };
        assert!(named(403, "RequestTimeTooSkewed").contains("clock"));
        assert!(named(403, "SignatureDoesNotMatch").contains("refused the credentials"));
        assert!(named(404, "NoSuchBucket").contains("no bucket named \"pictures\""));
        assert!(named(507, "InsufficientStorage").contains("full"));
        assert!(named(503, "SlowDown").contains("503 SlowDown"));
    }

    #[test]
    fn only_what_may_pass_by_itself_is_transient() {
        let of =
            |status, code| StorageError::from_answer(status, code, String::new(), "b", "k").is_transient();
        assert_eq!([of(503, "SlowDown"), of(507, ""), of(403, "AccessDenied")], [true, true, false]);
        assert!(StorageError::from_no_answer("dns error: no such host".to_owned()).is_transient());
        let probe = StorageError::Probe {
            step: ProbeStep::Put,
            source: Box::new(StorageError::NoBucket { bucket: "b".to_owned() }),
        };
        assert!(!probe.is_transient());
    }
}
