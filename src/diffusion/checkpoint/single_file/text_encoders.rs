//! The text encoders of an original SDXL file: OpenAI's CLIP under transformers' names, and OpenCLIP's under its own.
//!
//! Names: `diffusers/loaders/single_file_utils.py`, `convert_ldm_clip_checkpoint` and `convert_open_clip_checkpoint`,
//! 0.42.1.

use serde_json::{Value, json};

use super::{Network, Tensors, count, shape};

/// Both of SDXL's encoders have heads this wide: 12 of 768, 20 of 1280. No shape shows it.
const HEAD_DIM: i64 = 64;

/// OpenCLIP's names outside its layers, and transformers'.
const OUTSIDE: [(&str, &str); 5] = [
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("token_embedding.weight", "embeddings.token_embedding.weight"),
    ("ln_final.weight", "final_layer_norm.weight"),
    ("ln_final.bias", "final_layer_norm.bias"),
    ("text_projection", "text_projection.weight"),
];

/// Within a layer.
const LAYER: [(&str, &str); 5] = [
    ("ln_1.", "layer_norm1."),
    ("ln_2.", "layer_norm2."),
    ("attn.out_proj.", "self_attn.out_proj."),
    ("mlp.c_fc.", "mlp.fc1."),
    ("mlp.c_proj.", "mlp.fc2."),
];

/// Query, key and value in one matrix there.
const FUSED: [(&str, &str); 2] = [("attn.in_proj_weight", "weight"), ("attn.in_proj_bias", "bias")];

/// The first encoder, whose names are transformers' already.
pub(super) fn clip(tensors: Tensors) -> Network {
    let tensors: Tensors = tensors
        .into_iter()
        .map(|(name, entry)| (name.strip_prefix("text_model.").unwrap_or(&name).to_owned(), entry))
        .collect();
    let config = config(&tensors, "quick_gelu");
    Network { tensors, config }
}

/// The second encoder. What is not known keeps its name, for the network to refuse.
pub(super) fn open_clip(tensors: Tensors) -> Network {
    let mut renamed = Tensors::new();
    for (name, entry) in tensors {
        if let Some((_, new)) = OUTSIDE.into_iter().find(|(old, _)| *old == name) {
            // OpenCLIP multiplies by it from the right.
            let entry = if name == "text_projection" { entry.transpose() } else { entry };
            renamed.insert(new.to_owned(), entry);
            continue;
        }
        let layer = name.strip_prefix("transformer.resblocks.").and_then(|rest| rest.split_once('.'));
        let Some((number, rest)) = layer else {
            renamed.insert(name, entry);
            continue;
        };
        let to = format!("encoder.layers.{number}");
        let fused = FUSED.into_iter().find(|(old, _)| *old == rest);
        if let Some((parts, (_, what))) = entry.split(3).zip(fused) {
            for (part, projection) in parts.into_iter().zip(["q_proj", "k_proj", "v_proj"]) {
                renamed.insert(format!("{to}.self_attn.{projection}.{what}"), part);
            }
        } else if let Some((old, new)) = LAYER.into_iter().find(|(old, _)| rest.starts_with(old)) {
            renamed.insert(format!("{to}.{new}{}", &rest[old.len()..]), entry);
        } else {
            renamed.insert(name, entry);
        }
    }
    let config = config(&renamed, "gelu");
    Network { tensors: renamed, config }
}

/// `config.json` by transformers' names.
fn config(tensors: &Tensors, hidden_act: &str) -> Value {
    let side = |name: &str, axis: usize| shape(tensors, name).get(axis).copied().unwrap_or_default();
    let (vocab_size, hidden_size) =
        (side("embeddings.token_embedding.weight", 0), side("embeddings.token_embedding.weight", 1));
    // The first encoder's is not in the file, which is as wide as it is itself.
    let projection_dim = shape(tensors, "text_projection.weight").first().copied().unwrap_or(hidden_size);
    json!({
        "vocab_size": vocab_size,
        "hidden_size": hidden_size,
        "intermediate_size": side("encoder.layers.0.mlp.fc1.weight", 0),
        "num_hidden_layers": count(tensors, "encoder.layers."),
        "num_attention_heads": hidden_size / HEAD_DIM,
        "max_position_embeddings": side("embeddings.position_embedding.weight", 0),
        "projection_dim": projection_dim,
        // CLIP's end of text is the last of its vocabulary.
        "eos_token_id": vocab_size - 1,
        "hidden_act": hidden_act,
    })
}
