//! What went wrong below, as S3 says it.

use std::io::{Error, ErrorKind};

use s3s::{S3Error, S3ErrorCode, s3_error};

pub(super) fn too_large() -> S3Error {
    s3_error!(EntityTooLarge, "the object is larger than this store takes")
}

/// Names a file's error for the client, and logs what only the operator may know.
pub(super) fn failed(error: Error) -> S3Error {
    match error.kind() {
        ErrorKind::FileTooLarge => too_large(),
        ErrorKind::InvalidInput => s3_error!(InvalidArgument, "{}", error),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            tracing::error!(%error, "the object store's disk is full");
            let code = S3ErrorCode::Custom("InsufficientStorage".into());
            let mut full = S3Error::with_message(code, "the disk is full");
            full.set_status_code(http::StatusCode::INSUFFICIENT_STORAGE);
            full
        }
        _ => {
            tracing::error!(%error, "the object store's files fail");
            S3Error::internal_error(error)
        }
    }
}

/// Names what went wrong with a body. s3s keeps the types of these errors to itself; their texts are all there is.
pub(super) fn body_error(error: &(dyn std::error::Error + 'static)) -> S3Error {
    let said = format!("{error} {error:?}");
    if said.contains("Sha256Mismatch") {
        let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
        let mut mismatch = S3Error::with_message(code, "x-amz-content-sha256 does not match the bytes");
        mismatch.set_status_code(http::StatusCode::BAD_REQUEST);
        mismatch
    } else if said.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        s3_error!(IncompleteBody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named() {
        let error = failed(Error::from(ErrorKind::StorageFull));
        assert_eq!(error.status_code().map(|s| s.as_u16()), Some(507));
    }
}
