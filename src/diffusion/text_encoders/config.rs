//! `config.json` of a CLIP text encoder (`transformers/models/clip/configuration_clip.py`, 5.23.0).

use crate::diffusion::checkpoint::{CheckpointError, ConfigFile};

/// The layer's activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HiddenAct {
    /// `x * sigmoid(1.702 x)`, of OpenAI's CLIP.
    QuickGelu,
    /// The exact one, by the error function, of OpenCLIP.
    Gelu,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct CLIPTextConfig {
    pub(super) vocab_size: i64,
    pub(super) hidden_size: i64,
    pub(super) intermediate_size: i64,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: i64,
    pub(super) max_position_embeddings: i64,
    pub(super) projection_dim: i64,
    pub(super) hidden_act: HiddenAct,
    pub(super) layer_norm_eps: f64,
    pub(super) eos_token_id: i64,
}

impl CLIPTextConfig {
    /// The file carries many fields of transformers' that do not touch the network; only those that do are read.
    pub(super) fn read(mut file: ConfigFile) -> Result<Self, CheckpointError> {
        let hidden_act = match file.take("hidden_act", "quick_gelu".to_owned())?.as_str() {
            "quick_gelu" => HiddenAct::QuickGelu,
            "gelu" => HiddenAct::Gelu,
            other => return Err(file.refuse("hidden_act", format!("`{other}` is not supported"))),
        };
        let config = Self {
            vocab_size: file.take("vocab_size", 49408)?,
            hidden_size: file.take("hidden_size", 512)?,
            intermediate_size: file.take("intermediate_size", 2048)?,
            num_hidden_layers: file.take("num_hidden_layers", 12)?,
            num_attention_heads: file.take("num_attention_heads", 8)?,
            max_position_embeddings: file.take("max_position_embeddings", 77)?,
            projection_dim: file.take("projection_dim", 512)?,
            hidden_act,
            layer_norm_eps: file.take("layer_norm_eps", 1e-5)?,
            eos_token_id: file.take("eos_token_id", 49407)?,
        };
        if config.num_attention_heads < 1 || config.hidden_size % config.num_attention_heads != 0 {
            return Err(file.refuse(
                "num_attention_heads",
                format!("{} does not divide hidden_size {}", config.num_attention_heads, config.hidden_size),
            ));
        }
        if config.num_hidden_layers < 2 {
            return Err(file.refuse("num_hidden_layers", "SDXL takes the layer before the last"));
        }
        Ok(config)
    }
}
