//! The store, tried on real files.

mod attachments;
mod crash;
mod folder;
mod keys;
mod last_draws;
mod ledger;
mod records;
mod submit;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::plan::{Format, PLAN_VERSION, Plan};

pub(crate) fn plan(seed: u32) -> Plan {
    serde_json::from_value(json!({
        "plan_version": PLAN_VERSION,
        "gen_id": ids::gen_id(ids::os_random().unwrap()),
        "prompt": "@aya by the sea, -rain",
        "approved": {"positive": "photo of aya, by the sea", "negative": "rain"},
        "character": "aya", "model": "eros", "style": "professional", "checkpoint": "starter",
        "size": {"width_px": 64, "height_px": 64},
        "sampling": {"sampler": "EulerDiscreteScheduler", "num_inference_steps": 4, "guidance_scale": 7.3,
                     "seed": seed, "num_images": 2},
        "output": {"format": "png", "quality": 95, "lossless": false},
        "watermark": {"position": "bottom-right", "scale_percent": 5, "opacity_percent": 100,
                      "rotation_degrees": 0, "padding_x_px": 10, "padding_y_px": 10},
        "credentials": {"author": "", "title": "", "description": "", "organization": "", "vendor": ""},
        "optimized": false, "warnings": [], "metadata": null
    }))
    .unwrap()
}

pub(crate) fn config(folder: &Path) -> StoreConfig {
    StoreConfig { data_dir: folder.to_owned(), ..StoreConfig::default() }
}

/// An open store with one key.
pub(crate) async fn open(config: &StoreConfig) -> (Store, i64) {
    let store = Store::open(config).unwrap();
    let key = store.ensure_key("test", "a token for tests").await.unwrap();
    (store, key)
}

pub(crate) fn new_job(key_id: i64) -> NewJob {
    NewJob {
        id: ids::job_id(ids::os_random().unwrap()),
        key_id,
        verdict: Verdict::Accepted(plan(7)),
        attachment: None,
        idempotency: None,
        evidence: Vec::new(),
    }
}

const LEASE: Duration = Duration::from_secs(30);

/// Worker calls block, so they run beside the test's event loop.
async fn blocking<T: Send + 'static>(store: &Store, work: impl FnOnce(Store) -> T + Send + 'static) -> T {
    let store = store.clone();
    tokio::task::spawn_blocking(move || work(store)).await.unwrap()
}

async fn claim(store: &Store) -> Claimed {
    blocking(store, |store| store.claim("worker", LEASE).unwrap().expect("a job waits")).await
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within 10 s: {what}");
}

/// A clock that the test sets.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let read = now.clone();
    (Arc::new(move || read.load(Ordering::SeqCst)), now)
}

fn result() -> JobResult {
    let picture = Picture {
        seed: 7,
        fingerprint: "0f".repeat(32),
        fingerprint_quality: 100,
        picture_key: "a_b_00001.png".to_owned(),
        thumbnail_key: "a_b_00001_thumb.png".to_owned(),
        marked: true,
        signed: true,
    };
    JobResult { pictures: vec![picture], flags: Vec::new() }
}

fn traced(records: Vec<NewRecord>) -> Trace {
    Trace { records, ..Trace::default() }
}

fn blocked_receipt() -> Receipt {
    Receipt {
        gen_id: ids::gen_id(ids::os_random().unwrap()),
        prompt: "words that are not drawn".to_owned(),
        model: "eros".to_owned(),
        format: Format::Jpeg,
        seed: 1,
        warnings: Vec::new(),
    }
}

impl Store {
    /// Keeps every writer out until dropped, as another process in a long transaction would.
    pub(crate) fn lock_out_writers(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.inner.config.database()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }
}
