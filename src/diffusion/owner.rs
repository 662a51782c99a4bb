//! What lives on the owner thread: the device and the checkpoints that are resident on it.

use std::path::Path;

use image::RgbImage;

use super::checkpoint::CheckpointError;
use super::config::DiffusionConfig;
use super::engine::{ModelInfo, RenderSpec};
use super::error::DiffusionError;

/// Holds every weight of a device. Never leaves its thread.
pub(super) struct Owner {}

impl Owner {
    pub(super) fn new(_config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        Ok(Self {})
    }

    pub(super) fn render(
        &mut self,
        spec: &RenderSpec,
        _progress: &mut dyn FnMut(u32, u32) -> bool,
    ) -> Result<RgbImage, DiffusionError> {
        Err(CheckpointError::file(&spec.model_dir, "networks are not in this build").into())
    }

    pub(super) fn probe(&mut self, model_dir: &Path) -> Result<ModelInfo, DiffusionError> {
        Err(CheckpointError::file(model_dir, "networks are not in this build").into())
    }
}
