//! What lives on the owner thread: the device and the checkpoints that are resident on it.

use std::path::Path;
use std::time::Instant;

use super::checkpoint::{Digests, ModelFiles};
use super::config::DiffusionConfig;
use super::device::Placement;
use super::engine::ModelInfo;
use super::error::DiffusionError;
use super::pipeline::StableDiffusionXLPipeline;
use super::render::{RenderOptions, Rendered};
use super::shim::InferenceMode;

/// Holds every weight of a device. Never leaves its thread.
#[derive(Debug)]
pub(super) struct Owner {
    placement: Placement,
    /// By its files, the one used last at the end.
    resident: Vec<(ModelFiles, StableDiffusionXLPipeline)>,
    most_resident: usize,
    digests: Digests,
    /// No gradients, no version counters, for as long as the thread runs. Dropped after the weights.
    _inference_mode: InferenceMode,
}

impl Owner {
    /// Call it on the thread that will own the weights.
    pub(super) fn new(config: &DiffusionConfig, digests: Digests) -> Result<Self, DiffusionError> {
        let placement = Placement::settle(config)?;
        let guard = InferenceMode::enter().map_err(|error| DiffusionError::Device(error.to_string()))?;
        tracing::info!(device = %placement, dtype = placement.dtype(), "engine started");
        Ok(Self {
            placement,
            resident: Vec::new(),
            most_resident: config.resident_checkpoints.max(1),
            digests,
            _inference_mode: guard,
        })
    }

    /// Draws one picture, and loads its checkpoint first if need be.
    pub(super) fn draw(
        &mut self,
        options: &RenderOptions,
        progress: &mut dyn FnMut(u32, u32) -> bool,
    ) -> Result<Rendered, DiffusionError> {
        let start = Instant::now();
        let files = ModelFiles::find(&options.model_dir, options.vae.as_deref())?;
        let pipeline = self.checkpoint(files)?;
        let load_ms = start.elapsed().as_secs_f64() * 1e3;
        let mut rendered = pipeline.draw(options, progress)?;
        rendered.timings.load_ms = load_ms;
        rendered.timings.total_ms += load_ms;
        Ok(rendered)
    }

    /// Loads and checks a checkpoint, anew if its files are others than those that are resident.
    pub(super) fn probe(
        &mut self,
        model_dir: &Path,
        vae: Option<&Path>,
    ) -> Result<ModelInfo, DiffusionError> {
        let placement = self.placement;
        let files = ModelFiles::find(model_dir, vae)?;
        self.digests.forget(&files);
        if let Some(place) = self.resident.iter().position(|(resident, _)| *resident == files)
            && self.resident[place].1.weights_sha256() != files.sha256(&self.digests)?
        {
            self.resident.remove(place);
        }
        let pipeline = self.checkpoint(files)?;
        Ok(ModelInfo {
            vae_scale_factor_px: pipeline.vae_scale_factor(),
            parameters: pipeline.parameters(),
            device: placement.to_string(),
            dtype: placement.dtype().to_owned(),
        })
    }

    /// The resident checkpoint of `files`; the one unused for longest makes room for a new one before it is
    /// loaded, so that both are never in memory for one's sake.
    fn checkpoint(&mut self, files: ModelFiles) -> Result<&StableDiffusionXLPipeline, DiffusionError> {
        let entry = match self.resident.iter().position(|(resident, _)| *resident == files) {
            Some(place) => self.resident.remove(place),
            None => {
                let surplus = (self.resident.len() + 1).saturating_sub(self.most_resident);
                self.resident.drain(..surplus);
                let pipeline = StableDiffusionXLPipeline::load(&files, &self.digests, self.placement)?;
                let (checkpoint, parameters) = (files.checkpoint.display(), pipeline.parameters());
                tracing::info!(%checkpoint, parameters, "loaded");
                (files, pipeline)
            }
        };
        self.resident.push(entry);
        let last = self.resident.len() - 1;
        Ok(&self.resident[last].1)
    }
}
