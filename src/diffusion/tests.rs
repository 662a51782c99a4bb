//! The networks one by one, beside what diffusers and transformers answer for the folders of `tests/fixtures`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tch::{Device, Kind, Tensor};

use super::autoencoders::AutoencoderKL;
use super::checkpoint::{Checkpoint, CheckpointError, ModelFiles};
use super::conditioning::{self, Conditioning, Encoder, Prompts};
use super::text_encoders::CLIPTextModel;
use super::tokenizer::CLIPTokenizer;
use super::unets::{AddedCondKwargs, UNet2DConditionModel};
use super::{DeviceChoice, DiffusionConfig, DiffusionError, Engine, RenderOptions, weights_sha256};
use crate::compliance::{ComplianceConfig, Reviewer, Texts};
use crate::plan::{Algorithm, Size};

const FOLDERS: [&str; 2] = ["tiny-sdxl", "tiny-starter"];

/// `tests/fixtures/reference_pictures.py`, `PROMPTS`.
const PROMPTS: [&str; 2] =
    ["a cat sitting on a mat, at night!", "Portrait of an old sailor with a red hat; soft light, (detailed)"];

/// Neither negative prompt nor anything else that changes what the encoders say.
const PLAIN: Prompts<'_> =
    Prompts { positive: [""; 2], negative: None, clip_skip: 0, force_zeros_for_empty_prompt: true };

/// For diffusers brackets are text.
fn escaped(prompt: &str) -> String {
    prompt.replace('(', r"\(").replace(')', r"\)")
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn checkpoint(folder: &str) -> Checkpoint {
    Checkpoint::open(&ModelFiles::find(&fixture(folder), None).unwrap()).unwrap()
}

fn expected(folder: &str) -> HashMap<String, Tensor> {
    let path = fixture(&format!("{folder}.expected.safetensors"));
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

fn assert_close(ours: &Tensor, theirs: &Tensor, allowed: f64, what: &str) {
    assert_eq!(ours.size(), theirs.size(), "{what}");
    let difference = (ours.to_kind(Kind::Float) - theirs).abs().max().double_value(&[]);
    assert!(difference <= allowed, "{what}: {difference:e}");
}

fn encoder(folder: &str, number: usize) -> Encoder {
    let (tokenizer, name) =
        if number == 1 { ("tokenizer", "text_encoder") } else { ("tokenizer_2", "text_encoder_2") };
    Encoder {
        tokenizer: CLIPTokenizer::load(&fixture(folder).join(tokenizer)).unwrap(),
        text_encoder: CLIPTextModel::load(&checkpoint(folder), name, number == 2, Device::Cpu, Kind::Float)
            .unwrap(),
    }
}

#[test]
fn text_encoders_are_transformers() {
    for folder in FOLDERS {
        let expected = expected(folder);
        for number in [1, 2] {
            let Encoder { tokenizer, text_encoder } = encoder(folder, number);
            for (i, prompt) in PROMPTS.iter().enumerate() {
                let what = format!("{folder}, encoder {number}, prompt {i}");
                let ids = Tensor::from_slice(&tokenizer.encode_padded(prompt).unwrap()).unsqueeze(0);
                assert_eq!(ids, expected[&format!("ids_{number}.{i}")], "{what}");
                let embeds = text_encoder.forward(&ids, 0);
                assert_close(&embeds.penultimate, &expected[&format!("hidden_{number}.{i}")], 2e-5, &what);
                assert_eq!(embeds.pooled.is_some(), number == 2);
                if let Some(pooled) = embeds.pooled {
                    assert_close(&pooled, &expected[&format!("pooled.{i}")], 2e-5, &what);
                }
            }
        }
    }
}

#[test]
fn conditioning_is_both_encoders_side_by_side() {
    for folder in FOLDERS {
        let expected = expected(folder);
        let encoders = [&encoder(folder, 1), &encoder(folder, 2)];
        for (i, positive) in PROMPTS.iter().enumerate() {
            let positive = escaped(positive);
            let prompts = Prompts { positive: [&positive; 2], ..PLAIN };
            let size = Size { width_px: 96, height_px: 64 };
            let conditioning = conditioning::encode(encoders, prompts, size).unwrap();
            let what = format!("{folder}, prompt {i}");
            assert_close(&conditioning.prompt_embeds, &expected[&format!("prompt_embeds.{i}")], 2e-5, &what);
            let added = conditioning.added_cond_kwargs;
            assert_close(&added.text_embeds, &expected[&format!("pooled.{i}")], 2e-5, &what);
            assert_eq!(
                added.time_ids,
                Tensor::from_slice(&[64_f32, 96.0, 0.0, 0.0, 64.0, 96.0]).view([1, 6])
            );
        }
    }
}

/// `tests/fixtures/reference_prompts.py`: tensors, and what the metadata says under `name`.
fn prompts_expected<T: DeserializeOwned>(folder: &str, name: &str) -> (HashMap<String, Tensor>, T) {
    let path = fixture(&format!("{folder}.prompts.safetensors"));
    let (_, metadata) = SafeTensors::read_metadata(&std::fs::read(&path).unwrap()).unwrap();
    let said = serde_json::from_str(&metadata.metadata().as_ref().unwrap()[name]).unwrap();
    (Tensor::read_safetensors(path).unwrap().into_iter().collect(), said)
}

#[derive(Deserialize)]
struct WeightedCase {
    number: usize,
    positive: String,
    negative: String,
}

fn assert_conditioning(ours: &Conditioning, expected: &HashMap<String, Tensor>, name: &str) {
    let theirs = |negative: &str, positive: &str| {
        Tensor::cat(&[negative, positive].map(|part| &expected[&format!("{name}.{part}")]), 0)
    };
    assert_close(&ours.prompt_embeds, &theirs("negative", "positive"), 2e-5, name);
    assert_close(&ours.added_cond_kwargs.text_embeds, &theirs("negative_pooled", "pooled"), 2e-5, name);
}

#[test]
fn weights_long_prompts_and_breaks_are_the_references() {
    let size = Size { width_px: 64, height_px: 64 };
    for (folder, least) in FOLDERS.into_iter().zip([6, 2]) {
        let (expected, cases) = prompts_expected::<Vec<WeightedCase>>(folder, "weighted");
        assert!(cases.len() >= least);
        let encoders = [&encoder(folder, 1), &encoder(folder, 2)];
        for WeightedCase { number, positive, negative } in &cases {
            let prompts = Prompts {
                positive: [positive; 2],
                negative: Some([negative; 2]),
                // The community's pipeline has no such thing.
                force_zeros_for_empty_prompt: false,
                ..PLAIN
            };
            let ours = conditioning::encode(encoders, prompts, size).unwrap();
            assert_conditioning(&ours, &expected, &format!("weighted.{number}"));
        }
    }
}

#[test]
fn clip_skip_and_a_second_prompt_are_diffusers() {
    let size = Size { width_px: 64, height_px: 64 };
    for folder in FOLDERS {
        let (expected, [one, two, negative, negative_two]) =
            prompts_expected::<[String; 4]>(folder, "clip_skip");
        let encoders = [&encoder(folder, 1), &encoder(folder, 2)];
        let encode = |clip_skip, [positive_2, negative_2]: [&str; 2]| {
            let prompts = Prompts {
                positive: [&one, positive_2],
                negative: Some([&negative, negative_2]),
                clip_skip,
                ..PLAIN
            };
            conditioning::encode(encoders, prompts, size)
        };
        for (clip_skip, seconds) in
            [(0, [&one, &negative]), (1, [&two, &negative_two]), (2, [&one, &negative])]
        {
            let ours = encode(clip_skip, seconds.map(String::as_str)).unwrap();
            assert_conditioning(&ours, &expected, &format!("clip_skip.{clip_skip}"));
        }
        let refused = encode(3, [&one, &negative]).unwrap_err().to_string();
        assert!(refused.contains("clip skip 3: at most 2"), "{refused}");
    }
}

#[test]
fn an_empty_negative_prompt_is_zeros_only_where_both_are_empty() {
    let encoders = [&encoder(FOLDERS[0], 1), &encoder(FOLDERS[0], 2)];
    let size = Size { width_px: 64, height_px: 64 };
    for (negative, zeros) in
        [(["", ""], true), (["", "dark"], false), (["dark", ""], false), (["()", ""], false)]
    {
        let prompts = Prompts { positive: ["a cat"; 2], negative: Some(negative), ..PLAIN };
        let ours = conditioning::encode(encoders, prompts, size).unwrap();
        let largest = ours.prompt_embeds.narrow(0, 0, 1).abs().max().double_value(&[]);
        assert_eq!(largest == 0.0, zeros, "{negative:?}");
    }
}

fn call(unet: &UNet2DConditionModel, inputs: &HashMap<String, Tensor>, rows: std::ops::Range<i64>) -> Tensor {
    let part = |name: &str| inputs[&format!("unet.{name}")].slice(0, rows.start, rows.end, 1);
    let added = AddedCondKwargs { text_embeds: part("text_embeds"), time_ids: part("time_ids") };
    // A timestep before it, so that the right one is picked.
    let prepared = unet.prepare(&[3.0, 601.0], &part("encoder_hidden_states"), &added);
    unet.forward(&part("sample"), &prepared, 1)
}

#[test]
fn the_unet_is_diffusers_and_a_batch_is_single_calls() {
    for folder in FOLDERS {
        let expected = expected(folder);
        let unet = UNet2DConditionModel::load(&checkpoint(folder), Device::Cpu, Kind::Float).unwrap();
        let batch = call(&unet, &expected, 0..2);
        assert_close(&batch, &expected["unet.output"], 2e-5, folder);
        let single = Tensor::cat(&[call(&unet, &expected, 0..1), call(&unet, &expected, 1..2)], 0);
        assert_close(&single, &batch, 1e-5, folder);
    }
}

#[test]
fn the_decoder_is_diffusers() {
    for folder in FOLDERS {
        let expected = expected(folder);
        let vae = AutoencoderKL::load(&checkpoint(folder), Device::Cpu, |_| Kind::Float).unwrap();
        assert_close(&vae.decode(&expected["vae.latents"]), &expected["vae.decoded"], 2e-5, folder);
    }
}

/// A copy of a fixture's folder that may be changed.
fn copied(name: &str) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    let done = std::process::Command::new("cp")
        .args(["-r", "--"])
        .arg(fixture(name).join("."))
        .arg(to.path())
        .status();
    assert!(done.unwrap().success());
    to
}

/// The hash that comes with a picture of the folder's checkpoint.
fn drawn_by(engine: &Engine, model_dir: &Path) -> Result<String, DiffusionError> {
    let options = RenderOptions {
        model_dir: model_dir.to_owned(),
        vae: None,
        prompt: Reviewer::new(&ComplianceConfig::default())
            .unwrap()
            .approve(&Texts { positive: "a cat", ..Texts::default() })
            .unwrap(),
        size: Size { width_px: 64, height_px: 64 },
        sampler: Algorithm::EulerDiscrete.into(),
        num_inference_steps: 1,
        guidance_scale: 1.0,
        guidance_rescale: 0.0,
        clip_skip: 0,
        seed: 1,
        loras: Vec::new(),
        initial_latents: None,
        dump_latents: None,
    };
    Ok(engine.draw(options, Box::new(|_, _| true))?.weights_sha256)
}

#[test]
fn a_picture_comes_with_the_hash_of_the_weights_that_drew_it() {
    let config =
        DiffusionConfig { device: DeviceChoice::Cpu, resident_checkpoints: 1, ..DiffusionConfig::default() };
    let engine = Engine::start(&config).unwrap();
    let (one, other) = (copied(FOLDERS[1]), copied(FOLDERS[1]));
    let first = drawn_by(&engine, one.path()).unwrap();
    assert_eq!(first, weights_sha256(one.path()).unwrap());

    // The last number of the decoder, by its least bit.
    let weights = one.path().join("vae/diffusion_pytorch_model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    // In the place of the old file, as an update would be put: that may be mapped.
    std::fs::write(weights.with_extension("new"), bytes).unwrap();
    std::fs::rename(weights.with_extension("new"), &weights).unwrap();
    assert_eq!(
        drawn_by(&engine, one.path()).unwrap(),
        first,
        "resident: these are the weights that were loaded"
    );
    drawn_by(&engine, other.path()).unwrap();
    let changed = weights_sha256(one.path()).unwrap();
    assert_ne!(changed, first);
    // What others may have been told of this model is not what its files are now: it alone is not drawn with.
    let error = drawn_by(&engine, one.path()).unwrap_err();
    assert!(matches!(&error, DiffusionError::Checkpoint(CheckpointError::Changed { .. })), "{error}");
    drawn_by(&engine, other.path()).unwrap();
    let files = engine.probe(one.path(), None).unwrap().files;
    assert_eq!(drawn_by(&engine, one.path()).unwrap(), changed, "loaded anew");
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let vae = "vae/diffusion_pytorch_model.safetensors";
    let unet = "unet/diffusion_pytorch_model.safetensors";
    assert_eq!(names, ["text_encoder/model.safetensors", "text_encoder_2/model.safetensors", unet, vae]);
}
