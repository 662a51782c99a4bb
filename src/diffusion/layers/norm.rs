//! `torch.nn.GroupNorm` and `torch.nn.LayerNorm`.

use tch::{Kind, Tensor};

use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::shim;

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
    /// On a channels-last picture in f32 libtorch's CPU kernel is not exact, and to lay the picture out channel by channel
    /// first, as diffusers has it, takes a third of the decoder's time; so that is done by hand. In bf16 the sums are in f32 and far more exact than the
    /// input.
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        let by_hand = shim::group_norm(input, self.groups, &self.weight, &self.bias, self.eps);
        if let Some(Ok(normed)) = by_hand {
            return normed;
        }
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

    /// By hand and by libtorch, which sees the same numbers channel by channel.
    #[test]
    fn pictures_are_normed_alike_however_they_lie() {
        for (batch, channels, groups, side) in [(1, 3, 1, 40), (2, 64, 32, 17), (3, 40, 8, 1), (1, 600, 3, 9)]
        {
            let picture = randn(1, &[batch, channels, side, side + 3]).unwrap() * 3.0 + 5.0;
            let (weight, bias) = (randn(2, &[channels]).unwrap(), randn(3, &[channels]).unwrap());
            let norm = GroupNorm { weight, bias, groups, eps: 1e-6 };
            let lying = channels_last(&picture);
            assert!(shim::group_norm(&lying, groups, &norm.weight, &norm.bias, norm.eps).is_some());
            let (by_hand, plain) = (norm.forward(&lying), norm.forward(&picture));
            assert_eq!(by_hand.size(), plain.size());
            let worst = (by_hand - plain).abs().max().double_value(&[]);
            assert!(worst < 2e-5, "{batch}x{channels} in {groups}: off by {worst}");
        }
    }
}
