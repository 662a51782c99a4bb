//! RFC 3161 time-stamps, fetched within bounds of time and size. The only network that this room touches.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use c2pa::Context;
use c2pa::crypto::time_stamp::{default_rfc3161_message, default_rfc3161_request};
use c2pa::http::{HttpResolverError, SyncHttpResolver};
use http::{Request, Response};

use super::config::TimestampPolicy;
use super::error::CredentialsError;
use crate::outbound;

/// Largest answer of an authority, in bytes; common ones are 4 to 7 kB.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// One authority, and what to do without it.
pub(super) struct Timestamps {
    url: String,
    pub(super) policy: TimestampPolicy,
    context: Context,
}

impl fmt::Debug for Timestamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timestamps")
            .field("url", &self.url)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Timestamps {
    pub(super) fn new(url: &str, policy: TimestampPolicy, timeout: Duration) -> Self {
        let agent = outbound::agent(Some(timeout));
        Self { url: url.to_owned(), policy, context: Context::new().with_resolver(Bounded { agent }) }
    }

    /// The authority's answer over `message`, with its nonce, its imprint and its signature checked.
    pub(super) fn fetch(&self, message: &[u8]) -> Result<Vec<u8>, CredentialsError> {
        let failed = |e: c2pa::crypto::time_stamp::TimeStampError| CredentialsError::Timestamp {
            url: self.url.clone(),
            detail: e.to_string(),
        };
        let body = default_rfc3161_message(message).map_err(failed)?;
        default_rfc3161_request(&self.url, None, &body, message, &self.context).map_err(failed)
    }
}

/// One request, no redirects, an end in time and size.
struct Bounded {
    agent: ureq::Agent,
}

impl SyncHttpResolver for Bounded {
    fn http_resolve(&self, request: Request<Vec<u8>>) -> Result<Response<Box<dyn Read>>, HttpResolverError> {
        let other = |e: ureq::Error| HttpResolverError::Other(Box::new(e));
        let (parts, mut body) = self.agent.run(request).map_err(other)?.into_parts();
        // Read here, so that the time limit covers all of it.
        let bytes = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec().map_err(other)?;
        Ok(Response::from_parts(parts, Box::new(std::io::Cursor::new(bytes))))
    }
}
