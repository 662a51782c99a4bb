//! Pictures with LoRAs, beside what diffusers draws with them through PEFT (`tests/fixtures/make_loras.py`).

use imgen::diffusion::{DtypeChoice, Engine, LoraChoice, RenderOptions};
use imgen::plan::Algorithm;
use safetensors::SafeTensors;
use serde::Deserialize;
use tch::Tensor;

use crate::fixtures;
use crate::pictures::{Case, FOLDERS, Reference, engine};

#[derive(Debug, Deserialize)]
struct Asked {
    folder: String,
    size: u32,
    steps: u32,
    guidance: f64,
    seed: u32,
    prompt: String,
    negative_prompt: String,
    loras: Vec<Chosen>,
    /// A tensor of the same file.
    latents: String,
}

#[derive(Debug, Deserialize)]
struct Chosen {
    file: String,
    weight: f64,
    te_weight: f64,
}

fn lora(name: &str, weight: f64) -> LoraChoice {
    LoraChoice::new(fixtures::path("loras").join(format!("{name}.safetensors")), weight)
}

impl Asked {
    fn options(&self) -> RenderOptions {
        let case = Case {
            prompt: self.prompt.clone(),
            negative_prompt: Some(self.negative_prompt.clone()),
            width: self.size,
            height: self.size,
            num_inference_steps: self.steps,
            guidance_scale: self.guidance,
            sampler: Algorithm::EulerDiscrete.into(),
            seed: self.seed,
            latents: self.latents.clone(),
            picture: None,
        };
        let loras = self.loras.iter().map(|chosen| LoraChoice {
            path: fixtures::path("loras").join(&chosen.file),
            weight: chosen.weight,
            te_weight: chosen.te_weight,
            sha256: None,
        });
        RenderOptions { loras: loras.collect(), ..case.options(fixtures::path(&self.folder)) }
    }
}

#[test]
fn pictures_with_loras_are_diffusers() {
    let path = fixtures::path("loras/expected.safetensors");
    let (_, metadata) = SafeTensors::read_metadata(&std::fs::read(&path).unwrap()).unwrap();
    let cases: Vec<Asked> = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["cases"]).unwrap();
    let tensors: std::collections::HashMap<String, Tensor> =
        Tensor::read_safetensors(path).unwrap().into_iter().collect();
    assert_eq!(cases.len(), 11);
    let engine = engine(DtypeChoice::F32);
    let folder = tempfile::tempdir().unwrap();
    for case in &cases {
        let dump = folder.path().join("latents.safetensors");
        let options = RenderOptions { dump_latents: Some(dump.clone()), ..case.options() };
        let rendered = engine.draw(options, Box::new(|_, _| true)).unwrap();
        assert_eq!(rendered.loras.len(), case.loras.len());
        let difference = (fixtures::latents(&dump) - &tensors[&case.latents]).abs().max().double_value(&[]);
        println!("{difference:e} with {:?}", case.loras);
        assert!(difference <= 1e-4, "{difference:e} in {case:?}");
    }
}

fn draw(engine: &Engine, loras: Vec<LoraChoice>) -> Vec<u8> {
    let reference = Reference::read(FOLDERS[0]);
    let options = RenderOptions { loras, ..reference.cases[1].options(reference.folder.clone()) };
    engine.draw(options, Box::new(|_, _| true)).unwrap().image.into_raw()
}

#[test]
fn a_lora_leaves_nothing_behind() {
    for dtype in [DtypeChoice::F32, DtypeChoice::Bf16] {
        let engine = engine(dtype);
        let plain = draw(&engine, vec![]);
        let with = draw(&engine, vec![lora("kohya_ldm", 1.0)]);
        assert_ne!(with, plain, "{dtype:?}");
        assert_eq!(draw(&engine, vec![]), plain, "{dtype:?}");
        let other = draw(&engine, vec![lora("peft_dora", 0.7), lora("peft_new", -0.3)]);
        assert_ne!(other, with);
        assert_eq!(draw(&engine, vec![lora("kohya_ldm", 1.0)]), with, "{dtype:?}");
        assert_eq!(draw(&engine, vec![lora("peft_new", -0.3), lora("peft_dora", 0.7)]), other, "{dtype:?}");
        assert_eq!(draw(&engine, vec![lora("kohya_ldm", 0.0)]), plain, "{dtype:?}");
    }
}

#[test]
fn a_lora_for_another_checkpoint_is_refused_and_leaves_the_picture_as_it_was() {
    let engine = engine(DtypeChoice::F32);
    let plain = draw(&engine, vec![]);
    let reference = Reference::read(FOLDERS[0]);
    for loras in [vec![lora("kohya_starter", 1.0)], vec![lora("kohya_ldm", 1.0), lora("kohya_starter", 1.0)]]
    {
        let options = RenderOptions { loras, ..reference.cases[1].options(reference.folder.clone()) };
        let error = engine.draw(options, Box::new(|_, _| true)).unwrap_err();
        assert!(!error.is_transient());
        assert!(error.to_string().contains("kohya_starter.safetensors: `lora_unet_"), "{error}");
    }
    assert_eq!(draw(&engine, vec![]), plain);
}
