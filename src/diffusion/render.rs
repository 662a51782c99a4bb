//! One picture, as the pipeline gets it and gives it.

use std::path::PathBuf;

use image::RgbImage;
use serde::Serialize;

use crate::compliance::ApprovedPrompt;
use crate::plan::{SamplerKind, Size};

/// What the owner thread draws: a [`RenderSpec`](super::RenderSpec), or what the command line asks.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderOptions {
    /// Folder of the checkpoint in diffusers' layout.
    pub model_dir: PathBuf,
    /// An empty negative prompt is none.
    pub prompt: ApprovedPrompt,
    pub size: Size,
    pub sampler: SamplerKind,
    pub num_inference_steps: u32,
    /// Guidance is off at 1 and below.
    pub guidance_scale: f64,
    pub seed: u32,
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
    /// [`weights_sha256`](super::weights_sha256) of the checkpoint as it was loaded.
    pub weights_sha256: String,
    pub timings: Timings,
}

/// All in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Loading the checkpoint; about 0 when it was resident.
    #[serde(rename = "load")]
    pub load_ms: f64,
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
