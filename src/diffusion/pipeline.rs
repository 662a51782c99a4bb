//! The recipe of a picture: `StableDiffusionXLPipeline.__call__`
//! (`diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py`, 0.42.1), step for step.

use std::time::Instant;

use tch::Tensor;

use super::autoencoders::AutoencoderKL;
use super::checkpoint::{
    Checkpoint, CheckpointError, Digests, ModelFiles, ModelIndex, tokenizer, with_weights_sha256,
};
use super::conditioning::{self, Encoder, Prompts};
use super::device::Placement;
use super::error::DiffusionError;
use super::layers::{may_pack, weights_changed};
use super::lora::{ChosenLora, LoraStack};
use super::noise::{Noise, ShimError};
use super::render::{RenderOptions, Rendered, Timings};
use super::schedulers::{SchedulerConfig, scheduler};
use super::text_encoders::CLIPTextModel;
use super::unets::UNet2DConditionModel;
use super::{guidance, image_io};

/// The longest side a picture may have, in pixels; beyond it memory would run out before libtorch says so.
const LONGEST_SIDE_PX: u32 = 4096;

/// A checkpoint, loaded.
#[derive(Debug)]
pub(super) struct StableDiffusionXLPipeline {
    placement: Placement,
    model_index: ModelIndex,
    first: Encoder,
    second: Encoder,
    unet: UNet2DConditionModel,
    vae: AutoencoderKL,
    scheduler_config: SchedulerConfig,
    loras: LoraStack,
    /// As [`Self::weights_sha256`] says.
    weights_sha256: String,
    /// Whether weights may be kept twice.
    packs: bool,
}

impl StableDiffusionXLPipeline {
    /// Loads every network of the model, checks that they fit each other, and takes the hash of the weights meanwhile.
    /// `packs`: whether weights may be kept twice, to be faster.
    pub(super) fn load(
        files: &ModelFiles,
        digests: &Digests,
        placement: Placement,
        packs: bool,
    ) -> Result<Self, CheckpointError> {
        // What no checkpoint is, is not hashed.
        let checkpoint = Checkpoint::open(files)?;
        let load = || Self::load_networks(files, &checkpoint, placement);
        let (loaded, weights_sha256) = with_weights_sha256(files, digests, load)?;
        Ok(Self { weights_sha256, packs, ..loaded })
    }

    fn load_networks(
        files: &ModelFiles,
        checkpoint: &Checkpoint,
        placement: Placement,
    ) -> Result<Self, CheckpointError> {
        let Placement { device, kind } = placement;
        let model_index = checkpoint.model_index()?;
        let scheduler_config = checkpoint.scheduler_config()?;
        let encoder = |name: &str, tokenizer_name: &str, with_projection: bool| {
            let path = &files.checkpoint;
            let tokenizer =
                tokenizer(path, tokenizer_name).map_err(|error| CheckpointError::file(path, error))?;
            let text_encoder = CLIPTextModel::load(checkpoint, name, with_projection, device, kind)?;
            Ok::<_, CheckpointError>(Encoder { tokenizer, text_encoder })
        };
        let first = encoder("text_encoder", "tokenizer", false)?;
        let second = encoder("text_encoder_2", "tokenizer_2", true)?;
        let unet = UNet2DConditionModel::load(checkpoint, device, kind)?;
        let loras = LoraStack::new(unet.live(), first.text_encoder.live(), second.text_encoder.live());
        let loaded = Self {
            placement,
            model_index,
            first,
            second,
            unet,
            vae: AutoencoderKL::load(checkpoint, device, |upcast| placement.decoder_kind(upcast))?,
            scheduler_config,
            loras,
            weights_sha256: String::new(),
            packs: false,
        };
        loaded.check_fit().map_err(|reason| CheckpointError::file(&files.checkpoint, reason))?;
        Ok(loaded)
    }

    /// Widths on both sides of every seam between two networks.
    fn check_fit(&self) -> Result<(), String> {
        let (first, second) = (&self.first.text_encoder, &self.second.text_encoder);
        for (encoder, name) in [(&self.first, "tokenizer"), (&self.second, "tokenizer_2")] {
            let (asked, taken) =
                (encoder.tokenizer.model_max_length(), encoder.text_encoder.max_position_embeddings());
            if asked < 3 || i64::try_from(asked).map_or(true, |asked| asked > taken) {
                return Err(format!("{name}: model_max_length {asked} does not suit an encoder of {taken}"));
            }
        }
        let (tokens, tokens_2) =
            (self.first.tokenizer.model_max_length(), self.second.tokenizer.model_max_length());
        if tokens != tokens_2 {
            return Err(format!("the tokenizers give {tokens} and {tokens_2} tokens"));
        }
        let config = &self.unet.config;
        let text = first.hidden_size() + second.hidden_size();
        if let Some(other) = config.cross_attention_dims().find(|&dim| dim != text) {
            return Err(format!("unet: cross_attention_dim is {other}, the text encoders give {text}"));
        }
        let (wanted, given) =
            (config.projection_class_embeddings_input_dim, config.time_ids_dim() + second.projection_dim());
        if wanted != given {
            let field = "projection_class_embeddings_input_dim";
            return Err(format!("unet: {field} is {wanted}, time ids and pooled text give {given}"));
        }
        let latent = self.vae.config.latent_channels;
        if config.in_channels != latent || config.out_channels != latent {
            let (from, to) = (config.in_channels, config.out_channels);
            return Err(format!("unet: {from} channels to {to}, the autoencoder has {latent}"));
        }
        Ok(())
    }

    /// Of the files that it was loaded from.
    pub(super) fn weights_sha256(&self) -> &str {
        &self.weights_sha256
    }

    /// Pixels along one side of a latent cell.
    pub(super) fn vae_scale_factor(&self) -> u32 {
        self.vae.config.vae_scale_factor()
    }

    pub(super) fn parameters(&self) -> u64 {
        let encoders = self.first.text_encoder.parameters() + self.second.text_encoder.parameters();
        encoders + self.unet.parameters() + self.vae.parameters()
    }

    /// Makes these, and no others, part of the networks until the next call. It comes before [`Self::draw`]: prompts are
    /// encoded with what LoRAs make of the text encoders.
    pub(super) fn set_loras(&mut self, loras: &[ChosenLora]) -> Result<(), DiffusionError> {
        if self.loras.holds(loras) {
            return Ok(());
        }
        // Before the first weight changes, so that a panic among them leaves nothing packed of what they were.
        weights_changed();
        Ok(self.loras.set(loras)?)
    }

    /// Draws one picture; `progress` is told after each step. The comments keep diffusers' numbers.
    pub(super) fn draw(
        &self,
        options: &RenderOptions,
        progress: &mut dyn FnMut(u32, u32) -> bool,
    ) -> Result<Rendered, DiffusionError> {
        let mut timings = Timings::default();
        let mut clock = Stopwatch::start();
        may_pack(self.packs);

        // 1. Check inputs
        let shape = self.latent_shape(options)?;

        // 2. Define call parameters
        let guided = guidance::is_on(options.guidance_scale);

        // 3. Encode input prompt, and 7. Prepare added time ids & embeddings
        let prompts = Prompts {
            positive: [options.prompt.positive(); 2],
            negative: guided.then(|| [options.prompt.negative(); 2]),
            clip_skip: options.clip_skip,
            force_zeros_for_empty_prompt: self.model_index.force_zeros_for_empty_prompt,
        };
        let conditioning = conditioning::encode([&self.first, &self.second], prompts, options.size)?;

        // 4. Prepare timesteps
        let mut scheduler =
            scheduler(options.sampler, &self.scheduler_config, options.num_inference_steps as usize)
                .map_err(|error| DiffusionError::Unsuitable(error.to_string()))?;
        let timesteps = scheduler.timesteps().to_vec();
        let prepared =
            self.unet.prepare(&timesteps, &conditioning.prompt_embeds, &conditioning.added_cond_kwargs);

        // 5. Prepare latent variables
        let no_noise = |error: ShimError| DiffusionError::Unsuitable(error.to_string());
        let mut noise = Noise::new(&[u64::from(options.seed)]).map_err(no_noise)?;
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
            if !progress(step, steps) {
                return Err(DiffusionError::Cancelled { step, steps });
            }
        }
        image_io::check_finite(&latents, "the latents after the last step")?;
        if let Some(path) = &options.dump_latents {
            image_io::write_latents(path, &latents)?;
        }

        // 9. Decode
        let image = image_io::to_image(&self.vae.decode(&self.vae.unscale(&latents)))?;
        timings.decode_ms = clock.lap_ms();
        timings.total_ms = clock.total_ms();
        let (weights_sha256, loras) = (self.weights_sha256.clone(), self.loras.merged().to_vec());
        Ok(Rendered { image, weights_sha256, loras, timings })
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
    start: Instant,
    lap: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        let now = Instant::now();
        Self { start: now, lap: now }
    }

    fn lap_ms(&mut self) -> f64 {
        let before = std::mem::replace(&mut self.lap, Instant::now());
        (self.lap - before).as_secs_f64() * 1e3
    }

    fn total_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }
}
