//! Who asks, and whether that is too often.

use std::net::IpAddr;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::super::limits::{Allowance, Empty};
use super::super::{Services, auth, guard};
use crate::error::{ApiError, Code};
use crate::verify::Asker;

/// The key that the request brings, else a stranger where those are let in; one question is taken off its budget.
///
/// # Errors
/// 401 for a wrong key, or for none where one is needed; 429.
pub(super) async fn asker(request: &HttpRequest, services: &Services) -> Result<Asker, ApiError> {
    if request.headers().contains_key(AUTHORIZATION) || !services.verify.config.public {
        let caller = auth::caller(request, services).await?;
        services.store.count_request(caller.key_id);
        spend(request, services.verify.by_key.take(&caller.key_id, Instant::now()))?;
        return Ok(Asker::Key(caller.key_id));
    }
    // A connection without an address is none that a listener of this service takes.
    let address = request.peer_addr().map_or(IpAddr::from([0; 4]), |peer| auth::network(peer.ip()));
    spend(request, services.verify.by_address.take(&address, Instant::now()))?;
    Ok(Asker::Stranger)
}

/// Puts what is left into the answer's headers.
///
/// # Errors
/// 429 where nothing was left.
pub(in crate::api) fn spend(request: &HttpRequest, taken: Result<Allowance, Empty>) -> Result<(), ApiError> {
    let slip = guard::slip(request);
    match taken {
        Ok(allowance) => {
            slip.allowance.set(Some(allowance));
            Ok(())
        }
        Err(empty) => {
            slip.allowance.set(Some(empty.allowance));
            Err(ApiError::new(Code::RateLimited).retry_after_s(empty.retry_after_s))
        }
    }
}
