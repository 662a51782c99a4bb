//! Checkpoints in SDXL's original layout, as `tests/fixtures/make_single_file.py` says.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use imgen::diffusion::noise::randn;
use serde::Deserialize;
use tch::Tensor;

use crate::fixtures;

/// The components, and the beginning of their names in the original layout.
const PREFIXES: [(&str, &str); 4] = [
    ("text_encoder", "conditioner.embedders.0.transformer."),
    ("text_encoder_2", "conditioner.embedders.1.model."),
    ("unet", "model.diffusion_model."),
    ("vae", "first_stage_model."),
];

pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// By component.
pub(crate) type Rules = HashMap<String, Vec<Rule>>;

/// The original name less its prefix, diffusers' name (`{}` for q, k and v), what is done, and the original shape.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule(String, String, String, #[serde(default)] Vec<i64>);

impl Rule {
    fn names(&self) -> Vec<String> {
        if self.2 == "cat" {
            ["q", "k", "v"].map(|part| self.1.replace("{}", part)).into()
        } else {
            vec![self.1.clone()]
        }
    }
}

/// The tensors that a folder in diffusers' layout has, under their original names.
pub(crate) fn of_folder(rules: &Rules, folder: &Path) -> Tensors {
    let mut made = Tensors::new();
    for (component, prefix) in PREFIXES {
        let stem = if component.starts_with("text") { "model" } else { "diffusion_pytorch_model" };
        let path = folder.join(component).join(format!("{stem}.safetensors"));
        let tensors: HashMap<String, Tensor> = Tensor::read_safetensors(path)
            .unwrap()
            .into_iter()
            .map(|(name, tensor)| (name.trim_start_matches("text_model.").to_owned(), tensor))
            .collect();
        for rule in &rules[component] {
            let parts: Vec<&Tensor> = rule.names().iter().map(|name| &tensors[name]).collect();
            let tensor = match rule.2.as_str() {
                "cat" => Tensor::cat(&parts, 0),
                "t" => parts[0].transpose(0, 1).contiguous(),
                "conv" => parts[0].unsqueeze(-1).unsqueeze(-1),
                _ => parts[0].shallow_clone(),
            };
            made.insert(format!("{prefix}{}", rule.0), tensor);
        }
    }
    made
}

/// SDXL in miniature: what diffusers drew of it, and how to make it.
#[derive(Debug, Deserialize)]
pub(crate) struct Mini {
    rules: Rules,
    pub(crate) cases: Vec<MiniCase>,
    configs: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MiniCase {
    pub(crate) prompt: String,
    #[serde(default)]
    pub(crate) negative_prompt: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) num_inference_steps: u32,
    pub(crate) guidance_scale: f64,
    #[serde(default)]
    pub(crate) guidance_rescale: f64,
    #[serde(default)]
    pub(crate) v_pred: bool,
    #[serde(default)]
    pub(crate) ztsnr: bool,
    pub(crate) seed: u32,
    pub(crate) latents: String,
}

impl Mini {
    pub(crate) fn read() -> Self {
        fixtures::json("single-file/mini.json")
    }

    /// The weights, as `drawn` of the maker draws them: each from its place in the order of the names.
    pub(crate) fn tensors(&self) -> Tensors {
        let mut shapes = BTreeMap::new();
        for (component, prefix) in PREFIXES {
            shapes.extend(self.rules[component].iter().map(|rule| (format!("{prefix}{}", rule.0), &rule.3)));
        }
        let drawn = |(index, (name, shape)): (usize, (String, &Vec<i64>))| {
            let numbers = randn(index as u64, shape).unwrap();
            let tensor = if name.contains("embedding") {
                numbers * 0.7
            } else if shape.len() >= 2 {
                let row: i64 = shape[1..].iter().product();
                let numbers = numbers / (row as f64).sqrt();
                if name == "model.diffusion_model.out.2.weight" { numbers * 0.4 } else { numbers }
            } else if name.ends_with("weight") {
                numbers * 0.2 + 1.0
            } else {
                numbers * 0.1
            };
            (name, tensor)
        };
        shapes.into_iter().enumerate().map(drawn).collect()
    }

    /// The same checkpoint in diffusers' layout, less its tokenizers.
    pub(crate) fn write_folder(&self, tensors: &Tensors, folder: &Path) {
        for (component, prefix) in PREFIXES {
            let mut named = Vec::new();
            for rule in &self.rules[component] {
                let tensor = &tensors[&format!("{prefix}{}", rule.0)];
                let parts = match rule.2.as_str() {
                    "cat" => tensor.chunk(3, 0),
                    "t" => vec![tensor.transpose(0, 1).contiguous()],
                    "conv" => vec![tensor.squeeze_dim(-1).squeeze_dim(-1)],
                    _ => vec![tensor.shallow_clone()],
                };
                named.extend(rule.names().into_iter().zip(parts.into_iter().map(|part| part.contiguous())));
            }
            let stem = if component.starts_with("text") { "model" } else { "diffusion_pytorch_model" };
            fs::create_dir_all(folder.join(component)).unwrap();
            Tensor::write_safetensors(&named, folder.join(component).join(format!("{stem}.safetensors")))
                .unwrap();
        }
        for (name, config) in &self.configs {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, config.to_string()).unwrap();
        }
    }
}

pub(crate) fn write(tensors: &Tensors, path: &Path) {
    let named: Vec<(&String, &Tensor)> = tensors.iter().collect();
    Tensor::write_safetensors(&named, path).unwrap();
}

/// Copies a folder, and leaves out what ends in `.safetensors`.
pub(crate) fn copy_configs(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_configs(&path, &target);
        } else if path.extension().is_none_or(|ending| ending != "safetensors") {
            fs::copy(&path, target).unwrap();
        }
    }
}
