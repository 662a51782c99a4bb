//! A picture on the owner thread, and which may be drawn in one batch.

use super::engine::Progress;
use super::error::DiffusionError;
use super::render::{RenderOptions, Rendered};

/// What became of one picture.
pub(super) type Drawn = Result<Rendered, DiffusionError>;

/// A picture that is to be drawn.
pub(super) struct Drawing {
    pub(super) options: RenderOptions,
    pub(super) progress: Progress,
}

impl Drawing {
    /// Whether both can be denoised as one batch: they differ in prompt and seed alone. Latents that come from a file or go
    /// to one keep a picture to itself.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let shared = |options: &RenderOptions| {
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
            } = options.clone();
            (initial_latents.is_none() && dump_latents.is_none()).then_some((
                (model_dir, vae, size, loras),
                (sampler, num_inference_steps, guidance_scale, guidance_rescale, clip_skip),
            ))
        };
        let mine = shared(&self.options);
        mine.is_some() && mine == shared(&other.options)
    }
}
