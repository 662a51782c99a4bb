//! One picture, as the pipeline gets it and gives it.

use std::path::PathBuf;

use image::RgbImage;
use serde::Serialize;

use super::lora::{AppliedLora, LoraChoice};
use crate::compliance::ApprovedPrompt;
use crate::plan::{SamplerKind, Size};

/// What the owner thread draws: a [`RenderSpec`](super::RenderSpec), or what the command line asks.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderOptions {
    /// The checkpoint: a folder in diffusers' layout, or a `.safetensors` file in the original one.
    pub model_dir: PathBuf,
    /// In place of the checkpoint's own VAE: a file of one, in either layout, or a folder in diffusers'.
    pub vae: Option<PathBuf>,
    /// An empty negative prompt is none.
    pub prompt: ApprovedPrompt,
    pub size: Size,
    pub sampler: SamplerKind,
    pub num_inference_steps: u32,
    /// Guidance is off at 1 and below.
    pub guidance_scale: f64,
    /// From 0, which is off, to 1.
    pub guidance_rescale: f64,
    /// As in [`RenderSpec`](super::RenderSpec).
    pub clip_skip: u32,
    pub seed: u32,
    /// Merged into the networks for this picture; their order does not matter.
    pub loras: Vec<LoraChoice>,
    /// Initial noise in place of that of `seed`: the tensor `latents` of a safetensors file, of unit variance. A
    /// stochastic sampler's first draw is then that of `seed`, as in diffusers.
    pub initial_latents: Option<PathBuf>,
    /// Where to write the tensor `latents` as the last step leaves it.
    pub dump_latents: Option<PathBuf>,
}

/// A picture, what drew it, and where its time went.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    pub image: RgbImage,
    /// [`weights_sha256`](super::weights_sha256) of the checkpoint as it was loaded; with a VAE from elsewhere, the SHA-256
    /// of the list of both hashes, `checkpoint` and `vae`, as `sha256sum` would print it.
    pub weights_sha256: String,
    /// What was merged into these weights, in the order of the hashes.
    pub loras: Vec<AppliedLora>,
    /// How many pictures were denoised together with this one, itself included.
    pub batch: usize,
    pub timings: Timings,
}

/// All in milliseconds. Pictures of one batch share all but decoding; a total is up to the picture's own end.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Loading the checkpoint; about 0 when it was resident.
    #[serde(rename = "load")]
    pub load_ms: f64,
    /// Reading LoRAs, merging them and taking out those of the picture before; about 0 when nothing changed.
    #[serde(rename = "lora")]
    pub lora_ms: f64,
    /// Text encoders, and what the UNet prepares before the first step.
    #[serde(rename = "encode")]
    pub encode_ms: f64,
    #[serde(rename = "steps")]
    pub steps_ms: Vec<f64>,
    /// Autoencoder, and rounding to pixels.
    #[serde(rename = "decode")]
    pub decode_ms: f64,
    /// From the order's arrival at the owner thread to its picture.
    #[serde(rename = "total")]
    pub total_ms: f64,
}
