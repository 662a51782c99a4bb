//! `model_index.json`: which networks a folder has.

use std::path::Path;

use serde_json::Value;

use super::{CheckpointError, ConfigFile};

/// What the pipeline needs to know of `model_index.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diffusion) struct ModelIndex {
    /// An absent negative prompt becomes zeros in place of the embedding of an empty text.
    pub(in crate::diffusion) force_zeros_for_empty_prompt: bool,
}

impl Default for ModelIndex {
    /// `stable-diffusion-xl-base-1.0`, `model_index.json`.
    fn default() -> Self {
        Self { force_zeros_for_empty_prompt: true }
    }
}

/// The parts this build runs: name in the folder, and the class it must have.
const PARTS: [(&str, &str); 6] = [
    ("text_encoder", "CLIPTextModel"),
    ("text_encoder_2", "CLIPTextModelWithProjection"),
    ("tokenizer", "CLIPTokenizer"),
    ("tokenizer_2", "CLIPTokenizer"),
    ("unet", "UNet2DConditionModel"),
    ("vae", "AutoencoderKL"),
];

impl ModelIndex {
    /// Reads `model_dir/model_index.json` and checks that every part is of a class this build runs.
    pub(in crate::diffusion) fn open(model_dir: &Path) -> Result<Self, CheckpointError> {
        let path = model_dir.join("model_index.json");
        if !path.is_file() {
            return Err(CheckpointError::file(
                model_dir,
                "is not a checkpoint in diffusers' layout: it has no model_index.json",
            ));
        }
        let mut file = ConfigFile::open(&path)?;
        for (part, class) in PARTS {
            let found: Value = file.require(part)?;
            // The tokenizer's class may carry `Fast`: the same vocabulary by another implementation.
            let name = found.get(1).and_then(Value::as_str).unwrap_or_default();
            if name.strip_suffix("Fast").unwrap_or(name) != class {
                return Err(file.refuse(part, format!("{found} is not supported, only {class}")));
            }
        }
        // The sampler is chosen per picture; watermarking is a step after the pixels; the image encoder and its
        // preprocessor serve image prompts only.
        file.ignore(&["scheduler", "add_watermarker"]);
        let none = Value::Array(vec![Value::Null, Value::Null]);
        file.only("image_encoder", std::slice::from_ref(&none))?;
        file.only("feature_extractor", &[none])?;
        let force_zeros_for_empty_prompt = file.take("force_zeros_for_empty_prompt", true)?;
        file.finish()?;
        Ok(Self { force_zeros_for_empty_prompt })
    }
}
