//! What the UNet computes from the prompt and the timesteps alone, once per picture and not once per step.

use tch::Tensor;

use crate::diffusion::layers::{KeyValue, Linear, split_heads};

/// The second kind of conditioning, beside `encoder_hidden_states`.
#[derive(Debug)]
pub(in crate::diffusion) struct AddedCondKwargs {
    /// `[batch, projection_dim]`: the pooled embedding.
    pub(in crate::diffusion) text_embeds: Tensor,
    /// `[batch, 6]`: original height and width, crop top and left, target height and width, in pixels.
    pub(in crate::diffusion) time_ids: Tensor,
}

/// Layers whose input is known before the first step. A block keeps only its place in these lists.
#[derive(Debug, Default)]
pub(super) struct PreparedLayers {
    /// `time_emb_proj` of each residual block.
    time_emb_projs: Vec<Linear>,
    /// `to_k` and `to_v` of each cross-attention side by side, and its number of heads.
    cross_attentions: Vec<(Linear, i64)>,
}

impl PreparedLayers {
    /// The layer's place.
    pub(super) fn add_time_emb_proj(&mut self, layer: Linear) -> usize {
        self.time_emb_projs.push(layer);
        self.time_emb_projs.len() - 1
    }

    /// The layer's place.
    pub(super) fn add_cross_attention(&mut self, to_kv: Linear, heads: i64) -> usize {
        self.cross_attentions.push((to_kv, heads));
        self.cross_attentions.len() - 1
    }

    /// `temb` is `[steps, batch, time_embed_dim]` after its SiLU, `encoder_hidden_states`
    /// `[batch, length, cross_attention_dim]`.
    pub(super) fn prepare(&self, temb: &Tensor, encoder_hidden_states: &Tensor) -> Prepared {
        let tembs = self
            .time_emb_projs
            .iter()
            .map(|layer| layer.forward(temb).unsqueeze(-1).unsqueeze(-1).unbind(0))
            .collect();
        let keys = self
            .cross_attentions
            .iter()
            .map(|(to_kv, heads)| {
                let [key, value] = split_heads(&to_kv.forward(encoder_hidden_states), *heads);
                KeyValue { key, value }
            })
            .collect();
        Prepared { tembs, keys }
    }
}

/// All steps of one picture.
#[derive(Debug)]
pub(in crate::diffusion) struct Prepared {
    /// By residual block, then by step: `[batch, channels, 1, 1]`.
    tembs: Vec<Vec<Tensor>>,
    keys: Vec<KeyValue>,
}

impl Prepared {
    /// What the blocks are given at step `index`.
    pub(super) fn step(&self, index: usize) -> Step<'_> {
        Step { prepared: self, index }
    }
}

/// One step of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    prepared: &'a Prepared,
    index: usize,
}

impl<'a> Step<'a> {
    pub(super) fn temb(self, place: usize) -> &'a Tensor {
        &self.prepared.tembs[place][self.index]
    }

    pub(super) fn keys(self, place: usize) -> &'a KeyValue {
        &self.prepared.keys[place]
    }
}
