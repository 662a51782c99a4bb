//! Who is asking: a Bearer key, looked at before anything else of the request.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::Services;
use super::limits::Buckets;
use crate::error::{ApiError, Code};
use crate::store::Caller;

/// How many addresses are remembered for their wrong keys.
const ADDRESSES: usize = 4096;

/// How long a refusal waits once an address has used up its free failures.
const SLOW: Duration = Duration::from_millis(1000);

/// Wrong keys by address (IPv6: by /64, the least that one customer has).
#[derive(Debug)]
pub(super) struct Failures {
    by_address: Buckets<IpAddr>,
    /// One line a minute, however many keys are tried.
    log: Buckets<()>,
}

impl Failures {
    pub(super) fn new(free_per_minute: u32) -> Self {
        Self { by_address: Buckets::new(free_per_minute, ADDRESSES), log: Buckets::new(1, 1) }
    }
}

/// The caller whose valid, enabled key the request carries in `Authorization: Bearer`.
///
/// A wrong key is refused at once for the first few of an address, then slowly. Right keys are never slowed,
/// so a stranger behind the same address cannot lock anybody out.
pub(super) async fn caller(request: &HttpRequest, services: &Services) -> Result<Caller, ApiError> {
    if let Some(caller) = bearer(request).and_then(|token| services.store.authenticate(token)) {
        return Ok(caller);
    }
    if let Some(address) = request.peer_addr().map(|peer| network(peer.ip()))
        && services.failures.by_address.take(&address, Instant::now()).is_err()
    {
        if services.failures.log.take(&(), Instant::now()).is_ok() {
            tracing::warn!(%address, "wrong keys keep coming from this address, and perhaps others");
        }
        actix_web::rt::time::sleep(SLOW).await;
    }
    Err(Code::Unauthorized.into())
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What counts as one address: IPv6 by /64, the least that one customer has.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        },
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_the_header_counts_and_the_scheme_has_no_case() {
        let with = |value: &str| {
            let request = TestRequest::with_uri("/?api_key=k&token=k").insert_header((AUTHORIZATION, value));
            bearer(&request.to_http_request()).map(str::to_owned)
        };
        assert_eq!(with("Bearer k"), Some("k".into()));
        assert_eq!(with("bearer  k "), Some("k".into()));
        for bad in ["k", "Basic k", "Bearer", ""] {
            assert_eq!(with(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_a_customer() {
        assert_eq!(
            network("2001:db8:1:2:3:4:5:6".parse().unwrap()),
            "2001:db8:1:2::".parse::<IpAddr>().unwrap()
        );
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
