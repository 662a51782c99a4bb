//! A picture on the owner thread: who waits for it, and which may be drawn in one batch with it.

use std::sync::mpsc::SyncSender;

use super::engine::Progress;
use super::error::DiffusionError;
use super::render::{RenderOptions, Rendered};

/// What became of one picture.
pub(super) type Drawn = Result<Rendered, DiffusionError>;

/// A picture that is to be drawn. It is answered once: as soon as it is done, or somebody knows that it will not be.
pub(super) struct Drawing {
    pub(super) options: RenderOptions,
    progress: Progress,
    /// Never in one batch with others.
    alone: bool,
    /// Whether somebody was told that it is its turn.
    begun: bool,
    /// Taken by the answer.
    reply: Option<SyncSender<Drawn>>,
}

impl Drawing {
    pub(super) fn new(
        options: RenderOptions,
        progress: Progress,
        alone: bool,
        reply: SyncSender<Drawn>,
    ) -> Self {
        Self { options, progress, alone, begun: false, reply: Some(reply) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.reply.is_some()
    }

    pub(super) fn answer(&mut self, drawn: Drawn) {
        if let Some(reply) = self.reply.take() {
            // A caller that no longer listens has no use for the answer.
            drop(reply.send(drawn));
        }
    }

    /// Says once that it is its turn; as [`goes_on`](Self::goes_on).
    pub(super) fn begins(&mut self) -> bool {
        let told = std::mem::replace(&mut self.begun, true);
        if told { self.is_open() } else { self.goes_on(0, self.options.num_inference_steps) }
    }

    /// Its turn is to come once more.
    pub(super) fn starts_over(&mut self) {
        self.begun = false;
    }

    /// Says how far it is. Whoever wants it no more is answered at once. Whether it is still open.
    pub(super) fn goes_on(&mut self, step: u32, steps: u32) -> bool {
        if self.is_open() && !(self.progress)(step, steps) {
            self.answer(Err(DiffusionError::Cancelled { step, steps }));
        }
        self.is_open()
    }

    /// Whether both can be denoised as one batch: they differ in prompt and seed alone. Latents that come from a file or go
    /// to one keep a picture to itself.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let RenderOptions {
            model_dir,
            vae,
            prompt: _,
            size,
            sampler,
            num_inference_steps,
            guidance_scale,
            guidance_rescale,
            clip_skip,
            seed: _,
            loras,
            initial_latents,
            dump_latents,
        } = &self.options;
        let alone = self.alone || other.alone;
        let other = &other.options;
        !alone
            && [initial_latents, dump_latents, &other.initial_latents, &other.dump_latents]
                .iter()
                .all(|file| file.is_none())
            && (model_dir, vae, loras) == (&other.model_dir, &other.vae, &other.loras)
            && (size, sampler, num_inference_steps)
                == (&other.size, &other.sampler, &other.num_inference_steps)
            && (guidance_scale, guidance_rescale, clip_skip)
                == (&other.guidance_scale, &other.guidance_rescale, &other.clip_skip)
    }
}
