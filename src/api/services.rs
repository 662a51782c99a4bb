//! What the handlers are given: the other rooms, and this one's own tables.

use std::sync::Arc;

use super::ApiConfig;
use super::auth::Failures;
use super::enhancing::EnhanceDesk;
use super::health::Readiness;
use super::limits::Buckets;
use super::reviewing::ReviewDesk;
use super::tokenizers::Tokenizers;
use super::verify::VerifyDesk;
use super::watermark::Marks;
use crate::presets::Shelf;
use crate::storage::Storage;
use crate::store::{Attachment, Store};

/// How many keys' budgets are remembered; a key that is forgotten starts with a full one.
const KEYS: usize = 100_000;

/// Shared by all event loops.
#[derive(Debug)]
pub struct Services {
    pub(super) store: Store,
    pub(super) presets: Arc<Shelf>,
    pub(super) storage: Storage,
    pub(super) config: ApiConfig,
    pub(super) readiness: Readiness,
    pub(super) generate_budget: Buckets<i64>,
    pub(super) failures: Failures,
    pub(super) verify: VerifyDesk,
    pub(super) marks: Marks,
    pub(super) enhance: EnhanceDesk,
    pub(super) tokenizers: Tokenizers,
    pub(super) review: ReviewDesk,
}

/// The parts of the door that have work behind them.
#[derive(Debug)]
pub struct Desks {
    pub verify: VerifyDesk,
    pub enhance: EnhanceDesk,
    pub review: ReviewDesk,
}

impl Services {
    /// `readiness` is kept by whoever starts the engine; see [`Readiness`].
    pub fn new(
        config: ApiConfig,
        store: Store,
        presets: Arc<Shelf>,
        storage: Storage,
        brand_mark: Option<Attachment>,
        readiness: Readiness,
        desks: Desks,
    ) -> Self {
        Self {
            generate_budget: Buckets::new(config.generate_per_minute, KEYS),
            marks: Marks::new(brand_mark),
            failures: Failures::new(config.free_auth_failures_per_minute),
            store,
            tokenizers: Tokenizers::new(presets.models_dir().to_owned()),
            presets,
            storage,
            config,
            readiness,
            review: desks.review,
            verify: desks.verify,
            enhance: desks.enhance,
        }
    }
}
