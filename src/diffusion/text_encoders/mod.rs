//! Token ids to vectors: the two CLIP text encoders of SDXL.
//!
//! - `config`: the fields of their `config.json`
//! - `clip_text_model`: both classes, `CLIPTextModel` and `CLIPTextModelWithProjection`
//! - `encoder_layer`: one transformer layer

mod clip_text_model;
mod config;
mod encoder_layer;

pub(super) use clip_text_model::CLIPTextModel;
