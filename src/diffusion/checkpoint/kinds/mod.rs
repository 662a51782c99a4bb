//! What kind of file a file is, by its first bytes and by the names and shapes in its header: what is not supported is
//! called by its name.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::CheckpointError;
use super::header::Header;

/// Endings under which Python's pickle is found. Its files run code when they are opened.
const PICKLE_ENDINGS: [&str; 6] = ["ckpt", "pt", "pth", "bin", "pkl", "pickle"];

const PICKLE: &str = "pickle file, which runs code when it is opened; get its .safetensors version";

/// First bytes of what is no safetensors file.
const MAGICS: [(&[u8], &str); 11] = [
    (b"GGUF", "GGUF file (quantised weights)"),
    (b"PK\x03\x04", PICKLE),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
    (b"version https://git-lfs", "git LFS pointer in place of the file itself; download the file"),
    (b"<!DOCTYPE", "web page, perhaps the sign-in page of a model site"),
    (b"<!doctype", "web page, perhaps the sign-in page of a model site"),
    (b"<html", "web page, perhaps the sign-in page of a model site"),
    (b"\x89HDF", "Keras or HDF5 file"),
];

/// A part of a tensor's name, and what a file that has it is. Those that name more come first.
const NAMED: [(&str, &str); 37] = [
    ("lora_down.", "LoRA file; it is applied to a checkpoint"),
    ("lora_A.", "LoRA file; it is applied to a checkpoint"),
    ("lora.down.", "LoRA file; it is applied to a checkpoint"),
    ("hada_w1_", "LoHa file (LyCORIS); it is applied to a checkpoint"),
    ("lokr_w1", "LoKr file (LyCORIS); it is applied to a checkpoint"),
    ("emb_params", "textual inversion embedding"),
    ("control_model.", "ControlNet"),
    ("input_hint_block.", "ControlNet"),
    ("controlnet_", "ControlNet"),
    ("ip_adapter.", "IP-Adapter"),
    ("motion_modules.", "AnimateDiff motion module"),
    ("edm_mean", "Playground v2.5 checkpoint"),
    ("edm_vpred.", "SDXL checkpoint of the EDM kind (CosXL)"),
    ("single_stream_modulation.", "Flux.2 model"),
    ("distilled_guidance_layer.", "Chroma model"),
    ("double_blocks.0.img_attn.", "Flux model"),
    ("single_transformer_blocks.", "Flux model in diffusers' layout"),
    ("joint_blocks.0.", "Stable Diffusion 3 model"),
    ("double_layers.0.", "AuraFlow model"),
    ("double_stream_blocks.", "HiDream model"),
    ("cap_embedder.", "Lumina or Z-Image model"),
    ("clip_txt_mapper.", "Stable Cascade model"),
    ("clip_txt_pooled_mapper.", "Stable Cascade model"),
    ("head.modulation", "Wan video model"),
    ("patchify_proj.", "LTX video model"),
    ("cross_attn.kv_linear.", "PixArt or Sana model"),
    ("t_block.1.", "PixArt model"),
    ("adaln_single.", "PixArt model"),
    ("txt_norm.weight", "Qwen-Image model"),
    ("net.x_embedder.", "Cosmos model"),
    ("img_in.proj.", "Hunyuan model"),
    ("cond_stage_model.model.", "Stable Diffusion 2.x checkpoint"),
    ("cond_stage_model.", "Stable Diffusion 1.x checkpoint"),
    ("embedders.0.open_clip.", "Stable Video Diffusion checkpoint"),
    ("conditioner.embedders.0.model.", "SDXL refiner, which does not draw from noise"),
    ("conv_first.", "picture upscaler"),
    ("visual.transformer.", "CLIP picture encoder"),
];

/// The first layer of an original UNet, `[channels, in_channels, 3, 3]`.
const FIRST: &str = "model.diffusion_model.input_blocks.0.0.weight";

/// Reads the header of a file that may be a pickle, a GGUF or something else under a wrong name.
pub(super) fn read(path: &Path) -> Result<Header, CheckpointError> {
    let unsupported =
        |kind: &str| CheckpointError::Unsupported { path: path.display().to_string(), kind: kind.to_owned() };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if PICKLE_ENDINGS.contains(&ending.as_str()) {
        return Err(unsupported(PICKLE));
    }
    let mut start = [0; 64];
    let file = File::open(path).map_err(|error| CheckpointError::file(path, error))?;
    let length = file.read_at(&mut start, 0).map_err(|error| CheckpointError::file(path, error))?;
    if let Some((_, kind)) = MAGICS.into_iter().find(|(magic, _)| start[..length].starts_with(magic)) {
        return Err(unsupported(kind));
    }
    Header::read(path)
}

/// What a file is in place of an SDXL base checkpoint, if it is something else.
pub(super) fn other_than_sdxl(header: &Header) -> Option<String> {
    let starts = |prefix: &str| header.tensors.keys().any(|name| name.starts_with(prefix));
    if let Some(kind) = named(header) {
        return Some(kind.to_owned());
    }
    let channels = header.shape(FIRST).and_then(|shape| shape.get(1).copied());
    match channels {
        Some(4) => {}
        Some(9) => return Some("inpainting checkpoint of SDXL".to_owned()),
        Some(8) => return Some("picture-editing checkpoint of SDXL (InstructPix2Pix)".to_owned()),
        Some(other) => return Some(format!("UNet of {other} input channels; SDXL has 4")),
        None => return Some(part(header)),
    }
    if !starts("model.diffusion_model.middle_block.1.transformer_blocks.") {
        return Some("distilled SDXL with parts of its UNet cut out (SSD-1B, Vega, KOALA)".to_owned());
    }
    let clip = starts("conditioner.embedders.0.transformer.text_model.");
    let open_clip = starts("conditioner.embedders.1.model.transformer.");
    let first_stage = starts("first_stage_model.decoder.");
    let missing = [(clip, "CLIP-L"), (open_clip, "OpenCLIP bigG"), (first_stage, "VAE")];
    let missing: Vec<_> = missing.into_iter().filter(|(there, _)| !there).map(|(_, name)| name).collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!("UNet without its {}; a checkpoint with all of them is needed", missing.join(", ")))
}

/// What a file is in place of an autoencoder, if it is something else.
pub(super) fn other_than_vae(header: &Header) -> Option<String> {
    if header.tensors.contains_key(FIRST) {
        return Some("whole checkpoint; name its VAE's own file".to_owned());
    }
    if let Some(kind) = named(header) {
        return Some(kind.to_owned());
    }
    if is_vae(header) { None } else { Some(part(header)) }
}

fn named(header: &Header) -> Option<&'static str> {
    let found = NAMED.into_iter().find(|(part, _)| header.tensors.keys().any(|name| has(name, part)));
    found.map(|(_, kind)| kind)
}

/// Whether `part` begins at the beginning of `name` or of one of its parts.
fn has(name: &str, part: &str) -> bool {
    name.starts_with(part)
        || name.match_indices(part).any(|(at, _)| matches!(name.as_bytes()[at - 1], b'.' | b'_'))
}

fn is_vae(header: &Header) -> bool {
    ["", "first_stage_model."]
        .into_iter()
        .any(|prefix| header.shape(&format!("{prefix}decoder.conv_in.weight")).is_some_and(|s| s.len() == 4))
}

/// A file without an original UNet in it.
fn part(header: &Header) -> String {
    let has = |name: &str| header.tensors.contains_key(name);
    let known = [
        (is_vae(header), "VAE alone; it can take the place of a checkpoint's own"),
        (has("input_blocks.0.0.weight"), "UNet without its text encoders and VAE"),
        (
            has("down_blocks.0.resnets.0.norm1.weight"),
            "UNet of a folder in diffusers' layout; name the folder",
        ),
        (
            header.tensors.keys().any(|name| name.ends_with("embeddings.token_embedding.weight")),
            "text encoder alone",
        ),
    ];
    if let Some((_, kind)) = known.into_iter().find(|(is, _)| *is) {
        return kind.to_owned();
    }
    let first: Vec<_> = header.tensors.keys().take(3).map(String::as_str).collect();
    format!("file of {} tensors of an unknown kind: {}", header.tensors.len(), first.join(", "))
}

#[cfg(test)]
pub(super) mod tests;
