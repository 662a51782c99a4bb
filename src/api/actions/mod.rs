//! One file an action: what it is asked, what it answers, and how it comes to that.

mod generate;
pub(super) mod meta;
mod models;
mod optimize;
mod parse;
mod random;
mod status;
mod verify;

pub use generate::GenerateRequest;

use std::time::Instant;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value};

use super::guard::Slip;
use super::{Services, chance};
use crate::error::{ApiError, Code};
use crate::presets::Viewer;
use crate::store::Caller;

/// What a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Models,
    Generate,
    Status,
    Optimize,
    Random,
    Parse,
    Verify,
}

impl Action {
    const ALL: [(&'static str, Self); 7] = [
        ("models", Self::Models),
        ("generate", Self::Generate),
        ("status", Self::Status),
        ("optimize", Self::Optimize),
        ("random", Self::Random),
        ("parse", Self::Parse),
        ("verify", Self::Verify),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, action)| *action)
    }

    pub(super) fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(name, _)| *name).collect()
    }
}

/// One request, its caller known and its body read.
pub(super) struct Asked<'a> {
    /// Without `action`.
    pub(super) fields: Map<String, Value>,
    /// The body as it came.
    pub(super) bytes: Bytes,
    pub(super) caller: Caller,
    pub(super) request: &'a HttpRequest,
    pub(super) slip: &'a Slip,
}

pub(super) async fn answer(
    action: Action,
    asked: Asked<'_>,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    match action {
        Action::Models => models::models(asked, services),
        Action::Generate => generate::generate(asked, services).await,
        Action::Status => status::status(asked, services).await,
        Action::Optimize => optimize::optimize(asked, services).await,
        Action::Random => random::random(asked, services).await,
        Action::Parse => parse::parse(asked, services).await,
        Action::Verify => verify::verify(asked, services).await,
    }
}

/// Takes one of what the caller's key may ask for in a minute.
///
/// # Errors
/// 429 when nothing is left.
fn spend(asked: &Asked<'_>, services: &Services) -> Result<(), ApiError> {
    let budget = services.generate_budget.take(&asked.caller.key_id, Instant::now());
    let allowance = budget.unwrap_or_else(|empty| empty.allowance);
    asked.slip.allowance.set(Some(allowance));
    budget.map(drop).map_err(|empty| ApiError::new(Code::RateLimited).retry_after_s(empty.retry_after_s))
}

/// The caller as the presets know it: not everyone sees every character.
pub(super) fn viewer(caller: &Caller) -> Viewer<'_> {
    Viewer { key_id: caller.key_id, key_name: &caller.name, today: chance::today() }
}

/// 200 with JSON that no cache may keep: it holds jobs and signed URLs.
fn ok(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(body)
}
