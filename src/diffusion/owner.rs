//! What lives on the owner thread: the device and the checkpoints that are resident on it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::checkpoint::CheckpointError;
use super::config::DiffusionConfig;
use super::device::Placement;
use super::engine::ModelInfo;
use super::error::DiffusionError;
use super::lora::LoraShelf;
use super::pipeline::StableDiffusionXLPipeline;
use super::render::{RenderOptions, Rendered};
use super::shim::InferenceMode;

/// Holds every weight of a device. Never leaves its thread.
#[derive(Debug)]
pub(super) struct Owner {
    placement: Placement,
    /// By folder, the one used last at the end.
    resident: Vec<(PathBuf, StableDiffusionXLPipeline)>,
    most_resident: usize,
    lora_shelf: LoraShelf,
    /// No gradients, no version counters, for as long as the thread runs. Dropped after the weights.
    _inference_mode: InferenceMode,
}

impl Owner {
    /// Call it on the thread that will own the weights.
    pub(super) fn new(config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        let placement = Placement::settle(config)?;
        let guard = InferenceMode::enter().map_err(|error| DiffusionError::Device(error.to_string()))?;
        tracing::info!(device = %placement, dtype = placement.dtype(), "engine started");
        Ok(Self {
            placement,
            resident: Vec::new(),
            most_resident: config.resident_checkpoints.max(1),
            lora_shelf: LoraShelf::default(),
            _inference_mode: guard,
        })
    }

    /// Draws one picture, and loads its checkpoint first if need be.
    pub(super) fn draw(
        &mut self,
        options: &RenderOptions,
        progress: &mut dyn FnMut(u32, u32) -> bool,
    ) -> Result<Rendered, DiffusionError> {
        let mut start = Instant::now();
        let mut lap_ms = || {
            let before = std::mem::replace(&mut start, Instant::now());
            (start - before).as_secs_f64() * 1e3
        };
        // Before the checkpoint is loaded, which takes far longer than to find a file unfit.
        let loras = self.lora_shelf.open(&options.loras)?;
        let read_ms = lap_ms();
        let pipeline = self.checkpoint(&options.model_dir)?;
        let load_ms = lap_ms();
        pipeline.set_loras(&loras)?;
        let lora_ms = read_ms + lap_ms();
        let mut rendered = pipeline.draw(options, progress)?;
        rendered.timings.load_ms = load_ms;
        rendered.timings.lora_ms = lora_ms;
        rendered.timings.total_ms += load_ms + lora_ms;
        Ok(rendered)
    }

    /// Loads and checks a checkpoint.
    pub(super) fn probe(&mut self, model_dir: &Path) -> Result<ModelInfo, DiffusionError> {
        let placement = self.placement;
        let pipeline = self.checkpoint(model_dir)?;
        Ok(ModelInfo {
            vae_scale_factor_px: pipeline.vae_scale_factor(),
            parameters: pipeline.parameters(),
            device: placement.to_string(),
            dtype: placement.dtype().to_owned(),
        })
    }

    /// The resident checkpoint of `model_dir`; the one unused for longest makes room for a new one before it is
    /// loaded, so that both are never in memory for one's sake.
    fn checkpoint(&mut self, model_dir: &Path) -> Result<&mut StableDiffusionXLPipeline, DiffusionError> {
        let folder = model_dir.canonicalize().map_err(|error| CheckpointError::file(model_dir, error))?;
        let entry = match self.resident.iter().position(|(path, _)| *path == folder) {
            Some(place) => self.resident.remove(place),
            None => {
                let surplus = (self.resident.len() + 1).saturating_sub(self.most_resident);
                self.resident.drain(..surplus);
                let pipeline = StableDiffusionXLPipeline::load(&folder, self.placement)?;
                tracing::info!(checkpoint = %folder.display(), parameters = pipeline.parameters(), "loaded");
                (folder, pipeline)
            }
        };
        self.resident.push(entry);
        let last = self.resident.len() - 1;
        Ok(&mut self.resident[last].1)
    }
}
