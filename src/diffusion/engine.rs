//! The one thread that owns the weights of a device, and the handle by which everyone else asks it.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use super::checkpoint::FileDigest;
use super::config::DiffusionConfig;
use super::drawing::{Drawing, Drawn};
use super::error::DiffusionError;
use super::lora::LoraChoice;
use super::owner::Owner;
use super::render::{RenderOptions, Rendered};
use super::together::Together;
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

/// Called when it is the picture's turn and after each step, with (steps done, steps in all); false cancels the picture.
pub type Progress = Box<dyn FnMut(u32, u32) -> bool + Send>;

/// A picture, and who is told of its steps.
pub struct Wanted {
    pub spec: RenderSpec,
    pub progress: Progress,
    /// Never in one batch with others: they would fall with it.
    pub alone: bool,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// A handle to the owner thread; clones share the thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Engine {
    orders: SyncSender<Order>,
    most_together: usize,
}

/// What the owner thread is asked.
enum Order {
    /// What one caller wants at once.
    Draw(Vec<Drawing>),
    Run(Work),
}

/// Runs with the weights; replies through what it captured.
type Work = Box<dyn FnOnce(&mut Owner) + Send>;

/// What waits on the owner thread, one by one.
enum Waiting {
    Drawing(Box<Drawing>),
    Work(Work),
}

impl Engine {
    /// Finds the device and starts its owner thread. No checkpoint is loaded yet.
    ///
    /// # Errors
    /// [`DiffusionError::Device`] if the device or number format cannot be had here.
    pub fn start(config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        let (orders, inbox) = sync_channel(config.queue_depth.max(config.batch));
        let (ready, started) = sync_channel(1);
        let config = config.clone();
        thread::Builder::new()
            .name("diffusion".into())
            .spawn(move || run(&config, &inbox, &ready))
            .map_err(|error| DiffusionError::Device(format!("no thread for the engine: {error}")))?;
        let most_together = started.recv().map_err(|_| DiffusionError::Stopped)??;
        Ok(Self { orders, most_together })
    }

    /// How many pictures are denoised as one batch, where as many that are alike wait. 1 where none may depend on those
    /// beside it.
    pub fn most_together(&self) -> usize {
        self.most_together
    }

    /// Draws pictures, each as if it were asked alone, and loads checkpoints that are not resident. Those that are alike in
    /// all but prompt and seed are drawn together, also with what other callers wait for. Blocks: call it from a plain worker
    /// thread.
    ///
    /// # Errors
    /// The first of the pictures', see [`DiffusionError`]; a panic under one is returned as an error and leaves the engine
    /// usable.
    pub fn render(&self, wanted: Vec<Wanted>) -> Result<Vec<Rendered>, DiffusionError> {
        // Once one has failed nobody waits for the others.
        let failed = Arc::new(AtomicBool::new(false));
        let ask = |Wanted { spec, mut progress, alone }: Wanted| {
            let failed = failed.clone();
            let still = move |step, steps| !failed.load(Ordering::Relaxed) && progress(step, steps);
            asked(spec.into(), Box::new(still), alone)
        };
        let (drawings, answers): (Vec<_>, Vec<_>) = wanted.into_iter().map(ask).unzip();
        self.orders.send(Order::Draw(drawings)).map_err(|_| DiffusionError::Stopped)?;
        let mut first_error = None;
        let mut rendered = Vec::new();
        for answer in answers {
            match answer.recv().unwrap_or(Err(DiffusionError::Stopped)) {
                Ok(picture) => rendered.push(picture),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(rendered), Err)
    }

    /// Draws one picture, with what the command line and the tests ask beside a [`RenderSpec`]: latents in and out.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn draw(&self, options: RenderOptions, progress: Progress) -> Result<Rendered, DiffusionError> {
        let (drawing, answer) = asked(options, progress, false);
        self.orders.send(Order::Draw(vec![drawing])).map_err(|_| DiffusionError::Stopped)?;
        answer.recv().map_err(|_| DiffusionError::Stopped)?
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
        let order = Order::Run(Box::new(move |owner| {
            // A caller that no longer listens has no use for the answer.
            drop(reply.send(under_net(|| work(owner))));
        }));
        self.orders.send(order).map_err(|_| DiffusionError::Stopped)?;
        answer.recv().map_err(|_| DiffusionError::Stopped)?
    }
}

/// A picture on its way to the owner thread, and where its answer comes.
fn asked(options: RenderOptions, progress: Progress, alone: bool) -> (Drawing, Receiver<Drawn>) {
    let (reply, answer) = sync_channel(1);
    (Drawing::new(options, progress, alone, reply), answer)
}

fn run(config: &DiffusionConfig, inbox: &Receiver<Order>, ready: &SyncSender<Result<usize, DiffusionError>>) {
    let mut owner = match Owner::new(config) {
        Ok(owner) => owner,
        Err(error) => {
            drop(ready.send(Err(error)));
            return;
        }
    };
    let mut together = Together::new(owner.most_together());
    if ready.send(Ok(together.most())).is_err() {
        return;
    }
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match next(inbox, &mut owner) {
                Some(order) => waiting.extend(one_by_one(order)),
                None => return,
            }
        }
        while waiting.len() < together.most()
            && let Ok(order) = inbox.try_recv()
        {
            waiting.extend(one_by_one(order));
        }
        match waiting.pop_front() {
            None => {}
            Some(Waiting::Work(work)) => work(&mut owner),
            Some(Waiting::Drawing(first)) => {
                let alike = with_alike(*first, &mut waiting, together.most());
                let pictures = alike.len();
                if let Some(well) = draw(&mut owner, alike) {
                    together.went(pictures, well);
                }
            }
        }
    }
}

fn one_by_one(order: Order) -> Vec<Waiting> {
    match order {
        Order::Run(work) => vec![Waiting::Work(work)],
        Order::Draw(drawings) => {
            drawings.into_iter().map(|drawing| Waiting::Drawing(Box::new(drawing))).collect()
        }
    }
}

/// What can be drawn with `first`, out of what waits. The rest keeps its order; nothing overtakes work.
fn with_alike(first: Drawing, waiting: &mut VecDeque<Waiting>, most: usize) -> Vec<Drawing> {
    let mut together = vec![first];
    let (mut rest, mut closed) = (VecDeque::new(), false);
    for item in waiting.drain(..) {
        match item {
            Waiting::Drawing(drawing)
                if !closed && together.len() < most && drawing.is_alike(&together[0]) =>
            {
                together.push(*drawing);
            }
            other => {
                closed |= matches!(other, Waiting::Work(_));
                rest.push_back(other);
            }
        }
    }
    *waiting = rest;
    together
}

/// Draws what is alike. What fails together, as for want of memory, is tried again one by one. Whether all were drawn as one; `None`
/// where that is no question of how many they are: the first of them cannot be drawn alone either.
fn draw(owner: &mut Owner, drawings: Vec<Drawing>) -> Option<bool> {
    let mut drawings = match <[Drawing; 1]>::try_from(drawings) {
        Ok([drawing]) => return draw_alone(owner, drawing).then_some(true),
        Err(several) => several,
    };
    let Err(error) = under_net(|| owner.draw(&mut drawings)) else { return Some(true) };
    tracing::warn!(%error, pictures = drawings.len(), "not drawn together; each is drawn alone");
    let open = drawings.into_iter().filter(Drawing::is_open);
    let drawn: Vec<bool> = open.map(|drawing| draw_alone(owner, drawing)).collect();
    (error.is_transient() && drawn.first() == Some(&true)).then_some(false)
}

/// Whether there is a picture in the end.
fn draw_alone(owner: &mut Owner, mut drawing: Drawing) -> bool {
    drawing.starts_over();
    let mut drawings = [drawing];
    let drawn = under_net(|| owner.draw(&mut drawings));
    let [drawing] = &mut drawings;
    drawn.map_err(|error| drawing.answer(Err(error))).is_ok()
}

/// A panic in `work` becomes an error.
fn under_net<T>(work: impl FnOnce() -> Result<T, DiffusionError>) -> Result<T, DiffusionError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(DiffusionError::Panicked(panic_text(&*panic))))
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
