//! The one thread that owns the weights of a device, and the handle by which everyone else asks it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use super::checkpoint::FileDigest;
use super::config::DiffusionConfig;
use super::error::DiffusionError;
use super::lora::LoraChoice;
use super::owner::Owner;
use super::render::{RenderOptions, Rendered};
use crate::compliance::ApprovedPrompt;
use crate::plan::{SamplerKind, Size};

/// One picture, as the engine gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderSpec {
    /// The checkpoint: a folder in diffusers' layout, or a `.safetensors` file in the original one.
    pub model_dir: PathBuf,
    /// In place of the checkpoint's own VAE: a file of one, in either layout, or a folder in diffusers'.
    pub vae: Option<PathBuf>,
    pub prompt: ApprovedPrompt,
    pub size: Size,
    pub sampler: SamplerKind,
    /// At least 1.
    pub num_inference_steps: u32,
    /// Classifier-free guidance is off at 1 and below, as in diffusers.
    pub guidance_scale: f64,
    /// diffusers' `guidance_rescale`, from 0, which is off, to 1.
    pub guidance_rescale: f64,
    /// Layers of the text encoders left out before the last but one, which SDXL takes: diffusers' `clip_skip`, where 0
    /// is none. A1111's and ComfyUI's numbers are 2 higher.
    pub clip_skip: u32,
    pub seed: u32,
    /// Merged into the networks for this picture; their order does not matter.
    pub loras: Vec<LoraChoice>,
}

impl From<RenderSpec> for RenderOptions {
    fn from(spec: RenderSpec) -> Self {
        Self {
            model_dir: spec.model_dir,
            vae: spec.vae,
            prompt: spec.prompt,
            size: spec.size,
            sampler: spec.sampler,
            num_inference_steps: spec.num_inference_steps,
            guidance_scale: spec.guidance_scale,
            guidance_rescale: spec.guidance_rescale,
            clip_skip: spec.clip_skip,
            seed: spec.seed,
            loras: spec.loras,
            initial_latents: None,
            dump_latents: None,
        }
    }
}

/// What a checkpoint says about itself once it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Pixels along one side of one latent cell; width and height must be multiples of it.
    pub vae_scale_factor_px: u32,
    /// Numbers in the UNet, the text encoders and the decoder.
    pub parameters: u64,
    /// What its weights were read from; a VAE from elsewhere is last.
    pub files: Vec<FileDigest>,
    /// The device it was loaded on, such as `cpu` or `cuda:0`.
    pub device: String,
    /// `f32`, `bf16` or `f16`.
    pub dtype: String,
}

/// Called after each step with (steps done, steps in all); false cancels the picture.
pub type Progress = Box<dyn FnMut(u32, u32) -> bool + Send>;

/// A handle to the owner thread; clones share the thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Engine {
    orders: SyncSender<Order>,
}

/// Runs on the owner thread with its weights; replies through what it captured.
type Order = Box<dyn FnOnce(&mut Owner) + Send>;

impl Engine {
    /// Finds the device and starts its owner thread. No checkpoint is loaded yet.
    ///
    /// # Errors
    /// [`DiffusionError::Device`] if the device or number format cannot be had here.
    pub fn start(config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        let (orders, inbox) = sync_channel(config.queue_depth);
        let (ready, started) = sync_channel(1);
        let config = config.clone();
        thread::Builder::new()
            .name("diffusion".into())
            .spawn(move || run(&config, &inbox, &ready))
            .map_err(|error| DiffusionError::Device(format!("no thread for the engine: {error}")))?;
        started.recv().map_err(|_| DiffusionError::Stopped)??;
        Ok(Self { orders })
    }

    /// Draws one picture, and loads its checkpoint first if it is not resident. Blocks: call it from a plain
    /// worker thread.
    ///
    /// # Errors
    /// See [`DiffusionError`]; a panic under the job is returned as an error and leaves the engine usable.
    pub fn render(&self, spec: RenderSpec, progress: Progress) -> Result<Rendered, DiffusionError> {
        self.draw(spec.into(), progress)
    }

    /// [`Self::render`] with what the command line and the tests ask beside: latents in and out.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn draw(&self, options: RenderOptions, mut progress: Progress) -> Result<Rendered, DiffusionError> {
        self.ask(move |owner| owner.draw(&options, &mut *progress))
    }

    /// Loads and checks a checkpoint, with a VAE from elsewhere or its own, and keeps it resident. Files that changed
    /// since they were hashed are taken as they are now. Blocks.
    ///
    /// # Errors
    /// [`DiffusionError::Checkpoint`] names the file, field or tensor at fault.
    pub fn probe(&self, model_dir: &Path, vae: Option<&Path>) -> Result<ModelInfo, DiffusionError> {
        let (model_dir, vae) = (model_dir.to_owned(), vae.map(Path::to_owned));
        self.ask(move |owner| owner.probe(&model_dir, vae.as_deref()))
    }

    /// Runs `work` on the owner thread under a net, and waits for what it gives.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Owner) -> Result<T, DiffusionError> + Send + 'static,
    ) -> Result<T, DiffusionError> {
        let (reply, answer) = sync_channel(1);
        let order: Order = Box::new(move |owner| {
            let done = catch_unwind(AssertUnwindSafe(|| work(owner)))
                .unwrap_or_else(|panic| Err(DiffusionError::Panicked(panic_text(&*panic))));
            // A caller that no longer listens has no use for the answer.
            drop(reply.send(done));
        });
        self.orders.send(order).map_err(|_| DiffusionError::Stopped)?;
        answer.recv().map_err(|_| DiffusionError::Stopped)?
    }
}

fn run(config: &DiffusionConfig, inbox: &Receiver<Order>, ready: &SyncSender<Result<(), DiffusionError>>) {
    let mut owner = match Owner::new(config) {
        Ok(owner) => owner,
        Err(error) => {
            drop(ready.send(Err(error)));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    while let Some(order) = next(inbox, &mut owner) {
        order(&mut owner);
    }
}

/// Waits for the next order, and lets go of what is idle meanwhile. `None` when no handle is left.
fn next(inbox: &Receiver<Order>, owner: &mut Owner) -> Option<Order> {
    loop {
        let Some(until) = owner.drop_idle() else { return inbox.recv().ok() };
        match inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(order) => return Some(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// The words of a panic, without the backtrace libtorch appends to its own.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    text.split("Exception raised from").next().unwrap_or(text).trim().to_owned()
}
