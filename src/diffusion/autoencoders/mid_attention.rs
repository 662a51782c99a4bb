//! The attention between the two middle blocks (`diffusers/models/attention_processor.py`, `Attention` with
//! `residual_connection`, 0.42.1): one head as wide as the picture has channels.

use tch::Tensor;

use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::layers::{GroupNorm, KeyValue, Linear, attend, split_heads};

#[derive(Debug)]
pub(super) struct MidAttention {
    group_norm: GroupNorm,
    to_qkv: Linear,
    to_out: Linear,
}

/// Names that diffusers used before version 0.16, and those of today.
pub(super) const OLD_NAMES: [(&str, &str); 4] =
    [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")];

impl MidAttention {
    pub(super) fn load(
        scope: &mut Scope<'_>,
        channels: i64,
        groups: i64,
        eps: f64,
    ) -> Result<Self, CheckpointError> {
        let group_norm = GroupNorm::load(&mut scope.at("group_norm"), channels, groups, eps)?;
        let mut project = |name: &str| Linear::load(&mut scope.at(name), channels, channels);
        let to_qkv = Linear::side_by_side(&[project("to_q")?, project("to_k")?, project("to_v")?]);
        Ok(Self { group_norm, to_qkv, to_out: project("to_out.0")? })
    }

    /// `[batch, channels, height, width]` to the same.
    pub(super) fn forward(&self, input: &Tensor) -> Tensor {
        let size = input.size();
        let cells = self.group_norm.forward(input).permute([0, 2, 3, 1]).flatten(1, 2);
        let [query, key, value] = split_heads(&self.to_qkv.forward(&cells), 1);
        let attended = self.to_out.forward(&attend(&query, &KeyValue { key, value }));
        let mut output = attended.unflatten(1, [size[2], size[3]]).permute([0, 3, 1, 2]);
        output += input;
        output
    }
}
