//! `diffusers/models/autoencoders/vae.py`, `Decoder`, 0.42.1.

use tch::Tensor;

use super::config::AutoencoderKLConfig;
use super::mid_attention::MidAttention;
use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::layers::{Conv2d, GroupNorm, ResnetBlock2D, Upsample2D};

/// `resnet_eps` throughout the autoencoder.
const EPS: f64 = 1e-6;

#[derive(Debug)]
pub(super) struct Decoder {
    conv_in: Conv2d,
    mid_block: UNetMidBlock2D,
    up_blocks: Vec<UpDecoderBlock2D>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    pub(super) fn load(scope: &mut Scope<'_>, config: &AutoencoderKLConfig) -> Result<Self, CheckpointError> {
        let channels = &config.block_out_channels;
        let (top, bottom) = (channels[0], channels[channels.len() - 1]);
        let mut up_blocks = Vec::new();
        let mut in_channels = bottom;
        for (index, &out_channels) in channels.iter().rev().enumerate() {
            let mut scope = scope.at(format_args!("up_blocks.{index}"));
            let upsamples = index + 1 < channels.len();
            up_blocks.push(UpDecoderBlock2D::load(&mut scope, config, in_channels, out_channels, upsamples)?);
            in_channels = out_channels;
        }
        Ok(Self {
            conv_in: Conv2d::load(&mut scope.at("conv_in"), config.latent_channels, bottom, 3, 1)?,
            mid_block: UNetMidBlock2D::load(&mut scope.at("mid_block"), config, bottom)?,
            up_blocks,
            conv_norm_out: GroupNorm::load(&mut scope.at("conv_norm_out"), top, config.norm_num_groups, EPS)?,
            conv_out: Conv2d::load(&mut scope.at("conv_out"), top, config.out_channels, 3, 1)?,
        })
    }

    /// `[batch, latent_channels, height, width]` to `[batch, 3, height * factor, width * factor]`.
    pub(super) fn forward(&self, sample: &Tensor) -> Tensor {
        let mut hidden = self.mid_block.forward(&self.conv_in.forward(sample));
        for block in &self.up_blocks {
            hidden = block.forward(hidden);
        }
        self.conv_out.forward(&self.conv_norm_out.forward(&hidden).silu_())
    }
}

/// `unet_2d_blocks.py`, `UNetMidBlock2D` with one layer.
#[derive(Debug)]
struct UNetMidBlock2D {
    first: ResnetBlock2D,
    attention: Option<MidAttention>,
    second: ResnetBlock2D,
}

impl UNetMidBlock2D {
    fn load(
        scope: &mut Scope<'_>,
        config: &AutoencoderKLConfig,
        channels: i64,
    ) -> Result<Self, CheckpointError> {
        let groups = config.norm_num_groups;
        let attention = if config.mid_block_add_attention {
            Some(MidAttention::load(&mut scope.at("attentions.0"), channels, groups, EPS)?)
        } else {
            None
        };
        let mut resnet =
            |name: &str| ResnetBlock2D::load(&mut scope.at(name), channels, channels, groups, EPS);
        Ok(Self { first: resnet("resnets.0")?, attention, second: resnet("resnets.1")? })
    }

    fn forward(&self, hidden: &Tensor) -> Tensor {
        let hidden = self.first.forward(hidden, None);
        match &self.attention {
            Some(attention) => self.second.forward(&attention.forward(&hidden), None),
            None => self.second.forward(&hidden, None),
        }
    }
}

/// `unet_2d_blocks.py`, `UpDecoderBlock2D`.
#[derive(Debug)]
struct UpDecoderBlock2D {
    resnets: Vec<ResnetBlock2D>,
    upsampler: Option<Upsample2D>,
}

impl UpDecoderBlock2D {
    fn load(
        scope: &mut Scope<'_>,
        config: &AutoencoderKLConfig,
        mut in_channels: i64,
        out_channels: i64,
        upsamples: bool,
    ) -> Result<Self, CheckpointError> {
        let mut resnets = Vec::new();
        for index in 0..=config.layers_per_block {
            let mut scope = scope.at(format_args!("resnets.{index}"));
            let groups = config.norm_num_groups;
            resnets.push(ResnetBlock2D::load(&mut scope, in_channels, out_channels, groups, EPS)?);
            in_channels = out_channels;
        }
        let upsampler = if upsamples {
            Some(Upsample2D::load(&mut scope.at("upsamplers.0"), out_channels)?)
        } else {
            None
        };
        Ok(Self { resnets, upsampler })
    }

    fn forward(&self, mut hidden: Tensor) -> Tensor {
        for resnet in &self.resnets {
            hidden = resnet.forward(&hidden, None);
        }
        match &self.upsampler {
            Some(upsampler) => {
                let size = hidden.size();
                upsampler.forward(&hidden, (size[2] * 2, size[3] * 2))
            }
            None => hidden,
        }
    }
}
