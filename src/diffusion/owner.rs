//! What lives on the owner thread: the device and the checkpoints that are resident on it.

use std::path::Path;
use std::time::{Duration, Instant};

use tch::Device;

use super::checkpoint::{Checkpoint, Digests, ModelFiles};
use super::config::DiffusionConfig;
use super::device::Placement;
use super::drawing::Drawing;
use super::engine::ModelInfo;
use super::error::DiffusionError;
use super::lora::LoraShelf;
use super::memory;
use super::pipeline::StableDiffusionXLPipeline;
use super::render::Timings;
use super::residents::Residents;
use super::shim::InferenceMode;

/// Holds every weight of a device. Never leaves its thread.
#[derive(Debug)]
pub(super) struct Owner {
    placement: Placement,
    /// How many pictures may be denoised as one batch.
    most_together: usize,
    residents: Residents<ModelFiles, StableDiffusionXLPipeline>,
    /// What checkpoints may take together.
    budget_bytes: u64,
    /// After it what was not used is dropped; `None` is never.
    idle: Option<Duration>,
    digests: Digests,
    lora_shelf: LoraShelf,
    /// No gradients, no version counters, for as long as the thread runs. Dropped after the weights.
    _inference_mode: InferenceMode,
}

impl Owner {
    /// Call it on the thread that will own the weights.
    pub(super) fn new(config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        let placement = Placement::settle(config)?;
        let budget_bytes = budget_bytes(config, placement);
        let guard = InferenceMode::enter().map_err(|error| DiffusionError::Device(error.to_string()))?;
        tracing::info!(device = %placement, dtype = placement.dtype(), "engine started");
        Ok(Self {
            placement,
            most_together: if placement.is_deterministic(config) { 1 } else { config.batch },
            residents: Residents::new(config.resident_checkpoints, budget_bytes),
            budget_bytes,
            idle: (config.idle_unload_s > 0).then(|| Duration::from_secs(config.idle_unload_s)),
            digests: Digests::default(),
            lora_shelf: LoraShelf::default(),
            _inference_mode: guard,
        })
    }

    pub(super) fn most_together(&self) -> usize {
        self.most_together
    }

    /// Draws pictures that are alike, and loads their checkpoint first if need be.
    ///
    /// # Errors
    /// As [`StableDiffusionXLPipeline::draw`].
    pub(super) fn draw(&mut self, drawings: &mut [Drawing]) -> Result<(), DiffusionError> {
        // Who wants none any more waits for no checkpoint. The others' turn comes with their batch.
        let begun = drawings.iter_mut().find_map(|drawing| drawing.begins().then(|| drawing.options.clone()));
        let Some(options) = begun else { return Ok(()) };
        let mut start = Instant::now();
        let mut lap_ms = || {
            let before = std::mem::replace(&mut start, Instant::now());
            (start - before).as_secs_f64() * 1e3
        };
        // Before the checkpoint is loaded, which takes far longer than to find a file unfit.
        let loras = self.lora_shelf.open(&options.loras)?;
        let read_ms = lap_ms();
        let pipeline = self.checkpoint(ModelFiles::find(&options.model_dir, options.vae.as_deref())?)?;
        let load_ms = lap_ms();
        pipeline.set_loras(&loras)?;
        let lora_ms = read_ms + lap_ms();
        pipeline.draw(drawings, &Timings { load_ms, lora_ms, ..Timings::default() })
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
        let digests = &self.digests;
        let changed = |resident: &StableDiffusionXLPipeline| {
            Ok::<_, DiffusionError>(resident.weights_sha256() != files.sha256(digests)?)
        };
        self.residents.drop_if(&files, changed)?;
        let digests = self.digests.of_model(&files)?;
        let pipeline = self.checkpoint(files)?;
        Ok(ModelInfo {
            vae_scale_factor_px: pipeline.vae_scale_factor(),
            parameters: pipeline.parameters(),
            files: digests,
            device: placement.to_string(),
            dtype: placement.dtype().to_owned(),
        })
    }

    /// Drops the checkpoints that were not used for long; answers when to look again.
    pub(super) fn drop_idle(&mut self) -> Option<Instant> {
        let idle = self.idle?;
        let dropped = self.residents.drop_idle(Instant::now(), idle);
        if dropped > 0 {
            tracing::info!(checkpoints = dropped, "left memory, unused");
        }
        self.residents.next_idle(idle)
    }

    /// The checkpoint of `files`, from memory or the disk.
    fn checkpoint(&mut self, files: ModelFiles) -> Result<&mut StableDiffusionXLPipeline, DiffusionError> {
        let (digests, placement, budget_bytes) = (&self.digests, self.placement, self.budget_bytes);
        let size =
            |files: &ModelFiles| Ok::<_, DiffusionError>(Checkpoint::open(files)?.bytes(placement.kind)?);
        let needs = |files: &ModelFiles| {
            size(files).map(|bytes| if placement.packs(bytes, budget_bytes) { bytes * 2 } else { bytes })
        };
        let load = |files: &ModelFiles| {
            let packs = placement.packs(size(files)?, budget_bytes);
            let pipeline = StableDiffusionXLPipeline::load(files, digests, placement, packs)?;
            let (checkpoint, parameters) = (files.checkpoint.display(), pipeline.parameters());
            tracing::info!(%checkpoint, parameters, "loaded");
            Ok(pipeline)
        };
        self.residents.get_or_load(files, Instant::now(), needs, load)
    }
}

/// What checkpoints may take together.
fn budget_bytes(config: &DiffusionConfig, placement: Placement) -> u64 {
    match config.memory_budget_mb {
        0 if placement.device == Device::Cpu => memory::total_bytes().map_or(u64::MAX, |total| total / 2),
        0 => u64::MAX,
        mebibytes => mebibytes.saturating_mul(1 << 20),
    }
}
