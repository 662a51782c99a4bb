//! `torch.nn.Conv2d` with its weights stored channels-last.

use tch::Tensor;

use crate::diffusion::checkpoint::{CheckpointError, Scope, relay};

/// A square kernel, zero padding on all sides.
#[derive(Debug)]
pub(in crate::diffusion) struct Conv2d {
    /// `[out_channels, in_channels, kernel, kernel]`, channels-last
    weight: Tensor,
    /// `[out_channels]`
    bias: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// Takes `weight` and `bias`; the padding keeps the size at stride 1. Weights left in the usual order under
    /// channels-last pictures would be reordered at every call (8 % in bf16, 22 % in f32).
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        in_channels: i64,
        out_channels: i64,
        kernel: i64,
        stride: i64,
    ) -> Result<Self, CheckpointError> {
        let weight = scope.take("weight", &[out_channels, in_channels, kernel, kernel])?;
        relay(&weight, &channels_last(&weight));
        Ok(Self { weight, bias: scope.take("bias", &[out_channels])?, stride, padding: (kernel - 1) / 2 })
    }

    /// `[batch, in_channels, height, width]` to `[batch, out_channels, height / stride, width / stride]`
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        input.conv2d(&self.weight, Some(&self.bias), stride, padding, [1, 1], 1)
    }
}

/// The same picture, stored with its channels side by side (`torch.channels_last`, which tch does not name).
pub(in crate::diffusion) fn channels_last(picture: &Tensor) -> Tensor {
    picture.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}
