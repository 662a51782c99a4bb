//! The recipe of a picture: `StableDiffusionXLPipeline.__call__`
//! (`diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py`, 0.42.1), step for step, for one or several
//! at a time.

use std::collections::BTreeMap;
use std::time::Instant;

use tch::Tensor;

use super::StableDiffusionXLPipeline;
use crate::diffusion::conditioning::{self, Conditioning, Prompts};
use crate::diffusion::drawing::Drawing;
use crate::diffusion::error::DiffusionError;
use crate::diffusion::layers::may_pack;
use crate::diffusion::noise::{Noise, ShimError};
use crate::diffusion::render::{RenderOptions, Rendered, Timings};
use crate::diffusion::schedulers::scheduler;
use crate::diffusion::{guidance, image_io};

/// The longest side a picture may have, in pixels; beyond it memory would run out before libtorch says so.
const LONGEST_SIDE_PX: u32 = 4096;

impl StableDiffusionXLPipeline {
    /// Draws pictures that are [alike](Drawing::is_alike), and answers each as soon as it is done. Those whose prompts fill as
    /// many windows are denoised as one batch: an empty window more would be another picture. `timings` is what they took
    /// so far.
    ///
    /// # Errors
    /// What went wrong with those that are still open then. What is one picture's alone is its own answer.
    pub(in crate::diffusion) fn draw(
        &self,
        drawings: &mut [Drawing],
        timings: &Timings,
    ) -> Result<(), DiffusionError> {
        may_pack(self.packs);
        let mut by_length: BTreeMap<usize, Vec<&mut Drawing>> = BTreeMap::new();
        for drawing in drawings.iter_mut().filter(|drawing| drawing.is_open()) {
            let encoders = [&self.first, &self.second];
            match conditioning::windows(encoders, &self.prompts(&drawing.options)) {
                Ok(length) => by_length.entry(length).or_default().push(drawing),
                Err(error) => drawing.answer(Err(error)),
            }
        }
        by_length.into_values().try_for_each(|batch| self.draw_batch(batch, timings.clone()))
    }

    /// The comments keep diffusers' numbers.
    fn draw_batch(
        &self,
        mut drawings: Vec<&mut Drawing>,
        mut timings: Timings,
    ) -> Result<(), DiffusionError> {
        drawings.retain_mut(|drawing| drawing.begins());
        let Some(options) = drawings.first().map(|drawing| drawing.options.clone()) else {
            return Ok(());
        };
        let mut clock = Stopwatch::start(timings.load_ms + timings.lora_ms);

        // 1. Check inputs
        let shape = self.latent_shape(&options)?;

        // 2. Define call parameters
        let guided = guidance::is_on(options.guidance_scale);

        // 3. Encode input prompt, and 7. Prepare added time ids & embeddings. Each alone: the encoders take little time, and
        // what they make of a prompt does not depend on those beside it.
        let encode = |drawing: &&mut Drawing| {
            let prompts = self.prompts(&drawing.options);
            conditioning::encode([&self.first, &self.second], prompts, options.size)
        };
        let conditionings = drawings.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let conditioning = Conditioning::together(&conditionings);

        // 4. Prepare timesteps
        let mut scheduler =
            scheduler(options.sampler, &self.scheduler_config, options.num_inference_steps as usize)
                .map_err(|error| DiffusionError::Unsuitable(error.to_string()))?;
        let timesteps = scheduler.timesteps().to_vec();
        let prepared =
            self.unet.prepare(&timesteps, &conditioning.prompt_embeds, &conditioning.added_cond_kwargs);

        // 5. Prepare latent variables
        let no_noise = |error: ShimError| DiffusionError::Unsuitable(error.to_string());
        let seeds: Vec<_> = drawings.iter().map(|drawing| u64::from(drawing.options.seed)).collect();
        let mut noise = Noise::new(&seeds).map_err(no_noise)?;
        let unit_noise = match &options.initial_latents {
            Some(path) => image_io::read_latents(path, &shape)?,
            None => noise.draw(&shape).map_err(no_noise)?,
        };
        let mut latents = unit_noise.to_device(self.placement.device) * scheduler.init_noise_sigma();
        timings.encode_ms = clock.lap_ms();

        // 8. Denoising loop
        let order = scheduler.order();
        let steps = u32::try_from(timesteps.len().div_ceil(order)).unwrap_or(u32::MAX);
        let mut step = 0;
        for index in 0..timesteps.len() {
            let scaled = scheduler.scale_model_input(&latents, index);
            let latent_model_input = if guided { Tensor::cat(&[&scaled, &scaled], 0) } else { scaled };
            let mut noise_pred = self.unet.forward(&latent_model_input, &prepared, index);
            if guided {
                noise_pred = guidance::guide(&noise_pred, options.guidance_scale, options.guidance_rescale);
            }
            latents = scheduler.step(&noise_pred, index, &latents, &mut noise).map_err(no_noise)?;
            if (index + 1) % order != 0 && index + 1 != timesteps.len() {
                continue;
            }
            step += 1;
            timings.steps_ms.push(clock.lap_ms());
            let mut open = 0;
            for drawing in drawings.iter_mut() {
                open += usize::from(drawing.goes_on(step, steps));
            }
            if open == 0 {
                return Ok(());
            }
        }
        for (latents, drawing) in latents.unbind(0).into_iter().zip(drawings) {
            if !drawing.is_open() {
                continue;
            }
            let image = self.picture(&latents.unsqueeze(0), &drawing.options);
            timings.decode_ms = clock.lap_ms();
            timings.total_ms = clock.total_ms();
            drawing.answer(image.map(|image| Rendered {
                image,
                weights_sha256: self.weights_sha256.clone(),
                loras: self.loras.merged().to_vec(),
                batch: seeds.len(),
                timings: timings.clone(),
            }));
        }
        Ok(())
    }

    /// 9. Decode: `latents` is `[1, latent_channels, height, width]` as the last step leaves it.
    fn picture(&self, latents: &Tensor, options: &RenderOptions) -> Result<image::RgbImage, DiffusionError> {
        image_io::check_finite(latents, "the latents after the last step")?;
        if let Some(path) = &options.dump_latents {
            image_io::write_latents(path, latents)?;
        }
        image_io::to_image(&self.vae.decode(&self.vae.unscale(latents)))
    }

    fn prompts<'a>(&self, options: &'a RenderOptions) -> Prompts<'a> {
        let guided = guidance::is_on(options.guidance_scale);
        Prompts {
            positive: [options.prompt.positive(); 2],
            negative: guided.then(|| [options.prompt.negative(); 2]),
            clip_skip: options.clip_skip,
            force_zeros_for_empty_prompt: self.model_index.force_zeros_for_empty_prompt,
        }
    }

    /// `[1, latent_channels, height, width]`
    fn latent_shape(&self, options: &RenderOptions) -> Result<[i64; 4], DiffusionError> {
        let factor = self.vae_scale_factor();
        let (width, height) = (options.size.width_px, options.size.height_px);
        for (name, side) in [("width", width), ("height", height)] {
            if side == 0 || side % factor != 0 || side > LONGEST_SIDE_PX {
                return Err(DiffusionError::Unsuitable(format!(
                    "{name} {side} px: this checkpoint draws multiples of {factor} up to {LONGEST_SIDE_PX}"
                )));
            }
        }
        if !options.guidance_scale.is_finite() {
            return Err(DiffusionError::Unsuitable(format!("guidance scale {}", options.guidance_scale)));
        }
        if !(0.0..=1.0).contains(&options.guidance_rescale) {
            let reason = format!("guidance rescale {}: it goes from 0 to 1", options.guidance_rescale);
            return Err(DiffusionError::Unsuitable(reason));
        }
        Ok([1, self.vae.config.latent_channels, i64::from(height / factor), i64::from(width / factor)])
    }
}

/// Time since the last lap, and since the start.
struct Stopwatch {
    /// What was spent before the start.
    before_ms: f64,
    start: Instant,
    lap: Instant,
}

impl Stopwatch {
    fn start(before_ms: f64) -> Self {
        let now = Instant::now();
        Self { before_ms, start: now, lap: now }
    }

    fn lap_ms(&mut self) -> f64 {
        let before = std::mem::replace(&mut self.lap, Instant::now());
        (self.lap - before).as_secs_f64() * 1e3
    }

    fn total_ms(&self) -> f64 {
        self.before_ms + self.start.elapsed().as_secs_f64() * 1e3
    }
}
