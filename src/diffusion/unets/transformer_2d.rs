//! `diffusers/models/transformers/transformer_2d.py`, `Transformer2DModel`, and `diffusers/models/attention.py`,
//! `BasicTransformerBlock`, 0.42.1.

use tch::Tensor;

use super::prepared::{PreparedLayers, Step};
use crate::diffusion::checkpoint::{CheckpointError, Scope};
use crate::diffusion::layers::{GroupNorm, KeyValue, LayerNorm, Linear, attend, split_heads};

/// `norm` of the transformer; not the UNet's `norm_eps`.
const GROUP_NORM_EPS: f64 = 1e-6;
const LAYER_NORM_EPS: f64 = 1e-5;

/// What a transformer is built from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transformer2DConfig {
    pub(super) channels: i64,
    pub(super) layers: i64,
    pub(super) heads: i64,
    pub(super) cross_attention_dim: i64,
    pub(super) norm_num_groups: i64,
    pub(super) use_linear_projection: bool,
}

/// A picture as a sequence of its cells, through transformer blocks, and back.
#[derive(Debug)]
pub(super) struct Transformer2DModel {
    norm: GroupNorm,
    proj_in: Linear,
    transformer_blocks: Vec<BasicTransformerBlock>,
    proj_out: Linear,
}

impl Transformer2DModel {
    pub(super) fn load(
        scope: &mut Scope<'_>,
        config: &Transformer2DConfig,
        prepared: &mut PreparedLayers,
    ) -> Result<Self, CheckpointError> {
        let channels = config.channels;
        // A 1x1 convolution before the picture becomes a sequence is the linear layer after it.
        let project = if config.use_linear_projection { Linear::load } else { Linear::load_conv_1x1 };
        let norm = GroupNorm::load(&mut scope.at("norm"), channels, config.norm_num_groups, GROUP_NORM_EPS)?;
        let proj_in = project(&mut scope.at("proj_in"), channels, channels)?;
        let mut transformer_blocks = Vec::new();
        for index in 0..config.layers {
            let mut scope = scope.at(format_args!("transformer_blocks.{index}"));
            transformer_blocks.push(BasicTransformerBlock::load(&mut scope, config, prepared)?);
        }
        let proj_out = project(&mut scope.at("proj_out"), channels, channels)?;
        Ok(Self { norm, proj_in, transformer_blocks, proj_out })
    }

    /// `[batch, channels, height, width]` to the same.
    pub(super) fn forward(&self, input: &Tensor, step: Step<'_>) -> Tensor {
        let size = input.size();
        let (height, width) = (size[2], size[3]);
        // Channels-last already is a sequence of cells: nothing is copied.
        let sequence = self.norm.forward(input).permute([0, 2, 3, 1]).flatten(1, 2);
        let mut hidden = self.proj_in.forward(&sequence);
        for block in &self.transformer_blocks {
            hidden = block.forward(hidden, step);
        }
        let mut output = self.proj_out.forward(&hidden).unflatten(1, [height, width]).permute([0, 3, 1, 2]);
        output += input;
        output
    }
}

/// Self-attention, cross-attention to the prompt, feed-forward; each after a norm and added to its input.
#[derive(Debug)]
struct BasicTransformerBlock {
    norm1: LayerNorm,
    /// `attn1.to_q`, `to_k` and `to_v` side by side
    attn1_qkv: Linear,
    attn1_out: Linear,
    norm2: LayerNorm,
    attn2_q: Linear,
    attn2_out: Linear,
    /// Place of the prompt's keys and values.
    attn2_keys: usize,
    norm3: LayerNorm,
    ff: FeedForward,
    heads: i64,
}

impl BasicTransformerBlock {
    fn load(
        scope: &mut Scope<'_>,
        config: &Transformer2DConfig,
        prepared: &mut PreparedLayers,
    ) -> Result<Self, CheckpointError> {
        let (dim, heads) = (config.channels, config.heads);
        let mut project = |name: &str, from: i64| Linear::load_without_bias(&mut scope.at(name), from, dim);
        let attn1_qkv = Linear::side_by_side(&[
            project("attn1.to_q", dim)?,
            project("attn1.to_k", dim)?,
            project("attn1.to_v", dim)?,
        ]);
        let attn2_q = project("attn2.to_q", dim)?;
        let attn2_kv = Linear::side_by_side(&[
            project("attn2.to_k", config.cross_attention_dim)?,
            project("attn2.to_v", config.cross_attention_dim)?,
        ]);
        Ok(Self {
            norm1: LayerNorm::load(&mut scope.at("norm1"), dim, LAYER_NORM_EPS)?,
            attn1_qkv,
            attn1_out: Linear::load(&mut scope.at("attn1.to_out.0"), dim, dim)?,
            norm2: LayerNorm::load(&mut scope.at("norm2"), dim, LAYER_NORM_EPS)?,
            attn2_q,
            attn2_out: Linear::load(&mut scope.at("attn2.to_out.0"), dim, dim)?,
            attn2_keys: prepared.add_cross_attention(attn2_kv, heads),
            norm3: LayerNorm::load(&mut scope.at("norm3"), dim, LAYER_NORM_EPS)?,
            ff: FeedForward::load(&mut scope.at("ff"), dim)?,
            heads,
        })
    }

    /// `[batch, length, dim]` to the same.
    fn forward(&self, mut hidden: Tensor, step: Step<'_>) -> Tensor {
        let [query, key, value] =
            split_heads(&self.attn1_qkv.forward(&self.norm1.forward(&hidden)), self.heads);
        hidden += self.attn1_out.forward(&attend(&query, &KeyValue { key, value }));
        let [query] = split_heads(&self.attn2_q.forward(&self.norm2.forward(&hidden)), self.heads);
        hidden += self.attn2_out.forward(&attend(&query, step.keys(self.attn2_keys)));
        hidden += self.ff.forward(&self.norm3.forward(&hidden));
        hidden
    }
}

/// `FeedForward` with `GEGLU`: one half of the wide layer gates the other, by the exact GELU.
#[derive(Debug)]
struct FeedForward {
    /// `net.0.proj`
    proj: Linear,
    /// `net.2`
    out: Linear,
}

impl FeedForward {
    /// Times as wide inside as outside (`FeedForward`, `mult`).
    const MULT: i64 = 4;

    fn load(scope: &mut Scope<'_>, dim: i64) -> Result<Self, CheckpointError> {
        let inner = dim * Self::MULT;
        Ok(Self {
            proj: Linear::load(&mut scope.at("net.0.proj"), dim, inner * 2)?,
            out: Linear::load(&mut scope.at("net.2"), inner, dim)?,
        })
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        let halves = self.proj.forward(input).chunk(2, -1);
        self.out.forward(&(&halves[0] * halves[1].gelu("none")))
    }
}
