//! `vae/config.json` (`diffusers/models/autoencoders/autoencoder_kl.py`, `__init__`, 0.42.1).

use serde_json::json;

use super::tiles::Tiling;
use crate::diffusion::checkpoint::{CheckpointError, ConfigFile};

/// Below it an overlap of a quarter would be none.
const SMALLEST_TILE: i64 = 4;

#[derive(Debug, Clone)]
pub(in crate::diffusion) struct AutoencoderKLConfig {
    pub(super) in_channels: i64,
    pub(super) out_channels: i64,
    /// From the widest picture to the narrowest; each but the last halves the sides.
    pub(super) block_out_channels: Vec<i64>,
    pub(super) layers_per_block: i64,
    pub(in crate::diffusion) latent_channels: i64,
    pub(super) norm_num_groups: i64,
    /// Latents are multiplied by it before they are noised.
    pub(super) scaling_factor: f64,
    pub(super) shift_factor: f64,
    /// By channel; both or neither.
    pub(super) latents_mean_std: Option<(Vec<f64>, Vec<f64>)>,
    /// f16 overflows in this decoder: decode in f32.
    pub(in crate::diffusion) force_upcast: bool,
    pub(super) use_quant_conv: bool,
    pub(super) use_post_quant_conv: bool,
    pub(super) mid_block_add_attention: bool,
    /// Side of the pictures it was trained on, in pixels; that of a tile.
    sample_size: i64,
}

impl AutoencoderKLConfig {
    pub(super) fn read(mut file: ConfigFile) -> Result<Self, CheckpointError> {
        let block_out_channels: Vec<i64> = file.take("block_out_channels", vec![64])?;
        for (field, class) in
            [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")]
        {
            let types: Vec<String> = file.take(field, vec![class.to_owned()])?;
            if let Some(other) = types.iter().find(|name| *name != class) {
                return Err(file.refuse(field, format!("`{other}` is not supported, only {class}")));
            }
            if types.len() != block_out_channels.len() {
                let (found, wanted) = (types.len(), block_out_channels.len());
                return Err(
                    file.refuse(field, format!("has {found} entries, block_out_channels has {wanted}"))
                );
            }
        }
        file.only("act_fn", &[json!("silu"), json!("swish")])?;
        let mean: Option<Vec<f64>> = file.take_optional("latents_mean")?;
        let std: Option<Vec<f64>> = file.take_optional("latents_std")?;
        let config = Self {
            in_channels: file.take("in_channels", 3)?,
            out_channels: file.take("out_channels", 3)?,
            block_out_channels,
            layers_per_block: file.take("layers_per_block", 1)?,
            latent_channels: file.take("latent_channels", 4)?,
            norm_num_groups: file.take("norm_num_groups", 32)?,
            scaling_factor: file.take("scaling_factor", 0.18215)?,
            shift_factor: file.take("shift_factor", 0.0)?,
            latents_mean_std: mean.zip(std),
            force_upcast: file.take("force_upcast", true)?,
            use_quant_conv: file.take("use_quant_conv", true)?,
            use_post_quant_conv: file.take("use_post_quant_conv", true)?,
            mid_block_add_attention: file.take("mid_block_add_attention", true)?,
            sample_size: file.take("sample_size", 32)?,
        };
        config.check(&file)?;
        file.finish()?;
        Ok(config)
    }

    fn check(&self, file: &ConfigFile) -> Result<(), CheckpointError> {
        let groups = self.norm_num_groups;
        for &channels in &self.block_out_channels {
            if channels < 1 || groups < 1 || channels % groups != 0 {
                let reason = format!("{groups} does not divide {channels} channels");
                return Err(file.refuse("norm_num_groups", reason));
            }
        }
        if self.block_out_channels.is_empty() || self.block_out_channels.len() > 10 {
            return Err(file.refuse("block_out_channels", "must have 1 to 10 entries"));
        }
        if !(1..=16_384).contains(&self.sample_size) {
            return Err(
                file.refuse("sample_size", format!("{} pixels is no side of a picture", self.sample_size))
            );
        }
        if self.out_channels != 3 {
            return Err(file.refuse("out_channels", "only 3 (red, green, blue) is supported"));
        }
        if !(self.scaling_factor.is_normal()) {
            return Err(
                file.refuse("scaling_factor", format!("{} cannot be divided by", self.scaling_factor))
            );
        }
        if let Some((mean, std)) = &self.latents_mean_std {
            for (field, list) in [("latents_mean", mean), ("latents_std", std)] {
                if list.len() as i64 != self.latent_channels {
                    return Err(file.refuse(field, "must have one entry a latent channel"));
                }
            }
        }
        Ok(())
    }

    /// As diffusers sets it up; a tile is at least [`SMALLEST_TILE`] cells wide.
    pub(super) fn tiling(&self) -> Tiling {
        let factor = i64::from(self.vae_scale_factor());
        let latent = (self.sample_size / factor).max(SMALLEST_TILE);
        Tiling { latent, sample: latent * factor }
    }

    /// Pixels along one side of a latent cell.
    pub(in crate::diffusion) fn vae_scale_factor(&self) -> u32 {
        1 << (self.block_out_channels.len() - 1)
    }
}
