//! The tokenizers of the checkpoints, so that a prompt's windows can be counted without drawing it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;

use crate::diffusion::tokenizer::{TokenizerError, WindowCounter, Windows};
use crate::error::{ApiError, Code};
use crate::prompt::Composed;

/// Each is read when it is first asked for, and kept: there are no more of them than the presets name checkpoints.
#[derive(Debug, Clone)]
pub(super) struct Tokenizers {
    models_dir: PathBuf,
    by_checkpoint: Arc<Mutex<HashMap<String, Arc<WindowCounter>>>>,
}

impl Tokenizers {
    /// `models_dir` is where the checkpoints are.
    pub(super) fn new(models_dir: PathBuf) -> Self {
        Self { models_dir, by_checkpoint: Arc::default() }
    }

    /// What both prompts fill, by text encoder.
    ///
    /// # Errors
    /// 503 when a checkpoint's tokenizers cannot be read.
    pub(super) async fn count(
        &self,
        checkpoint: String,
        composed: Composed,
    ) -> Result<[Vec<Windows>; 2], ApiError> {
        let (own, name) = (self.clone(), checkpoint.clone());
        let counted = web::block(move || {
            let counter = own.of(&checkpoint)?;
            Ok([counter.count(&composed.positive)?, counter.count(&composed.negative)?])
        });
        let counted: Result<_, TokenizerError> = counted.await.map_err(|_| Code::Internal)?;
        counted.map_err(|error| {
            tracing::error!(%error, checkpoint = name, "a checkpoint's tokenizers cannot be read");
            Code::ModelUnavailable.into()
        })
    }

    /// Blocks.
    ///
    /// # Errors
    /// When the checkpoint's tokenizers cannot be read.
    pub(super) fn of(&self, checkpoint: &str) -> Result<Arc<WindowCounter>, TokenizerError> {
        let known = || self.by_checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known().get(checkpoint) {
            return Ok(Arc::clone(counter));
        }
        // Not under the lock: it takes a while, and reading one twice does no harm.
        let counter = Arc::new(WindowCounter::load(&self.models_dir.join(checkpoint))?);
        Ok(Arc::clone(known().entry(checkpoint.to_owned()).or_insert(counter)))
    }
}
