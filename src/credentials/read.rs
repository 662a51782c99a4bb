//! A stranger's picture, read within limits and without the network.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use c2pa::validation_results::{ValidationResults, ValidationState};
use c2pa::validation_status::ValidationStatus;
use c2pa::{Context, Reader};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::jumbf;
/// Largest report that is handed on, in bytes of JSON.
const MAX_REPORT_BYTES: usize = 4 << 20;
/// Most reasons, and longest one in characters: they quote what is in the file.
const MAX_REASONS: usize = 50;
const MAX_REASON_CHARS: usize = 300;
/// Stack of the thread that reads: chains of ingredients are followed by recursion.
const STACK_BYTES: usize = 32 << 20;
/// Content type of a manifest store by itself.
const MANIFEST_STORE: &str = "application/c2pa";

/// Whether a manifest holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum State {
    /// Whole, signed, and by somebody who is trusted here.
    Trusted,
    /// Whole and signed; by whom is not known here.
    Valid,
    /// Broken, changed, or signed by a certificate that cannot sign.
    Invalid,
}

/// What a picture says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct C2paReport {
    /// Whether there is a manifest at all.
    pub present: bool,
    pub state: Option<State>,
    /// Why it is not better than it is: C2PA's codes with an explanation, `assertion.dataHash.mismatch: …`.
    pub reasons: Vec<String>,
    /// Label of the active manifest, `urn:c2pa:…`.
    pub manifest_id: Option<String>,
    /// SHA-256 of the manifest store as it stands in the file.
    #[serde(skip)]
    pub store_sha256: Option<[u8; 32]>,
    /// The manifest store as JSON: `active_manifest`, `manifests`, `validation_results`.
    pub manifest: Option<Value>,
}

impl C2paReport {
    pub(crate) fn absent(reasons: Vec<String>) -> Self {
        Self { present: false, state: None, reasons, manifest_id: None, store_sha256: None, manifest: None }
    }

    fn broken(reason: &str) -> Self {
        let reasons = vec![shortened(reason)];
        let state = Some(State::Invalid);
        Self { present: true, state, reasons, manifest_id: None, store_sha256: None, manifest: None }
    }
}

/// Reads the manifest of a picture. `bytes` are of a size that the caller allows.
pub(super) fn picture(context: &Arc<Context>, bytes: &[u8], content_type: &str) -> C2paReport {
    if !begins_as(bytes, content_type) {
        return C2paReport::absent(vec![format!("this is no {content_type}")]);
    }
    guarded(|| match c2pa::jumbf_io::load_jumbf_from_memory(content_type, bytes) {
        Err(c2pa::Error::JumbfNotFound) => C2paReport::absent(Vec::new()),
        Err(error) => C2paReport::absent(vec![shortened(&format!("no manifest can be found: {error}"))]),
        Ok(store) => match jumbf::check(&store) {
            Err(reason) => C2paReport::broken(&reason),
            Ok(()) => read(context, content_type, bytes, &store),
        },
    })
}

/// Reads a manifest store by itself. Without the picture its hard binding cannot be checked, so `state` speaks of the
/// signature and the assertions only.
pub(super) fn store(context: &Arc<Context>, manifest: &[u8]) -> C2paReport {
    guarded(|| match jumbf::check(manifest) {
        Err(reason) => C2paReport::broken(&reason),
        Ok(()) => read(context, MANIFEST_STORE, manifest, manifest),
    })
}

/// On a thread of its own, with a deep stack; a panic in a parser ends there.
fn guarded(read: impl FnOnce() -> C2paReport + Send) -> C2paReport {
    let caught = thread::scope(|scope| {
        let spawned = thread::Builder::new()
            .name("c2pa-read".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(read)).ok());
        spawned.ok().and_then(|thread| thread.join().ok().flatten())
    });
    caught.unwrap_or_else(|| C2paReport::broken("the manifest cannot be read"))
}

/// Of a file with this manifest store.
fn read(context: &Arc<Context>, content_type: &str, bytes: &[u8], store: &[u8]) -> C2paReport {
    let reader = match Reader::from_shared_context(context).with_stream(content_type, Cursor::new(bytes)) {
        Ok(reader) => reader,
        Err(c2pa::Error::JumbfNotFound) => return C2paReport::absent(Vec::new()),
        Err(error) => return C2paReport::broken(&error.to_string()),
    };
    let state = match reader.validation_state() {
        ValidationState::Trusted => State::Trusted,
        ValidationState::Valid => State::Valid,
        ValidationState::Invalid => State::Invalid,
    };
    let mut reasons = reader.validation_results().map(reasons).unwrap_or_default();
    let json = reader.json();
    let manifest = (json.len() <= MAX_REPORT_BYTES).then(|| serde_json::from_str(&json).ok()).flatten();
    if manifest.is_none() {
        reasons.push("the manifest is too large to show".to_owned());
    }
    C2paReport {
        present: true,
        state: Some(state),
        reasons,
        manifest_id: reader.active_label().map(str::to_owned),
        store_sha256: Some(Sha256::digest(store).into()),
        manifest,
    }
}

/// Failures of the active manifest and of its ingredients, and what was wrong with a time-stamp.
fn reasons(results: &ValidationResults) -> Vec<String> {
    let deltas = results.ingredient_deltas().into_iter().flatten().map(|delta| delta.validation_deltas());
    let mut found = Vec::new();
    for codes in results.active_manifest().into_iter().chain(deltas) {
        let stamps = codes.informational().iter().filter(|status| status.code().starts_with("timeStamp."));
        for status in codes.failure().iter().chain(stamps) {
            let reason = reason(status);
            if found.len() < MAX_REASONS && !found.contains(&reason) {
                found.push(reason);
            }
        }
    }
    found
}

fn reason(status: &ValidationStatus) -> String {
    let text = match status.explanation() {
        Some(explanation) => format!("{}: {explanation}", status.code()),
        None => status.code().to_owned(),
    };
    shortened(&text)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}

/// The parser goes by the first bytes and knows many more formats; it gets only those that are meant.
fn begins_as(bytes: &[u8], content_type: &str) -> bool {
    match content_type {
        "image/jpeg" => bytes.starts_with(&[0xff, 0xd8, 0xff]),
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        "image/avif" => bytes.get(4..8) == Some(b"ftyp"),
        _ => false,
    }
}
