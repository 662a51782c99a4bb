//! `diffusers/models/autoencoders/autoencoder_kl.py`, `AutoencoderKL`, 0.42.1: the way back from latents.

use tch::{Device, Kind, Tensor};

use super::config::AutoencoderKLConfig;
use super::decoder::Decoder;
use super::encoder_names;
use super::mid_attention::OLD_NAMES;
use crate::diffusion::checkpoint::{Checkpoint, CheckpointError};
use crate::diffusion::layers::{Conv2d, channels_last};

/// Twice the pixels of the largest size that SDXL was trained on.
const LARGEST_WHOLE_PX: u64 = 1 << 21;

#[derive(Debug)]
pub(in crate::diffusion) struct AutoencoderKL {
    pub(in crate::diffusion) config: AutoencoderKLConfig,
    post_quant_conv: Option<Conv2d>,
    decoder: Decoder,
    device: Device,
    kind: Kind,
    parameters: u64,
}

impl AutoencoderKL {
    /// Loads the decoder of the checkpoint's `vae`. `choose_kind` picks the number format by `force_upcast`.
    pub(in crate::diffusion) fn load(
        checkpoint: &Checkpoint,
        device: Device,
        choose_kind: impl Fn(bool) -> Kind,
    ) -> Result<Self, CheckpointError> {
        let config = AutoencoderKLConfig::read(checkpoint.config("vae")?)?;
        let kind = choose_kind(config.force_upcast);
        let mut weights = checkpoint.weights("vae", device, kind)?;
        weights.rename(|name| {
            OLD_NAMES.iter().fold(name.to_owned(), |name, (old, new)| name.replace(old, new))
        })?;
        let mut root = weights.root();
        let latent = config.latent_channels;
        let post_quant_conv = if config.use_post_quant_conv {
            Some(Conv2d::load(&mut root.at("post_quant_conv"), latent, latent, 1, 1)?)
        } else {
            None
        };
        let decoder = Decoder::load(&mut root.at("decoder"), &config)?;
        encoder_names::skip(&mut root, &config)?;
        let parameters = weights.finish()?;
        Ok(Self { config, post_quant_conv, decoder, device, kind, parameters })
    }

    pub(in crate::diffusion) fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Undoes what was done to latents before they were noised (`pipeline_stable_diffusion_xl.py`, after step 9):
    /// mean and deviation by channel where the checkpoint has them, else `scaling_factor`; then `shift_factor`, as
    /// the pipelines of autoencoders that have one do.
    pub(in crate::diffusion) fn unscale(&self, latents: &Tensor) -> Tensor {
        let config = &self.config;
        let Some((mean, std)) = &config.latents_mean_std else {
            return latents / config.scaling_factor + config.shift_factor;
        };
        let by_channel = |list: &[f64]| {
            Tensor::from_slice(list).to_kind(latents.kind()).to_device(latents.device()).view([1, -1, 1, 1])
        };
        latents * by_channel(std) / config.scaling_factor + by_channel(mean)
    }

    /// `[batch, latent_channels, height, width]`, unscaled, to `[batch, 3, height * factor, width * factor]` in
    /// about -1 to 1, f32, on the CPU.
    ///
    /// A picture above [`LARGEST_WHOLE_PX`] is decoded in tiles. Nothing but its size decides, so that a seed is a picture on
    /// every machine.
    pub(in crate::diffusion) fn decode(&self, latents: &Tensor) -> Tensor {
        let tiling = self.config.tiling();
        if tiling.divides(latents) && self.is_too_large(latents) {
            tiling.decode(latents, |tile| self.decode_whole(tile))
        } else {
            self.decode_whole(latents)
        }
    }

    pub(super) fn is_too_large(&self, latents: &Tensor) -> bool {
        let factor = u64::from(self.config.vae_scale_factor());
        let cells: u64 = latents.size()[2..].iter().map(|&side| side.unsigned_abs()).product();
        cells.saturating_mul(factor * factor) > LARGEST_WHOLE_PX
    }

    pub(super) fn decode_whole(&self, latents: &Tensor) -> Tensor {
        let mut latents = channels_last(&latents.to_device(self.device).to_kind(self.kind));
        if let Some(post_quant_conv) = &self.post_quant_conv {
            latents = post_quant_conv.forward(&latents);
        }
        self.decoder.forward(&latents).to_kind(Kind::Float).to_device(Device::Cpu)
    }
}
