//! Doubling of a picture's sides (`diffusers/models/upsampling.py`, `Upsample2D`, 0.42.1).

use tch::Tensor;

use super::Conv2d;
use crate::diffusion::checkpoint::{CheckpointError, Scope};

/// Nearest neighbour, then a 3x3 convolution.
#[derive(Debug)]
pub(in crate::diffusion) struct Upsample2D {
    conv: Conv2d,
}

impl Upsample2D {
    pub(in crate::diffusion) fn load(scope: &mut Scope<'_>, channels: i64) -> Result<Self, CheckpointError> {
        Ok(Self { conv: Conv2d::load(&mut scope.at("conv"), channels, channels, 3, 1)? })
    }

    /// To `(height, width)`, which is twice the input's but for sides that were odd before they were halved.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor, (height, width): (i64, i64)) -> Tensor {
        self.conv.forward(&input.upsample_nearest2d([height, width], None, None))
    }
}
