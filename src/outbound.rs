//! # What the house asks of others
//!
//! Requests over HTTP that an operator's configuration names: no redirects, no proxy, an end in time and size.

use std::time::Duration;

/// Answers' headers, in bytes.
const MAX_HEADER_BYTES: usize = 16 << 10;

/// For requests that end on the spot: `timeout` covers all of one, where it is given here and not with each.
pub fn agent(timeout: Option<Duration>) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(timeout)
        // A redirect would carry a key elsewhere.
        .max_redirects(0)
        .http_status_as_error(false)
        // The environment is read in one place only, and not here.
        .proxy(None)
        .max_response_header_size(MAX_HEADER_BYTES)
        .build()
        .new_agent()
}

/// Posts JSON, with a bearer token where there is one. Status and body, of which at most `most_bytes` are taken.
///
/// # Errors
/// Everything but an answer: no connection, no end in time, a larger body.
pub fn post_json(
    agent: &ureq::Agent,
    url: &str,
    bearer: &str,
    body: &str,
    timeout: Duration,
    most_bytes: u64,
) -> Result<(u16, Vec<u8>), ureq::Error> {
    let mut request = agent.post(url).header("Content-Type", "application/json");
    if !bearer.is_empty() {
        request = request.header("Authorization", format!("Bearer {bearer}"));
    }
    let mut answer = request.config().timeout_global(Some(timeout)).build().send(body)?;
    let bytes = answer.body_mut().with_config().limit(most_bytes).read_to_vec()?;
    Ok((answer.status().as_u16(), bytes))
}
