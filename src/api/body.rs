//! The bytes of a request, within bounds of kind, size and time.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use super::ApiConfig;
use crate::error::{ApiError, Code};

/// Reads a whole JSON body.
///
/// # Errors
/// 415 for another kind or any encoding, 413 above the cap, 400 when it ends early or comes too slowly.
pub(super) async fn read(
    headers: &HeaderMap,
    body: &mut Payload,
    config: &ApiConfig,
) -> Result<Bytes, ApiError> {
    is_json(headers)?;
    whole(headers, body, config.body_limit_bytes, config.body_timeout_s).await
}

/// Reads a whole body of any kind.
///
/// # Errors
/// 413 above `limit` bytes, 400 when it ends early or comes too slowly.
pub(super) async fn whole(
    headers: &HeaderMap,
    body: &mut Payload,
    limit: usize,
    timeout_s: u64,
) -> Result<Bytes, ApiError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let whole = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| broken("the body ended early"))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    actix_web::rt::time::timeout(Duration::from_secs(timeout_s), whole)
        .await
        .unwrap_or_else(|_| Err(broken("the body came too slowly")))
}

/// Takes what is left of a refused request's body off the wire, so that the client hears the refusal instead
/// of a reset connection. Gives up after a mebibyte or a second.
pub(super) async fn drain(body: &mut Payload) {
    let rest = async {
        let mut seen = 0;
        while let Some(Ok(chunk)) = body.next().await {
            seen += chunk.len();
            if seen > 1 << 20 {
                break;
            }
        }
    };
    // Past the second the connection is closed with the answer; nothing more is owed.
    let _ = actix_web::rt::time::timeout(Duration::from_secs(1), rest).await;
}

fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(Code::UnsupportedMediaType).with("expected", "application/json"));
    }
    // Nothing is ever unpacked, so there is no bomb to defuse.
    let encoding = headers.get(CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("?"));
    if !encoding.trim().eq_ignore_ascii_case("identity") {
        return Err(ApiError::new(Code::UnsupportedMediaType).with("expected_encoding", "identity"));
    }
    Ok(())
}

fn too_large(limit_bytes: usize) -> ApiError {
    ApiError::new(Code::PayloadTooLarge).with("limit_bytes", limit_bytes as u64)
}

fn broken(message: &str) -> ApiError {
    ApiError::new(Code::InvalidJson).with("message", message)
}
