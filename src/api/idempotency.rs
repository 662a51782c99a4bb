//! The header `Idempotency-Key`: one job, however often the same request is sent.

use actix_web::http::header::HeaderMap;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::store::Idempotency;

/// Longest key that is taken, in bytes.
const LONGEST: usize = 255;

/// The key with the digest of the body it came with, byte for byte; `None` without the header.
///
/// # Errors
/// 400 for a key that is not 1 to 255 printable ASCII characters.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Option<Idempotency>, ApiError> {
    let Some(value) = headers.get("Idempotency-Key") else { return Ok(None) };
    let printable = |key: &&str| {
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let key = value.to_str().ok().filter(printable).ok_or_else(|| {
        ApiError::invalid_field("Idempotency-Key", "expected 1 to 255 printable ASCII characters")
    })?;
    Ok(Some(Idempotency { key: key.to_owned(), body_sha256: Sha256::digest(body).into() }))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn with(key: &[u8]) -> Result<Option<Idempotency>, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("idempotency-key"), HeaderValue::from_bytes(key).unwrap());
        read(&headers, b"{}")
    }

    #[test]
    fn a_key_is_kept_with_the_digest_of_its_body() {
        let kept = with(b"order 17").unwrap().unwrap();
        assert_eq!(kept.key, "order 17");
        assert_eq!(
            hex::encode(kept.body_sha256),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(read(&HeaderMap::new(), b"{}").unwrap(), None);
    }

    #[test]
    fn an_unprintable_or_endless_key_is_refused() {
        assert!(with(&[b'a'; 255]).is_ok());
        for bad in [&b""[..], &[b'a'; 256], "ä".as_bytes(), b"a\tb"] {
            assert_eq!(with(bad).unwrap_err().details()["field"], "Idempotency-Key");
        }
    }
}
