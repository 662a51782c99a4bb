//! The autoencoder of an original file: its names as diffusers has them, and its configuration from its shapes.
//!
//! Names: `diffusers/loaders/single_file_utils.py`, `convert_ldm_vae_checkpoint`, 0.42.1.

use serde_json::{Value, json};

use super::{Network, Tensors, count, shape};

/// Numbers of SDXL that no shape shows: `stable-diffusion-xl-base-1.0`, `vae/config.json`. An autoencoder that was made
/// to run in f16 has the same shapes; decoding it in f32 is no mistake.
const SCALING_FACTOR: f64 = 0.13025;
/// Of SDXL's VAE: the side of the pictures it was trained on, and of its tiles, in pixels.
const SAMPLE_SIZE: u32 = 1024;
const FORCE_UPCAST: bool = true;

/// Within any block, original name first.
const MODULES: [(&str, &str); 10] = [
    ("nin_shortcut.", "conv_shortcut."),
    ("upsample.conv.", "upsamplers.0.conv."),
    ("downsample.conv.", "downsamplers.0.conv."),
    ("mid.block_1.", "mid_block.resnets.0."),
    ("mid.block_2.", "mid_block.resnets.1."),
    ("norm_out.", "conv_norm_out."),
    ("mid.attn_1.norm.", "mid_block.attentions.0.group_norm."),
    ("mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0."),
    ("mid.attn_1.", "mid_block.attentions.0.to_"),
    ("block.", "resnets."),
];

/// Renames what it knows; what it does not know, and what has diffusers' names already, keeps its name.
pub(super) fn network(tensors: Tensors) -> Network {
    let levels = count(&tensors, "decoder.up.");
    let tensors: Tensors = tensors
        .into_iter()
        .map(|(name, entry)| {
            let name = renamed(&name, levels).unwrap_or(name);
            let entry = if name.contains(".attentions.0.") { entry.into_matrix() } else { entry };
            (name, entry)
        })
        .collect();
    let config = config(&tensors);
    Network { tensors, config }
}

fn renamed(name: &str, levels: usize) -> Option<String> {
    let (half, rest) = name.split_once('.').filter(|(half, _)| matches!(*half, "encoder" | "decoder"))?;
    let level = |rest: &str| {
        let (level, rest) = rest.split_once('.')?;
        Some((level.parse::<usize>().ok()?, modules(rest)))
    };
    if let Some((level, rest)) = rest.strip_prefix("down.").and_then(level) {
        return Some(format!("{half}.down_blocks.{level}.{rest}"));
    }
    // Counted from the widest picture there, in the order of the way up here.
    if let Some((level, rest)) = rest.strip_prefix("up.").and_then(level) {
        return Some(format!("{half}.up_blocks.{}.{rest}", levels.checked_sub(1 + level)?));
    }
    Some(format!("{half}.{}", modules(rest)))
}

/// The name of a module, and of one within it.
fn modules(rest: &str) -> String {
    let known = |rest: &str| MODULES.into_iter().find(|(old, _)| rest.starts_with(old));
    let Some((old, new)) = known(rest) else { return rest.to_owned() };
    let rest = &rest[old.len()..];
    // `block.0.nin_shortcut.weight`, `mid.block_1.nin_shortcut.weight`
    match rest.split_once("nin_shortcut.") {
        Some((before, after)) => format!("{new}{before}conv_shortcut.{after}"),
        None => format!("{new}{rest}"),
    }
}

/// `vae/config.json`, by diffusers' names, for tensors that have them. What the shapes contradict is noticed when the
/// tensors are taken.
fn config(tensors: &Tensors) -> Value {
    let side = |name: &str, axis: usize| shape(tensors, name).get(axis).copied().unwrap_or_default();
    let levels = count(tensors, "decoder.up_blocks.");
    let channels: Vec<i64> = (0..levels)
        .rev()
        .map(|level| side(&format!("decoder.up_blocks.{level}.resnets.0.conv2.weight"), 0))
        .collect();
    let layers = count(tensors, "decoder.up_blocks.0.resnets.").saturating_sub(1);
    let has = |name: &str| tensors.contains_key(name);
    json!({
        "in_channels": 3,
        "out_channels": side("decoder.conv_out.weight", 0),
        "block_out_channels": channels,
        "down_block_types": vec!["DownEncoderBlock2D"; levels],
        "up_block_types": vec!["UpDecoderBlock2D"; levels],
        "layers_per_block": layers,
        "latent_channels": side("decoder.conv_in.weight", 1),
        "scaling_factor": SCALING_FACTOR,
        "sample_size": SAMPLE_SIZE,
        "force_upcast": FORCE_UPCAST,
        "use_quant_conv": has("quant_conv.weight"),
        "use_post_quant_conv": has("post_quant_conv.weight"),
        "mid_block_add_attention": has("decoder.mid_block.attentions.0.group_norm.weight"),
    })
}
