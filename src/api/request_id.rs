//! The number under which one request appears in its answer and in the log.

use actix_web::http::header::HeaderMap;

use crate::store::ids;

/// Longest number a client may bring.
const LONGEST: usize = 128;

/// The client's own `X-Request-Id` when it is 1 to 128 of `[A-Za-z0-9._-]`, else a fresh one.
pub(super) fn choose(headers: &HeaderMap) -> String {
    headers
        .get("X-Request-Id")
        .and_then(|value| value.to_str().ok())
        .filter(|value| is_plain(value))
        .map_or_else(fresh, str::to_owned)
}

/// A number that cannot be drawn is no reason to refuse the request.
fn fresh() -> String {
    format!("req_{}", ids::os_random().map(ids::gen_id).unwrap_or_default())
}

fn is_plain(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_number_is_kept_and_any_other_replaced() {
        assert!(is_plain("a.B-7_x"));
        assert!(is_plain(&"a".repeat(128)));
        for bad in ["", "a b", "ä", "<x>", "a\nb", &"a".repeat(129)] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}
