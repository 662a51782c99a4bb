//! The files of the checkpoints that were loaded, for whoever asks which weights draw.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::diffusion::FileDigest;

/// By [`weights_name`](crate::plan::weights_name), as they were when they were last tried.
#[derive(Debug, Default)]
pub struct Loaded(Mutex<BTreeMap<String, Vec<FileDigest>>>);

impl Loaded {
    /// `weights` were loaded from these.
    pub fn note(&self, weights: &str, files: Vec<FileDigest>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(weights.to_owned(), files);
    }

    /// What `weights` were loaded from; nothing where they never were.
    pub fn files(&self, weights: &str) -> Vec<FileDigest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(weights).cloned().unwrap_or_default()
    }
}
