//! Down, middle and up blocks (`diffusers/models/unets/unet_2d_blocks.py`, 0.42.1): `DownBlock2D`,
//! `CrossAttnDownBlock2D`, `UNetMidBlock2DCrossAttn`, `UpBlock2D`, `CrossAttnUpBlock2D`.

use tch::Tensor;

use super::config::{BlockConfig, UNet2DConditionConfig};
use super::prepared::{PreparedLayers, Step};
use super::transformer_2d::{Transformer2DConfig, Transformer2DModel};
use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::layers::{Conv2d, Linear, ResnetBlock2D, Upsample2D};

/// A residual block with its time embedding, and the transformer after it where the block attends.
#[derive(Debug)]
struct Layer {
    resnet: ResnetBlock2D,
    temb: usize,
    attention: Option<Transformer2DModel>,
}

impl Layer {
    fn forward(&self, hidden: &Tensor, step: Step<'_>) -> Tensor {
        let hidden = self.resnet.forward(hidden, Some(step.temb(self.temb)));
        match &self.attention {
            Some(attention) => attention.forward(&hidden, step),
            None => hidden,
        }
    }
}

/// Builds layers of one block.
struct Layers<'a> {
    unet: &'a UNet2DConditionConfig,
    block: &'a BlockConfig,
    time_embed_dim: i64,
}

impl Layers<'_> {
    fn resnet(
        &self,
        scope: &mut Scope<'_>,
        index: i64,
        in_channels: i64,
        prepared: &mut PreparedLayers,
    ) -> Result<(ResnetBlock2D, usize), CheckpointError> {
        let mut scope = scope.at(format_args!("resnets.{index}"));
        let (out, groups, eps) = (self.block.out_channels, self.unet.norm_num_groups, self.unet.norm_eps);
        let time_emb_proj = Linear::load(&mut scope.at("time_emb_proj"), self.time_embed_dim, out)?;
        let resnet = ResnetBlock2D::load(&mut scope, in_channels, out, groups, eps)?;
        Ok((resnet, prepared.add_time_emb_proj(time_emb_proj)))
    }

    fn attention(
        &self,
        scope: &mut Scope<'_>,
        index: i64,
        prepared: &mut PreparedLayers,
    ) -> Result<Transformer2DModel, CheckpointError> {
        let config = Transformer2DConfig {
            channels: self.block.out_channels,
            layers: self.block.transformer_layers,
            heads: self.block.num_attention_heads,
            cross_attention_dim: self.block.cross_attention_dim,
            norm_num_groups: self.unet.norm_num_groups,
            use_linear_projection: self.unet.use_linear_projection,
        };
        Transformer2DModel::load(&mut scope.at(format_args!("attentions.{index}")), &config, prepared)
    }

    fn layer(
        &self,
        scope: &mut Scope<'_>,
        index: i64,
        in_channels: i64,
        attends: bool,
        prepared: &mut PreparedLayers,
    ) -> Result<Layer, CheckpointError> {
        let (resnet, temb) = self.resnet(scope, index, in_channels, prepared)?;
        let attention = if attends { Some(self.attention(scope, index, prepared)?) } else { None };
        Ok(Layer { resnet, temb, attention })
    }
}

/// `DownBlock2D` or `CrossAttnDownBlock2D`.
#[derive(Debug)]
pub(super) struct DownBlock2D {
    layers: Vec<Layer>,
    downsampler: Option<Conv2d>,
}

impl DownBlock2D {
    /// Block `index`; `skips` gets the channels of each picture that [`Self::forward`] leaves behind.
    pub(super) fn load(
        scope: &mut Scope<'_>,
        unet: &UNet2DConditionConfig,
        index: usize,
        skips: &mut Vec<i64>,
        prepared: &mut PreparedLayers,
    ) -> Result<Self, CheckpointError> {
        let block = &unet.blocks[index];
        let builder = Layers { unet, block, time_embed_dim: unet.time_embed_dim() };
        let mut in_channels = unet.blocks[index.saturating_sub(1)].out_channels;
        let mut layers = Vec::new();
        for layer in 0..block.layers {
            layers.push(builder.layer(scope, layer, in_channels, block.down_cross_attention, prepared)?);
            in_channels = block.out_channels;
            skips.push(in_channels);
        }
        let downsampler = if index + 1 < unet.blocks.len() {
            skips.push(in_channels);
            Some(Conv2d::load(&mut scope.at("downsamplers.0.conv"), in_channels, in_channels, 3, 2)?)
        } else {
            None
        };
        Ok(Self { layers, downsampler })
    }

    /// Leaves every picture on `skips` for the way up.
    pub(super) fn forward(&self, mut hidden: Tensor, skips: &mut Vec<Tensor>, step: Step<'_>) -> Tensor {
        for layer in &self.layers {
            hidden = layer.forward(&hidden, step);
            skips.push(hidden.shallow_clone());
        }
        if let Some(downsampler) = &self.downsampler {
            hidden = downsampler.forward(&hidden);
            skips.push(hidden.shallow_clone());
        }
        hidden
    }
}

/// Residual block, transformer, residual block.
#[derive(Debug)]
pub(super) struct UNetMidBlock2DCrossAttn {
    first: Layer,
    second: Layer,
}

impl UNetMidBlock2DCrossAttn {
    pub(super) fn load(
        scope: &mut Scope<'_>,
        unet: &UNet2DConditionConfig,
        prepared: &mut PreparedLayers,
    ) -> Result<Self, CheckpointError> {
        let block = &unet.blocks[unet.blocks.len() - 1];
        let builder = Layers { unet, block, time_embed_dim: unet.time_embed_dim() };
        Ok(Self {
            first: builder.layer(scope, 0, block.out_channels, true, prepared)?,
            second: builder.layer(scope, 1, block.out_channels, false, prepared)?,
        })
    }

    pub(super) fn forward(&self, hidden: &Tensor, step: Step<'_>) -> Tensor {
        self.second.forward(&self.first.forward(hidden, step), step)
    }
}

/// `UpBlock2D` or `CrossAttnUpBlock2D`.
#[derive(Debug)]
pub(super) struct UpBlock2D {
    layers: Vec<Layer>,
    upsampler: Option<Upsample2D>,
}

impl UpBlock2D {
    /// The mirror of down block `index`; takes its channels off `skips`.
    pub(super) fn load(
        scope: &mut Scope<'_>,
        unet: &UNet2DConditionConfig,
        index: usize,
        skips: &mut Vec<i64>,
        prepared: &mut PreparedLayers,
    ) -> Result<Self, CheckpointError> {
        let block = &unet.blocks[index];
        let builder = Layers { unet, block, time_embed_dim: unet.time_embed_dim() };
        let below = (index + 1).min(unet.blocks.len() - 1);
        let mut in_channels = unet.blocks[below].out_channels;
        let mut layers = Vec::new();
        for layer in 0..=block.layers {
            let skip = skips.pop().unwrap_or_default();
            layers.push(builder.layer(
                scope,
                layer,
                in_channels + skip,
                block.up_cross_attention,
                prepared,
            )?);
            in_channels = block.out_channels;
        }
        let upsampler = if index > 0 {
            Some(Upsample2D::load(&mut scope.at("upsamplers.0"), in_channels)?)
        } else {
            None
        };
        Ok(Self { layers, upsampler })
    }

    /// Takes as many pictures off `skips` as its mirror left there.
    pub(super) fn forward(&self, mut hidden: Tensor, skips: &mut Vec<Tensor>, step: Step<'_>) -> Tensor {
        for layer in &self.layers {
            let Some(skip) = skips.pop() else { break };
            hidden = layer.forward(&Tensor::cat(&[hidden, skip], 1), step);
        }
        match (&self.upsampler, skips.last()) {
            (Some(upsampler), Some(next)) => {
                let size = next.size();
                upsampler.forward(&hidden, (size[2], size[3]))
            }
            _ => hidden,
        }
    }
}
