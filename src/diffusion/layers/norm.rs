//! `torch.nn.GroupNorm` and `torch.nn.LayerNorm`.

use tch::{Kind, Tensor};

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

    /// Same shape as `input`, `[batch, channels, height, width]`.
    ///
    /// On a channels-last picture libtorch's CPU kernel takes the variance as the mean of squares less the square of the
    /// mean, which leaves nothing of it where the mean is large. In f32 the picture is therefore laid out channel by
    /// channel first, as diffusers has it; in bf16 the sums are in f32 and far more exact than the input.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        let input = if input.kind() == Kind::Float { input.contiguous() } else { input.shallow_clone() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::layers::channels_last;
    use crate::diffusion::noise::randn;

    /// Two channels of which one is a thousand times the other, as autoencoders with a constant channel have them.
    #[test]
    fn a_large_constant_channel_leaves_the_small_one_intact() {
        let small = randn(1, &[1, 1, 512, 512]).unwrap();
        let constant = Tensor::full([1, 1, 512, 512], 1024.0, (Kind::Float, tch::Device::Cpu));
        let picture = channels_last(&Tensor::cat(&[&small, &constant, &(-&constant)], 1));
        let ones = Tensor::ones([3], (Kind::Float, tch::Device::Cpu));
        let norm = GroupNorm { weight: ones.shallow_clone(), bias: ones.zeros_like(), groups: 1, eps: 1e-6 };
        let found = norm.forward(&picture).to_kind(Kind::Double);
        let exact = picture.to_kind(Kind::Double);
        let mean = exact.mean(Kind::Double);
        let exact = (&exact - &mean) / ((&exact - &mean).square().mean(Kind::Double) + 1e-6).sqrt();
        let worst = (found - exact).abs().max().double_value(&[]);
        assert!(worst < 1e-6, "off by {worst}");
    }
}
