//! The tensors of the encoder (`vae.py`, `Encoder`, diffusers 0.42.1). It is not run, so they are not read; but they
//! are known by name and shape, so that a tensor nobody knows is still noticed.

use super::config::AutoencoderKLConfig;
use crate::diffusion::checkpoint::{CheckpointError, Scope};

/// Skips `encoder.*` and `quant_conv.*`.
pub(super) fn skip(root: &mut Scope<'_>, config: &AutoencoderKLConfig) -> Result<(), CheckpointError> {
    let channels = &config.block_out_channels;
    let (top, bottom) = (channels[0], channels[channels.len() - 1]);
    let moments = 2 * config.latent_channels;
    if config.use_quant_conv {
        conv(&mut root.at("quant_conv"), moments, moments, 1)?;
    }
    let mut encoder = root.at("encoder");
    conv(&mut encoder.at("conv_in"), config.in_channels, top, 3)?;
    let mut in_channels = top;
    for (index, &out_channels) in channels.iter().enumerate() {
        let mut block = encoder.at(format_args!("down_blocks.{index}"));
        for layer in 0..config.layers_per_block {
            resnet(&mut block.at(format_args!("resnets.{layer}")), in_channels, out_channels)?;
            in_channels = out_channels;
        }
        if index + 1 < channels.len() {
            conv(&mut block.at("downsamplers.0.conv"), out_channels, out_channels, 3)?;
        }
    }
    let mut mid = encoder.at("mid_block");
    resnet(&mut mid.at("resnets.0"), bottom, bottom)?;
    resnet(&mut mid.at("resnets.1"), bottom, bottom)?;
    if config.mid_block_add_attention {
        let mut attention = mid.at("attentions.0");
        norm(&mut attention.at("group_norm"), bottom)?;
        for name in ["to_q", "to_k", "to_v", "to_out.0"] {
            let mut linear = attention.at(name);
            linear.skip("weight", &[bottom, bottom])?;
            linear.skip("bias", &[bottom])?;
        }
    }
    norm(&mut encoder.at("conv_norm_out"), bottom)?;
    conv(&mut encoder.at("conv_out"), bottom, moments, 3)
}

fn conv(scope: &mut Scope<'_>, from: i64, to: i64, kernel: i64) -> Result<(), CheckpointError> {
    scope.skip("weight", &[to, from, kernel, kernel])?;
    scope.skip("bias", &[to])
}

fn norm(scope: &mut Scope<'_>, channels: i64) -> Result<(), CheckpointError> {
    scope.skip("weight", &[channels])?;
    scope.skip("bias", &[channels])
}

fn resnet(scope: &mut Scope<'_>, from: i64, to: i64) -> Result<(), CheckpointError> {
    norm(&mut scope.at("norm1"), from)?;
    conv(&mut scope.at("conv1"), from, to, 3)?;
    norm(&mut scope.at("norm2"), to)?;
    conv(&mut scope.at("conv2"), to, to, 3)?;
    if from == to { Ok(()) } else { conv(&mut scope.at("conv_shortcut"), from, to, 1) }
}
