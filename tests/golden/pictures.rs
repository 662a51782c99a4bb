//! The pictures that diffusers draws of the tiny checkpoints.

use std::collections::HashMap;
use std::path::PathBuf;

use imgen::compliance::{ApprovedPrompt, ComplianceConfig, Reviewer, Texts};
use imgen::diffusion::{DeviceChoice, DiffusionConfig, DtypeChoice, Engine, RenderOptions};
use imgen::plan::{SamplerKind, Size};
use serde::Deserialize;
use tch::Tensor;

use crate::fixtures;

pub(crate) const FOLDERS: [&str; 2] = ["tiny-sdxl", "tiny-starter"];

/// What was asked of diffusers (`tests/fixtures/reference_pictures.py`).
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) prompt: String,
    pub(crate) negative_prompt: Option<String>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) num_inference_steps: u32,
    pub(crate) guidance_scale: f64,
    pub(crate) sampler: SamplerKind,
    pub(crate) seed: u32,
    /// Names of tensors of the same file.
    pub(crate) latents: String,
    pub(crate) picture: Option<String>,
}

pub(crate) struct Reference {
    pub(crate) folder: PathBuf,
    pub(crate) cases: Vec<Case>,
    pub(crate) tensors: HashMap<String, Tensor>,
}

impl Reference {
    pub(crate) fn read(folder: &str) -> Self {
        Self::read_from(folder, "expected")
    }

    /// `FOLDER.FILE.safetensors`
    pub(crate) fn read_from(folder: &str, file: &str) -> Self {
        let (tensors, cases) = fixtures::tensors(&format!("{folder}.{file}.safetensors"), "cases");
        Self { folder: fixtures::path(folder), cases, tensors }
    }
}

/// What `tests/fixtures/reference_prompts.py` drew: weights, and `clip_skip`. Guidance 5, 4 steps, seed 3.
#[derive(Debug, Deserialize)]
pub(crate) struct Drawn {
    pub(crate) positive: String,
    pub(crate) negative: String,
    pub(crate) clip_skip: u32,
    /// Name of a tensor of the same file.
    pub(crate) latents: String,
    pub(crate) side: u32,
}

impl Drawn {
    pub(crate) fn read(folder: &str) -> (HashMap<String, Tensor>, [Self; 2]) {
        fixtures::tensors(&format!("{folder}.prompts.safetensors"), "drawn")
    }
}

impl Case {
    pub(crate) fn options(&self, folder: PathBuf) -> RenderOptions {
        let negative = self.negative_prompt.as_deref().unwrap_or_default();
        RenderOptions {
            model_dir: folder,
            vae: None,
            prompt: approved(&fixtures::escaped(&self.prompt), &fixtures::escaped(negative)),
            size: Size { width_px: self.width, height_px: self.height },
            sampler: self.sampler,
            num_inference_steps: self.num_inference_steps,
            guidance_scale: self.guidance_scale,
            guidance_rescale: 0.0,
            clip_skip: 0,
            seed: self.seed,
            loras: Vec::new(),
            initial_latents: None,
            dump_latents: None,
        }
    }
}

pub(crate) fn approved(positive: &str, negative: &str) -> ApprovedPrompt {
    let reviewer = Reviewer::new(&ComplianceConfig::default()).unwrap();
    reviewer.approve(&Texts { positive, negative, ..Texts::default() }).unwrap()
}

/// An engine that computes in float32 on the CPU.
pub(crate) fn engine(dtype: DtypeChoice) -> Engine {
    let config = DiffusionConfig { device: DeviceChoice::Cpu, dtype, ..DiffusionConfig::default() };
    Engine::start(&config).unwrap()
}
