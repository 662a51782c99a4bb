//! `torch.nn.Linear`.

use tch::Tensor;

use super::packed::Packed;
use crate::diffusion::checkpoint::{CheckpointError, Scope, relay};

#[derive(Debug)]
pub(in crate::diffusion) struct Linear {
    /// `[out_features, in_features]`
    weight: Tensor,
    /// `[out_features]`
    bias: Option<Tensor>,
    packed: Packed,
}

impl Linear {
    /// Takes `weight` and `bias`.
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        in_features: i64,
        out_features: i64,
    ) -> Result<Self, CheckpointError> {
        let mut linear = Self::load_without_bias(scope, in_features, out_features)?;
        linear.bias = Some(scope.take("bias", &[out_features])?);
        Ok(linear)
    }

    /// Takes `weight` only.
    pub(in crate::diffusion) fn load_without_bias(
        scope: &mut Scope<'_>,
        in_features: i64,
        out_features: i64,
    ) -> Result<Self, CheckpointError> {
        Ok(Self {
            weight: scope.take("weight", &[out_features, in_features])?,
            bias: None,
            packed: Packed::default(),
        })
    }

    /// Takes a 1x1 convolution, which over the last axis of a channels-last picture is this very layer.
    pub(in crate::diffusion) fn load_conv_1x1(
        scope: &mut Scope<'_>,
        in_features: i64,
        out_features: i64,
    ) -> Result<Self, CheckpointError> {
        let weight = scope.take("weight", &[out_features, in_features, 1, 1])?;
        Ok(Self {
            weight: weight.reshape([out_features, in_features]),
            bias: Some(scope.take("bias", &[out_features])?),
            packed: Packed::default(),
        })
    }

    /// One layer whose output is that of `layers` side by side. All have a bias, or none has.
    pub(in crate::diffusion) fn side_by_side(layers: &[Self]) -> Self {
        let weights: Vec<&Tensor> = layers.iter().map(|layer| &layer.weight).collect();
        let biases: Vec<&Tensor> = layers.iter().filter_map(|layer| layer.bias.as_ref()).collect();
        Self {
            weight: join(&weights),
            bias: (!biases.is_empty()).then(|| join(&biases)),
            packed: Packed::default(),
        }
    }

    /// `[..., in_features]` to `[..., out_features]`
    pub(in crate::diffusion) fn forward(&self, input: &Tensor) -> Tensor {
        let packed = self.packed.multiply(&self.weight, input, self.bias.as_ref());
        packed.unwrap_or_else(|| input.linear(&self.weight, self.bias.as_ref()))
    }
}

/// The tensors below each other; each of them becomes its rows of the whole.
fn join(parts: &[&Tensor]) -> Tensor {
    let joined = Tensor::cat(parts, 0);
    let mut start = 0;
    for part in parts {
        let rows = part.size()[0];
        relay(part, &joined.narrow(0, start, rows));
        start += rows;
    }
    joined
}
