//! The kitchen's half of the story: a plan becomes pictures in the object store.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::Value;

use super::control::Control;
use super::deliver::deliver;
use super::ending::{CookError, Cooked};
use super::inspect::{Look, inspect};
use super::recipe::Recipe;
use super::records::{provenance, record};
use super::worker::Cook;
use crate::credentials::Credentials;
use crate::diffusion::{DiffusionError, Engine, LoraChoice, Progress, RenderSpec, Rendered, Wanted};
use crate::finish::invisible_mark::InvisibleMark;
use crate::finish::{Artwork, AvifEncoder, FinishError, Finished, Task, Tools, finish};
use crate::plan::{Plan, PlannedLora, weights_name};
use crate::presets::{Shelf, lora_file};
use crate::storage::{KeyError, ObjectKey, Storage, StorageError};
use crate::store::{
    Blocked, JobResult, NewRecord, Picture, Store, StoreError, Trace, ids, panic_text, record_id,
};

/// Takes pictures, and gives as many.
pub type Render = Box<dyn Fn(Vec<Wanted>) -> Result<Vec<Rendered>, DiffusionError> + Send>;

/// Takes name, bytes and content type.
pub type PutObject = Box<dyn Fn(&ObjectKey, Bytes, &str) -> Result<(), StorageError> + Send>;

/// Takes [`weights_name`], and why.
pub(super) type NoteUnavailable = Box<dyn Fn(&str, &str) + Send>;

/// Takes the name that a plan has.
pub(super) type Attached = Box<dyn Fn(&str) -> Result<Option<Vec<u8>>, StoreError> + Send>;

/// What a job is made with. The steps that leave the room are functions, so that a test can let them fail.
pub struct Kitchen {
    /// Where checkpoints lie; a plan names one below it.
    pub models_dir: PathBuf,
    /// Where LoRA files lie, under their registered names.
    pub loras_dir: PathBuf,
    /// [`Engine::render`].
    pub render: Render,
    /// [`Engine::most_together`]: how many pictures of a job are asked for at once.
    pub most_together: usize,
    /// [`Storage::put`], waited for.
    pub put: PutObject,
    /// [`Store::attachment`].
    pub attached: Attached,
    /// [`Reviewer::picture`](crate::compliance::Reviewer::picture).
    pub look: Look,
    /// [`Unavailable::note`](crate::presets::Unavailable::note): that a checkpoint could not be loaded, and why.
    pub unavailable: NoteUnavailable,
    pub workshop: Workshop,
}

/// What pictures are finished with.
#[derive(Debug, Clone)]
pub struct Workshop {
    pub mark: Arc<dyn InvisibleMark>,
    pub credentials: Credentials,
    pub avif: AvifEncoder,
}

impl std::fmt::Debug for Kitchen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kitchen").field("models_dir", &self.models_dir).finish_non_exhaustive()
    }
}

impl Kitchen {
    /// Uploads run on `runtime`, which other threads must drive: a worker only waits for them.
    pub fn new(
        engine: Engine,
        storage: Storage,
        store: Store,
        look: Look,
        workshop: Workshop,
        presets: Arc<Shelf>,
        runtime: tokio::runtime::Handle,
    ) -> Self {
        Self {
            models_dir: presets.models_dir().to_owned(),
            loras_dir: presets.loras_dir().to_owned(),
            look,
            unavailable: Box::new(move |checkpoint, why| presets.unavailable().note(checkpoint, why)),
            workshop,
            most_together: engine.most_together(),
            render: Box::new(move |wanted| engine.render(wanted)),
            put: Box::new(move |key, bytes, content_type| {
                runtime.block_on(storage.put(key, bytes, content_type))
            }),
            attached: Box::new(move |name| store.attachment(name)),
        }
    }

    /// As a worker wants it.
    pub fn into_cook(self) -> Cook {
        Box::new(move |plan, control| generate(&self, plan, control))
    }
}

/// Draws, reviews, finishes and uploads every picture of a plan. Nothing is uploaded before all are drawn and none was
/// blocked, so that a job that is stopped publishes nothing. Running it twice puts the same objects under the same names, where
/// pictures do not depend on those beside them ([`Engine::most_together`] is 1).
pub fn generate(kitchen: &Kitchen, plan: &Plan, control: &Control) -> Result<Cooked, CookError> {
    let mut evidence = Vec::new();
    // A panic does not take away what was looked at before it.
    let made = catch_unwind(AssertUnwindSafe(|| make(kitchen, plan, control, &mut evidence)));
    let made = made.unwrap_or_else(|panic| Err(CookError::failed("PANICKED", &panic_text(&*panic), true)));
    let made = made.map_err(|error| error.after(&evidence))?;
    let Made { result, records } = made;
    Ok(Cooked { result, trace: Trace { records, evidence } })
}

/// What became of the pictures, and what each that is delivered leads back to.
struct Made {
    result: Result<JobResult, Blocked>,
    records: Vec<NewRecord>,
}

/// What review finds is added to `evidence` as it goes.
fn make(
    kitchen: &Kitchen,
    plan: &Plan,
    control: &Control,
    evidence: &mut Vec<Value>,
) -> Result<Made, CookError> {
    let artwork = artwork(kitchen, plan)?;
    let workshop = &kitchen.workshop;
    let tools =
        Tools { mark: Some(&*workshop.mark), credentials: Some(&workshop.credentials), avif: workshop.avif };
    let (mut drawn, mut flags) = (Vec::new(), Vec::new());
    let mut rendered = VecDeque::new();
    for index in 0..plan.sampling.num_images {
        if rendered.is_empty() {
            rendered.extend(draw(kitchen, plan, index, control)?);
        }
        let Some(Rendered { image, weights_sha256, batch, .. }) = rendered.pop_front() else {
            return Err(CookError::failed("ENGINE", &"it gave fewer pictures than it was asked for", true));
        };
        let inspected = inspect(&kitchen.look, &image, artwork.as_ref(), plan, (index, control.attempt()))?;
        evidence.extend(inspected.evidence);
        flags.extend(inspected.flags);
        if let Some(blocked) = inspected.blocked {
            return Ok(Made { result: Err(blocked), records: Vec::new() });
        }
        let salt = ids::os_random().map_err(|error| CookError::failed("CHANCE", &error, true))?;
        let recipe = Recipe::new(plan, index, &weights_sha256, batch, salt);
        let task = Task {
            visible_mark: artwork.as_ref().map(|artwork| (artwork, &plan.watermark)),
            output: &plan.output,
            payload: record_id(&plan.gen_id, index),
            provenance: &provenance(plan, index, &weights_sha256, &recipe),
        };
        drawn.push((finish(image, &task, tools).map_err(|error| unfinished(&error))?, recipe));
    }
    let (mut pictures, mut records) = (Vec::new(), Vec::new());
    for (index, (finished, recipe)) in (0..).zip(drawn) {
        let picture = publish(kitchen, plan, index, &finished, control)?;
        records.push(record(plan, index, &finished, &recipe, &picture));
        pictures.push(picture);
    }
    flags.sort();
    flags.dedup();
    Ok(Made { result: Ok(JobResult { pictures, flags }), records })
}

/// The mark that the plan names, before anything is drawn.
fn artwork(kitchen: &Kitchen, plan: &Plan) -> Result<Option<Artwork>, CookError> {
    let Some(name) = &plan.watermark.image_sha256 else { return Ok(None) };
    let bytes = (kitchen.attached)(name)
        .map_err(|error| CookError::failed("WATERMARK", &error, true))?
        .ok_or_else(|| CookError::failed("WATERMARK", &format!("{name} is not in the store"), false))?;
    let artwork = Artwork::read(&bytes).map_err(|error| CookError::failed("WATERMARK", &error, false))?;
    Ok(Some(artwork))
}

/// Draws picture `first` and those after it, as many as are drawn together; one by one, and with nobody else's, where an attempt
/// has come to nothing before. Each is drawn from `seed` and its number; their steps count on from those of the pictures before.
fn draw(kitchen: &Kitchen, plan: &Plan, first: u32, control: &Control) -> Result<Vec<Rendered>, CookError> {
    let pictures = plan.sampling.num_images;
    let alone = control.attempt() > 1;
    let most = if alone { 1 } else { u32::try_from(kitchen.most_together).unwrap_or(u32::MAX) };
    let indices = first..pictures.min(first.saturating_add(most));
    let done: Arc<[AtomicU32]> = indices.clone().map(|_| AtomicU32::new(0)).collect();
    let wanted = indices.enumerate().map(|(place, index)| {
        let (line, done) = (control.clone(), done.clone());
        let progress: Progress = Box::new(move |step, steps| {
            if let Some(mine) = done.get(place) {
                // What could not be drawn together begins anew; clients see no way back.
                mine.fetch_max(step, Ordering::Relaxed);
            }
            let together: u32 = done.iter().map(|step| step.load(Ordering::Relaxed)).sum();
            line.progress(first * steps + together, pictures * steps)
        });
        Wanted { spec: spec(kitchen, plan, index), progress, alone }
    });
    control.stand_in_line();
    let rendered = (kitchen.render)(wanted.collect());
    control.leave_line();
    let rendered = rendered.map_err(|error| {
        if let DiffusionError::Checkpoint(why) = &error {
            (kitchen.unavailable)(&weights_name(&plan.checkpoint, plan.vae.as_deref()), &why.to_string());
        }
        failed(&error)
    })?;
    if control.halted().is_some() { Err(CookError::halted()) } else { Ok(rendered) }
}

fn spec(kitchen: &Kitchen, plan: &Plan, index: u32) -> RenderSpec {
    let sampling = &plan.sampling;
    RenderSpec {
        model_dir: kitchen.models_dir.join(&plan.checkpoint),
        vae: plan.vae.as_ref().map(|vae| kitchen.models_dir.join(vae)),
        prompt: plan.approved.clone(),
        size: plan.size,
        sampler: sampling.sampler,
        num_inference_steps: sampling.num_inference_steps,
        guidance_scale: sampling.guidance_scale,
        guidance_rescale: sampling.guidance_rescale,
        clip_skip: sampling.clip_skip,
        seed: sampling.seed.wrapping_add(index),
        loras: plan.loras.iter().map(|lora| choice(kitchen, lora)).collect(),
    }
}

/// With another file than the plan names nothing is drawn.
fn choice(kitchen: &Kitchen, lora: &PlannedLora) -> LoraChoice {
    LoraChoice {
        path: lora_file(&kitchen.loras_dir, &lora.name),
        weight: lora.weight,
        te_weight: lora.te_weight,
        sha256: Some(lora.sha256.clone()),
    }
}

fn publish(
    kitchen: &Kitchen,
    plan: &Plan,
    index: u32,
    finished: &Finished,
    control: &Control,
) -> Result<Picture, CookError> {
    let Finished { fingerprint, picture, thumbnail, mark } = finished;
    let (number, format) = (index + 1, plan.output.format);
    let unnamed = |error: KeyError| CookError::failed("OBJECT_NAME", &error, false);
    let picture_key = ObjectKey::picture(&plan.gen_id, &fingerprint.hex, number, format).map_err(unnamed)?;
    let thumbnail_key =
        ObjectKey::thumbnail(&plan.gen_id, &fingerprint.hex, number, format).map_err(unnamed)?;
    for (key, bytes) in [(&thumbnail_key, &thumbnail.bytes), (&picture_key, &picture.bytes)] {
        let bytes = Bytes::copy_from_slice(bytes);
        deliver(|| (kitchen.put)(key, bytes.clone(), format.content_type()), control)?;
    }
    Ok(Picture {
        seed: plan.sampling.seed.wrapping_add(index),
        fingerprint: fingerprint.hex.clone(),
        fingerprint_quality: fingerprint.quality,
        picture_key: picture_key.to_string(),
        thumbnail_key: thumbnail_key.to_string(),
        marked: mark.is_some(),
        signed: !picture.manifest.is_empty() && !thumbnail.manifest.is_empty(),
    })
}

/// A signer or a time-stamp authority that is away may be back at the next attempt.
fn unfinished(error: &FinishError) -> CookError {
    let again = matches!(error, FinishError::Credentials(error) if error.is_temporary());
    let code = if matches!(error, FinishError::Credentials(_)) { "CREDENTIALS" } else { "FINISH" };
    CookError::failed(code, error, again)
}

fn failed(error: &DiffusionError) -> CookError {
    let code = match error {
        DiffusionError::Cancelled { .. } => return CookError::halted(),
        DiffusionError::Device(_) => "DEVICE",
        DiffusionError::Checkpoint(_) => "CHECKPOINT",
        DiffusionError::Lora(_) => "LORA",
        DiffusionError::NotFinite { .. } => "NOT_FINITE",
        DiffusionError::Torch(_) => "TORCH",
        DiffusionError::Panicked(_) => "PANICKED",
        DiffusionError::Stopped => "ENGINE_STOPPED",
        DiffusionError::Unsuitable(_) | DiffusionError::TensorFile { .. } => "UNSUITABLE",
    };
    CookError::failed(code, error, error.is_transient())
}
