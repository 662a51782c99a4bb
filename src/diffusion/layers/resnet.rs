//! `diffusers/models/resnet.py`, `ResnetBlock2D`, 0.42.1.

use tch::Tensor;

use super::{Conv2d, GroupNorm};
use crate::diffusion::checkpoint::{CheckpointError, Scope};

/// Two rounds of norm, SiLU and 3x3 convolution, added to the input.
#[derive(Debug)]
pub(in crate::diffusion) struct ResnetBlock2D {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Where the number of channels changes.
    conv_shortcut: Option<Conv2d>,
}

impl ResnetBlock2D {
    /// Takes all but `time_emb_proj`, which depends on no picture and is the UNet's to prepare.
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        in_channels: i64,
        out_channels: i64,
        groups: i64,
        eps: f64,
    ) -> Result<Self, CheckpointError> {
        let conv_shortcut = if in_channels == out_channels {
            None
        } else {
            Some(Conv2d::load(&mut scope.at("conv_shortcut"), in_channels, out_channels, 1, 1)?)
        };
        Ok(Self {
            norm1: GroupNorm::load(&mut scope.at("norm1"), in_channels, groups, eps)?,
            conv1: Conv2d::load(&mut scope.at("conv1"), in_channels, out_channels, 3, 1)?,
            norm2: GroupNorm::load(&mut scope.at("norm2"), out_channels, groups, eps)?,
            conv2: Conv2d::load(&mut scope.at("conv2"), out_channels, out_channels, 3, 1)?,
            conv_shortcut,
        })
    }

    /// `temb` is the projected time embedding, `[batch, out_channels, 1, 1]`.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor, temb: Option<&Tensor>) -> Tensor {
        let mut hidden = self.conv1.forward(&self.norm1.forward(input).silu_());
        if let Some(temb) = temb {
            hidden += temb;
        }
        let mut hidden = self.conv2.forward(&self.norm2.forward(&hidden).silu_());
        match &self.conv_shortcut {
            Some(conv) => hidden += conv.forward(input),
            None => hidden += input,
        }
        hidden
    }
}
