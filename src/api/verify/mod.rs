//! Provenance at the door: the page, the soft-binding routes, and what they share with the action `verify`.
//!
//! - `page`: a page to drop a picture on, and the POST behind it
//! - `bindings`: the C2PA Soft Binding Resolution API
//! - `data_uri`: a picture inside JSON
//! - `asker`: who asks, and how often

mod asker;
mod bindings;
mod data_uri;
mod page;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use serde_json::Value;

pub(super) use asker::spend;
pub(super) use data_uri::picture_of;

use super::limits::Buckets;
use super::line::Line;
use crate::error::ApiError;
use crate::verify::{Asker, ExamineError, Verifier, VerifyConfig, VerifyError};

/// How many keys' and addresses' budgets are remembered.
const BUDGETS: usize = 100_000;

/// What verification needs at the door; shared by all event loops.
#[derive(Debug)]
pub struct VerifyDesk {
    pub(super) verifier: Arc<Verifier>,
    pub(super) config: VerifyConfig,
    pub(super) line: Line,
    pub(super) by_key: Buckets<i64>,
    pub(super) by_address: Buckets<IpAddr>,
}

impl VerifyDesk {
    pub fn new(verifier: Arc<Verifier>, config: VerifyConfig) -> Self {
        Self {
            line: Line::new("pictures", config.at_once, config.waiting),
            by_key: Buckets::new(config.per_minute, BUDGETS),
            by_address: Buckets::new(config.public_per_minute, BUDGETS),
            verifier,
            config,
        }
    }

    /// Waits in line and examines. `field` is where the picture came from, for complaints about it.
    pub(super) async fn answer(
        &self,
        field: &'static str,
        asker: Asker,
        bytes: impl FnOnce() -> Result<Vec<u8>, ApiError> + Send + 'static,
    ) -> Result<Value, ApiError> {
        let verifier = self.verifier.clone();
        self.line
            .run(move || verifier.answer(&bytes()?, asker).map_err(|error| complaint(field, error)))
            .await?
    }
}

/// Mounts the page and the soft-binding routes.
pub(super) fn routes(app: &mut ServiceConfig) {
    page::routes(app);
    bindings::routes(app);
}

fn complaint(field: &str, error: VerifyError) -> ApiError {
    match error {
        VerifyError::Picture(ExamineError::Picture(error)) => {
            ApiError::invalid_field(field, error.to_string())
        }
        VerifyError::Picture(error @ ExamineError::Undecodable) => {
            ApiError::invalid_field(field, error.to_string())
        }
        VerifyError::Store(error) => error.into(),
    }
}
