//! One layer of CLIP's transformer (`modeling_clip.py`, `CLIPEncoderLayer`, transformers 5.23.0).

use tch::Tensor;

use super::config::{CLIPTextConfig, HiddenAct};
use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::layers::{LayerNorm, Linear, split_heads};

#[derive(Debug)]
pub(super) struct CLIPEncoderLayer {
    layer_norm1: LayerNorm,
    /// `q_proj`, `k_proj` and `v_proj` side by side
    qkv_proj: Linear,
    out_proj: Linear,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    num_attention_heads: i64,
    hidden_act: HiddenAct,
}

impl CLIPEncoderLayer {
    pub(super) fn load(scope: &mut Scope<'_>, config: &CLIPTextConfig) -> Result<Self, CheckpointError> {
        let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
        let mut projection =
            |name: &str| Linear::load(&mut scope.at(format_args!("self_attn.{name}")), hidden, hidden);
        let qkv_proj =
            Linear::side_by_side(&[projection("q_proj")?, projection("k_proj")?, projection("v_proj")?]);
        let out_proj = projection("out_proj")?;
        Ok(Self {
            layer_norm1: LayerNorm::load(&mut scope.at("layer_norm1"), hidden, eps)?,
            qkv_proj,
            out_proj,
            layer_norm2: LayerNorm::load(&mut scope.at("layer_norm2"), hidden, eps)?,
            fc1: Linear::load(&mut scope.at("mlp.fc1"), hidden, config.intermediate_size)?,
            fc2: Linear::load(&mut scope.at("mlp.fc2"), config.intermediate_size, hidden)?,
            num_attention_heads: config.num_attention_heads,
            hidden_act: config.hidden_act,
        })
    }

    /// `[batch, length, hidden_size]` to the same.
    pub(super) fn forward(&self, hidden_states: &Tensor) -> Tensor {
        let attended = hidden_states + self.attention(&self.layer_norm1.forward(hidden_states));
        let wide = self.fc1.forward(&self.layer_norm2.forward(&attended));
        let wide = match self.hidden_act {
            HiddenAct::QuickGelu => &wide * (&wide * 1.702).sigmoid(),
            HiddenAct::Gelu => wide.gelu("none"),
        };
        attended + self.fc2.forward(&wide)
    }

    /// Each token sees itself and those before it.
    fn attention(&self, hidden_states: &Tensor) -> Tensor {
        let [query, key, value] =
            &split_heads(&self.qkv_proj.forward(hidden_states), self.num_attention_heads);
        let attended =
            Tensor::scaled_dot_product_attention(query, key, value, None::<Tensor>, 0.0, true, None, false);
        self.out_proj.forward(&attended.transpose(1, 2).flatten(2, 3))
    }
}
