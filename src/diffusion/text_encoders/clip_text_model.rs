//! `CLIPTextModel` and `CLIPTextModelWithProjection` (`modeling_clip.py`, transformers 5.23.0).

use tch::{Device, Kind, Tensor};

use super::config::CLIPTextConfig;
use super::encoder_layer::CLIPEncoderLayer;
use crate::diffusion::checkpoint::{Checkpoint, CheckpointError, LiveWeights};
use crate::diffusion::layers::{LayerNorm, Linear};

/// What SDXL takes from an encoder.
#[derive(Debug)]
pub(in crate::diffusion) struct TextEmbeds {
    /// `hidden_states[-2]`: `[batch, length, hidden_size]`, the layer before the last, without the final norm.
    pub(in crate::diffusion) penultimate: Tensor,
    /// `hidden_states[-(clip_skip + 2)]`, likewise; the same where nothing is skipped.
    pub(in crate::diffusion) skipped: Tensor,
    /// `text_embeds`: `[batch, projection_dim]`, of the encoder with projection only.
    pub(in crate::diffusion) pooled: Option<Tensor>,
}

/// Either class; what only the pooled output needs is kept by the one with projection.
#[derive(Debug)]
pub(in crate::diffusion) struct CLIPTextModel {
    config: CLIPTextConfig,
    /// `[vocab_size, hidden_size]`
    token_embedding: Tensor,
    /// `[max_position_embeddings, hidden_size]`
    position_embedding: Tensor,
    /// All layers but the last.
    layers: Vec<CLIPEncoderLayer>,
    projection: Option<Projection>,
    parameters: u64,
    live: LiveWeights,
}

/// From the layer before the last to the pooled output.
#[derive(Debug)]
struct Projection {
    last_layer: CLIPEncoderLayer,
    final_layer_norm: LayerNorm,
    text_projection: Linear,
}

impl CLIPTextModel {
    /// Loads the checkpoint's `component`. Names may carry the `text_model.` prefix (transformers 4, all published SDXL
    /// folders) or not (transformers 5).
    pub(in crate::diffusion) fn load(
        checkpoint: &Checkpoint,
        component: &str,
        with_projection: bool,
        device: Device,
        kind: Kind,
    ) -> Result<Self, CheckpointError> {
        let config = CLIPTextConfig::read(checkpoint.config(component)?)?;
        let mut weights = checkpoint.weights(component, device, kind)?;
        weights.rename(|name| name.strip_prefix("text_model.").unwrap_or(name).to_owned())?;
        let mut root = weights.root();
        let hidden = config.hidden_size;
        let token_embedding = root.take("embeddings.token_embedding.weight", &[config.vocab_size, hidden])?;
        let position_embedding =
            root.take("embeddings.position_embedding.weight", &[config.max_position_embeddings, hidden])?;
        let mut layers = Vec::new();
        for index in 0..config.num_hidden_layers {
            layers
                .push(CLIPEncoderLayer::load(&mut root.at(format_args!("encoder.layers.{index}")), &config)?);
        }
        let last_layer = layers.pop();
        let final_layer_norm =
            LayerNorm::load(&mut root.at("final_layer_norm"), hidden, config.layer_norm_eps)?;
        let projection = match last_layer {
            Some(last_layer) if with_projection => Some(Projection {
                last_layer,
                final_layer_norm,
                text_projection: Linear::load_without_bias(
                    &mut root.at("text_projection"),
                    hidden,
                    config.projection_dim,
                )?,
            }),
            _ => None,
        };
        let live = weights.live();
        let parameters = weights.finish()?;
        Ok(Self { config, token_embedding, position_embedding, layers, projection, parameters, live })
    }

    /// Width of [`TextEmbeds::penultimate`].
    pub(in crate::diffusion) fn hidden_size(&self) -> i64 {
        self.config.hidden_size
    }

    /// Width of [`TextEmbeds::pooled`].
    pub(in crate::diffusion) fn projection_dim(&self) -> i64 {
        self.config.projection_dim
    }

    /// The longest text it takes, in tokens with both ends.
    pub(in crate::diffusion) fn max_position_embeddings(&self) -> i64 {
        self.config.max_position_embeddings
    }

    /// Token ids must be below it.
    pub(in crate::diffusion) fn vocab_size(&self) -> i64 {
        self.config.vocab_size
    }

    /// What it computes with, under transformers' names without `text_model.`.
    pub(in crate::diffusion) fn live(&self) -> &LiveWeights {
        &self.live
    }

    pub(in crate::diffusion) fn parameters(&self) -> u64 {
        self.parameters
    }

    /// The most layers that `clip_skip` can leave out: then only the embedded tokens are left.
    pub(in crate::diffusion) fn most_clip_skip(&self) -> usize {
        self.layers.len()
    }

    /// `input_ids` is `[batch, length]` of i64, each row with an end-of-text token; `clip_skip` is at most
    /// [`Self::most_clip_skip`].
    pub(in crate::diffusion) fn forward(&self, input_ids: &Tensor, clip_skip: usize) -> TextEmbeds {
        let input_ids = &input_ids.to_device(self.token_embedding.device());
        let length = input_ids.size().last().copied().unwrap_or_default();
        let tokens = Tensor::embedding(&self.token_embedding, input_ids, -1, false, false);
        let mut penultimate = tokens + self.position_embedding.narrow(0, 0, length);
        let taken = self.layers.len().saturating_sub(clip_skip);
        let mut skipped = penultimate.shallow_clone();
        for (done, layer) in (1..).zip(&self.layers) {
            penultimate = layer.forward(&penultimate);
            if done == taken {
                skipped = penultimate.shallow_clone();
            }
        }
        let pooled = self.projection.as_ref().map(|projection| {
            let last = projection.final_layer_norm.forward(&projection.last_layer.forward(&penultimate));
            let rows = Tensor::arange(last.size()[0], (Kind::Int64, last.device()));
            let at_end = last.index(&[Some(rows), Some(self.end_of_text(input_ids))]);
            projection.text_projection.forward(&at_end)
        });
        TextEmbeds { penultimate, skipped, pooled }
    }

    /// `[batch]`: where each row ends. An `eos_token_id` of 2 marks configurations older than transformers'
    /// pull request 24773, where the end is the highest id.
    fn end_of_text(&self, input_ids: &Tensor) -> Tensor {
        if self.config.eos_token_id == 2 {
            input_ids.argmax(-1, false)
        } else {
            input_ids.eq(self.config.eos_token_id).to_kind(Kind::Int).argmax(-1, false)
        }
    }
}
