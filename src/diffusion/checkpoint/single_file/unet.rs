//! The UNet of an original SDXL file: its names as diffusers has them, and its configuration from its shapes.
//!
//! Names: `diffusers/loaders/single_file_utils.py`, `convert_ldm_unet_checkpoint`, 0.42.1. There the configuration must
//! say how many layers a block has before a name can be mapped; here the names say it.

use serde_json::{Value, json};

use super::{Network, Tensors, count, shape};

/// Numbers of SDXL that no shape shows: `stable-diffusion-xl-base-1.0`, `unet/config.json`, where
/// `attention_head_dim` is [5, 10, 20] of 320, 640 and 1280 channels.
const HEAD_DIM: i64 = 64;
const ADDITION_TIME_EMBED_DIM: i64 = 256;

/// Modules that have one place only, original name first.
const SINGLE: [(&str, &str); 10] = [
    ("time_embed.0.", "time_embedding.linear_1."),
    ("time_embed.2.", "time_embedding.linear_2."),
    ("label_emb.0.0.", "add_embedding.linear_1."),
    ("label_emb.0.2.", "add_embedding.linear_2."),
    ("input_blocks.0.0.", "conv_in."),
    ("out.0.", "conv_norm_out."),
    ("out.2.", "conv_out."),
    ("middle_block.0.", "mid_block.resnets.0."),
    ("middle_block.1.", "mid_block.attentions.0."),
    ("middle_block.2.", "mid_block.resnets.1."),
];

/// Within a residual block.
const RESNET: [(&str, &str); 6] = [
    ("in_layers.0.", "norm1."),
    ("in_layers.2.", "conv1."),
    ("out_layers.0.", "norm2."),
    ("out_layers.3.", "conv2."),
    ("emb_layers.1.", "time_emb_proj."),
    ("skip_connection.", "conv_shortcut."),
];

/// Renames what it knows; what it does not know keeps its name, for the network to refuse.
pub(super) fn network(tensors: Tensors) -> Network {
    let layers = layers_per_block(&tensors);
    let tensors: Tensors =
        tensors.into_iter().map(|(name, entry)| (renamed(&name, &layers).unwrap_or(name), entry)).collect();
    let config = config(&tensors, &layers);
    Network { tensors, config }
}

/// Residual blocks of each down block: a downsampler ends a block.
fn layers_per_block(tensors: &Tensors) -> Vec<usize> {
    let mut layers = vec![0];
    for index in 1.. {
        if tensors.contains_key(&format!("input_blocks.{index}.0.op.weight")) {
            layers.push(0);
        } else if tensors.contains_key(&format!("input_blocks.{index}.0.in_layers.0.weight")) {
            let last = layers.len() - 1;
            layers[last] += 1;
        } else {
            break;
        }
    }
    layers
}

fn renamed(name: &str, layers: &[usize]) -> Option<String> {
    if let Some((old, new)) = SINGLE.into_iter().find(|(old, _)| name.starts_with(old)) {
        let rest = &name[old.len()..];
        return Some(format!("{new}{}", resnet(rest).unwrap_or_else(|| rest.to_owned())));
    }
    let mut parts = name.splitn(4, '.');
    let (side, index, module, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (index, module): (usize, usize) = (index.parse().ok()?, module.parse().ok()?);
    match side {
        "input_blocks" => {
            // Each block is its layers and, unless it is the last, a downsampler; the first place is conv_in's.
            let (block, layer) = place(index.checked_sub(1)?, layers.iter().copied())?;
            if layer == layers[block] {
                return Some(format!(
                    "down_blocks.{block}.downsamplers.0.conv.{}",
                    rest.strip_prefix("op.")?
                ));
            }
            in_layer("down_blocks", block, layer, module, rest)
        }
        "output_blocks" => {
            // The mirror of the way down: one layer more a block.
            let (block, layer) = place(index, layers.iter().rev().copied())?;
            match rest.strip_prefix("conv.") {
                Some(rest) if module > 0 => Some(format!("up_blocks.{block}.upsamplers.0.conv.{rest}")),
                _ => in_layer("up_blocks", block, layer, module, rest),
            }
        }
        _ => None,
    }
}

/// The block, and the place in it, of place `index` where each block has one place more than its `layers`.
fn place(mut index: usize, layers: impl Iterator<Item = usize>) -> Option<(usize, usize)> {
    for (block, layers) in layers.enumerate() {
        if index <= layers {
            return Some((block, index));
        }
        index -= layers + 1;
    }
    None
}

fn in_layer(side: &str, block: usize, layer: usize, module: usize, rest: &str) -> Option<String> {
    match module {
        0 => Some(format!("{side}.{block}.resnets.{layer}.{}", resnet(rest)?)),
        1 => Some(format!("{side}.{block}.attentions.{layer}.{rest}")),
        _ => None,
    }
}

fn resnet(rest: &str) -> Option<String> {
    let (old, new) = RESNET.into_iter().find(|(old, _)| rest.starts_with(old))?;
    Some(format!("{new}{}", &rest[old.len()..]))
}

/// `unet/config.json`, by diffusers' names. What the shapes contradict is noticed when the tensors are taken.
fn config(tensors: &Tensors, layers: &[usize]) -> Value {
    let side = |name: &str, axis: usize| shape(tensors, name).get(axis).copied().unwrap_or_default();
    let depth = |place: &str| count(tensors, &format!("{place}.attentions.0.transformer_blocks."));
    let mut blocks: Vec<(i64, bool, bool, usize)> = Vec::new();
    let mut cross_attention_dim = 0;
    for block in 0..layers.len() {
        let (down, up) = (format!("down_blocks.{block}"), format!("up_blocks.{}", layers.len() - 1 - block));
        let [down_depth, up_depth] = [depth(&down), depth(&up)];
        for place in [&down, &up, &"mid_block".to_owned()] {
            let key = format!("{place}.attentions.0.transformer_blocks.0.attn2.to_k.weight");
            cross_attention_dim = cross_attention_dim.max(side(&key, 1));
        }
        let channels = side(&format!("{down}.resnets.0.conv2.weight"), 0);
        blocks.push((channels, down_depth > 0, up_depth > 0, down_depth.max(up_depth)));
    }
    if let Some(last) = blocks.last_mut() {
        last.3 = last.3.max(depth("mid_block"));
    }
    let kind =
        |attends: bool, with: &'static str, without: &'static str| if attends { with } else { without };
    let down: Vec<_> =
        blocks.iter().map(|block| kind(block.1, "CrossAttnDownBlock2D", "DownBlock2D")).collect();
    let up: Vec<_> =
        blocks.iter().rev().map(|block| kind(block.2, "CrossAttnUpBlock2D", "UpBlock2D")).collect();
    json!({
        "in_channels": side("conv_in.weight", 1),
        "out_channels": side("conv_out.weight", 0),
        "block_out_channels": blocks.iter().map(|block| block.0).collect::<Vec<_>>(),
        "down_block_types": down,
        "up_block_types": up,
        "layers_per_block": layers,
        "transformer_layers_per_block": blocks.iter().map(|block| block.3.max(1)).collect::<Vec<_>>(),
        "attention_head_dim": blocks.iter().map(|block| block.0 / HEAD_DIM).collect::<Vec<_>>(),
        "cross_attention_dim": cross_attention_dim,
        "use_linear_projection": shape(tensors, "mid_block.attentions.0.proj_in.weight").len() == 2,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": ADDITION_TIME_EMBED_DIM,
        "projection_class_embeddings_input_dim": side("add_embedding.linear_1.weight", 1),
    })
}
