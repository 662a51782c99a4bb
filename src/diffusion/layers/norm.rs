//! `torch.nn.GroupNorm` and `torch.nn.LayerNorm`.

use tch::Tensor;

use crate::diffusion::checkpoint::{CheckpointError, Scope};

#[derive(Debug)]
pub(in crate::diffusion) struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    /// Takes `weight` and `bias` of `[channels]`.
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        channels: i64,
        groups: i64,
        eps: f64,
    ) -> Result<Self, CheckpointError> {
        let (weight, bias) = (scope.take("weight", &[channels])?, scope.take("bias", &[channels])?);
        Ok(Self { weight, bias, groups, eps })
    }

    /// Same shape and layout as `input`, `[batch, channels, height, width]`.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        input.group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}

#[derive(Debug)]
pub(in crate::diffusion) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    features: i64,
    eps: f64,
}

impl LayerNorm {
    /// Takes `weight` and `bias` of `[features]`.
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        features: i64,
        eps: f64,
    ) -> Result<Self, CheckpointError> {
        let (weight, bias) = (scope.take("weight", &[features])?, scope.take("bias", &[features])?);
        Ok(Self { weight, bias, features, eps })
    }

    /// Same shape as `input`, `[..., features]`.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        input.layer_norm([self.features], Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}
