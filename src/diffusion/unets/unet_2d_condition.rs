//! `diffusers/models/unets/unet_2d_condition.py`, `UNet2DConditionModel`, 0.42.1.

use tch::{Device, Kind, Tensor};

use super::blocks::{DownBlock2D, UNetMidBlock2DCrossAttn, UpBlock2D};
use super::config::UNet2DConditionConfig;
use super::prepared::{AddedCondKwargs, Prepared, PreparedLayers};
use crate::diffusion::checkpoint::{Checkpoint, CheckpointError, LiveWeights};
use crate::diffusion::layers::{Conv2d, GroupNorm, TimestepEmbedding, Timesteps, channels_last};

#[derive(Debug)]
pub(in crate::diffusion) struct UNet2DConditionModel {
    pub(in crate::diffusion) config: UNet2DConditionConfig,
    time_embedding: TimestepEmbedding,
    add_embedding: TimestepEmbedding,
    prepared: PreparedLayers,
    conv_in: Conv2d,
    down_blocks: Vec<DownBlock2D>,
    mid_block: UNetMidBlock2DCrossAttn,
    up_blocks: Vec<UpBlock2D>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    device: Device,
    kind: Kind,
    parameters: u64,
    live: LiveWeights,
}

impl UNet2DConditionModel {
    /// Loads the checkpoint's `unet`.
    pub(in crate::diffusion) fn load(
        checkpoint: &Checkpoint,
        device: Device,
        kind: Kind,
    ) -> Result<Self, CheckpointError> {
        let config = UNet2DConditionConfig::read(checkpoint.config("unet")?)?;
        let mut weights = checkpoint.weights("unet", device, kind)?;
        let mut root = weights.root();
        let mut prepared = PreparedLayers::default();
        let (first, wide) = (config.blocks[0].out_channels, config.time_embed_dim());

        let time_embedding = TimestepEmbedding::load(&mut root.at("time_embedding"), first, wide)?;
        let added = config.projection_class_embeddings_input_dim;
        let add_embedding = TimestepEmbedding::load(&mut root.at("add_embedding"), added, wide)?;
        let conv_in = Conv2d::load(&mut root.at("conv_in"), config.in_channels, first, 3, 1)?;
        let mut skips = vec![first];
        let mut down_blocks = Vec::new();
        for index in 0..config.blocks.len() {
            let mut scope = root.at(format_args!("down_blocks.{index}"));
            down_blocks.push(DownBlock2D::load(&mut scope, &config, index, &mut skips, &mut prepared)?);
        }
        let mid_block = UNetMidBlock2DCrossAttn::load(&mut root.at("mid_block"), &config, &mut prepared)?;
        let mut up_blocks = Vec::new();
        for (index, mirror) in (0..config.blocks.len()).rev().enumerate() {
            let mut scope = root.at(format_args!("up_blocks.{index}"));
            up_blocks.push(UpBlock2D::load(&mut scope, &config, mirror, &mut skips, &mut prepared)?);
        }
        let conv_norm_out =
            GroupNorm::load(&mut root.at("conv_norm_out"), first, config.norm_num_groups, config.norm_eps)?;
        let conv_out = Conv2d::load(&mut root.at("conv_out"), first, config.out_channels, 3, 1)?;
        let live = weights.live();
        let parameters = weights.finish()?;
        Ok(Self {
            config,
            time_embedding,
            add_embedding,
            prepared,
            conv_in,
            down_blocks,
            mid_block,
            up_blocks,
            conv_norm_out,
            conv_out,
            device,
            kind,
            parameters,
            live,
        })
    }

    /// What it computes with, under diffusers' names.
    pub(in crate::diffusion) fn live(&self) -> &LiveWeights {
        &self.live
    }

    pub(in crate::diffusion) fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Computes what every step needs of the prompt and the timesteps: steps 0 to 2 of diffusers' `forward`, the
    /// keys and values of all cross-attentions and the time projections of all residual blocks.
    ///
    /// `encoder_hidden_states` is `[batch, length, cross_attention_dim]`.
    pub(in crate::diffusion) fn prepare(
        &self,
        timesteps: &[f64],
        encoder_hidden_states: &Tensor,
        added_cond_kwargs: &AddedCondKwargs,
    ) -> Prepared {
        let place = |tensor: &Tensor| tensor.to_device(self.device).to_kind(self.kind);
        let sinusoids = |num_channels: i64| Timesteps {
            num_channels,
            flip_sin_to_cos: self.config.flip_sin_to_cos,
            freq_shift: self.config.freq_shift,
        };
        let timesteps: Vec<f32> = timesteps.iter().map(|&timestep| timestep as f32).collect();
        let timesteps = Tensor::from_slice(&timesteps);
        let t_emb = sinusoids(self.config.blocks[0].out_channels).forward(&timesteps);
        let emb = self.time_embedding.forward(&place(&t_emb)).unsqueeze(1);

        let time_ids = &added_cond_kwargs.time_ids;
        let time_embeds = sinusoids(self.config.addition_time_embed_dim).forward(&time_ids.flatten(0, -1));
        let time_embeds = place(&time_embeds.reshape([time_ids.size()[0], -1]));
        let add_embeds = Tensor::cat(&[place(&added_cond_kwargs.text_embeds), time_embeds], -1);
        let aug_emb = self.add_embedding.forward(&add_embeds).unsqueeze(0);

        self.prepared.prepare(&(emb + aug_emb).silu(), &place(encoder_hidden_states))
    }

    /// Predicts the noise of step `step`. `sample` is `[batch, in_channels, height, width]` in any number format;
    /// the result has its shape, in f32.
    pub(in crate::diffusion) fn forward(&self, sample: &Tensor, prepared: &Prepared, step: usize) -> Tensor {
        let step = prepared.step(step);
        let sample = channels_last(&sample.to_device(self.device).to_kind(self.kind));
        let mut hidden = self.conv_in.forward(&sample);
        let mut skips = vec![hidden.shallow_clone()];
        for block in &self.down_blocks {
            hidden = block.forward(hidden, &mut skips, step);
        }
        hidden = self.mid_block.forward(&hidden, step);
        for block in &self.up_blocks {
            hidden = block.forward(hidden, &mut skips, step);
        }
        let hidden = self.conv_norm_out.forward(&hidden).silu_();
        self.conv_out.forward(&hidden).to_kind(Kind::Float).contiguous()
    }
}
