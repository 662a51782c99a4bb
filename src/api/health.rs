//! `/healthz` says that the process answers; `/readyz` that a job would be drawn and delivered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use super::Services;
use crate::error::{ApiError, Code};

type Parts = BTreeMap<&'static str, Result<(), String>>;

/// Parts that others look after, such as the engine, and how they are. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    parts: Arc<Mutex<Parts>>,
    /// Serialises probes, so that many askers cost one.
    probed: Arc<tokio::sync::Mutex<Option<(Instant, Parts)>>>,
}

impl Readiness {
    /// Says how a part is. A part that is expected should be set to an error before it is there.
    pub fn set(&self, part: &'static str, state: Result<(), String>) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    fn told(&self) -> Parts {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({"status": "ok"}))
}

/// 200 when all parts are well, else 503 that names those that are not. The reasons go to the log: this page
/// needs no key.
pub(super) async fn ready(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let mut parts = services.readiness.told();
    parts.extend(probe(&services).await);
    let mut failing = Vec::new();
    for (part, state) in &parts {
        if let Err(reason) = state {
            tracing::warn!(part, reason, "not ready");
            failing.push(*part);
        }
    }
    if failing.is_empty() {
        let parts: Vec<_> = parts.keys().collect();
        let mut body = json!({"status": "ready", "parts": parts});
        // Everything works, with what was good before.
        if services.presets.is_stale() {
            body["stale"] = json!(["presets"]);
        }
        return Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(body));
    }
    Err(ApiError::new(Code::Unavailable)
        .with("not_ready", failing)
        .retry_after_s(services.config.ready_cache_s))
}

/// Database and object store, asked at most every few seconds however many ask here.
async fn probe(services: &Services) -> Parts {
    let mut probed = services.readiness.probed.lock().await;
    if let Some((when, parts)) = &*probed
        && when.elapsed() < Duration::from_secs(services.config.ready_cache_s)
    {
        return parts.clone();
    }
    // A round trip to the one thread that writes.
    let database = services.store.list_keys().await.map(drop).map_err(|error| error.to_string());
    let object_store = services.storage.probe().await.map_err(|error| error.to_string());
    let parts = Parts::from([("database", database), ("object_store", object_store)]);
    *probed = Some((Instant::now(), parts.clone()));
    parts
}
