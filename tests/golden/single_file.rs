//! Checkpoints of one file draw what the same weights draw in a folder, and what diffusers draws of them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use imgen::compliance::{ComplianceConfig, Reviewer, Texts};
use imgen::diffusion::{DtypeChoice, Engine, RenderOptions, Rendered};
use imgen::plan::{Algorithm, Size};
use tch::{Kind, Tensor};

use crate::fixtures;
use crate::original::{self, Mini, MiniCase, Rules, Tensors};
use crate::pictures::{FOLDERS, Reference, engine};

/// The picture and the last latents.
fn drawn(engine: &Engine, mut options: RenderOptions, folder: &Path) -> (Rendered, Tensor) {
    let dump = folder.join("latents.safetensors");
    options.dump_latents = Some(dump.clone());
    let rendered = engine.draw(options, Box::new(|_, _| true)).unwrap();
    (rendered, fixtures::latents(&dump))
}

fn difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    (ours - theirs).abs().max().double_value(&[])
}

fn options(case: &MiniCase, checkpoint: PathBuf) -> RenderOptions {
    let reviewer = Reviewer::new(&ComplianceConfig::default()).unwrap();
    let (positive, negative) = (fixtures::escaped(&case.prompt), fixtures::escaped(&case.negative_prompt));
    let texts = Texts { positive: &positive, negative: &negative, ..Texts::default() };
    RenderOptions {
        model_dir: checkpoint,
        vae: None,
        prompt: reviewer.approve(&texts).unwrap(),
        size: Size { width_px: case.width, height_px: case.height },
        sampler: Algorithm::EulerDiscrete.into(),
        num_inference_steps: case.num_inference_steps,
        guidance_scale: case.guidance_scale,
        guidance_rescale: case.guidance_rescale,
        clip_skip: 0,
        seed: case.seed,
        loras: Vec::new(),
        initial_latents: None,
        dump_latents: None,
    }
}

/// What no shape shows of the tiny ones (heads, groups, noise, vocabulary) is in the folder beside the file.
#[test]
fn a_file_draws_what_its_folder_draws() {
    let engine = engine(DtypeChoice::F32);
    let place = tempfile::tempdir().unwrap();
    for name in FOLDERS {
        let all: HashMap<String, serde_json::Value> = fixtures::json("single-file/tiny.json");
        let rules: Rules = serde_json::from_value(all[name].clone()).unwrap();
        let reference = Reference::read(name);
        let file = place.path().join(format!("{name}.safetensors"));
        original::write(&original::of_folder(&rules, &reference.folder), &file);
        original::copy_configs(&reference.folder, &place.path().join(name));
        for case in [&reference.cases[1], &reference.cases[15]] {
            let (folder, folder_latents) =
                drawn(&engine, case.options(reference.folder.clone()), place.path());
            let (single, latents) = drawn(&engine, case.options(file.clone()), place.path());
            assert_eq!(latents, folder_latents, "{name}: {case:?}");
            assert_eq!(single.image, folder.image);
            // The maker saw diffusers' `from_single_file` draw these too.
            let difference = difference(&latents, &reference.tensors[&case.latents]);
            assert!(difference <= 1e-4, "{name}: {difference:e}");
        }
    }
}

#[test]
fn a_lone_file_draws_what_diffusers_draws_of_it() {
    let engine = engine(DtypeChoice::F32);
    let place = tempfile::tempdir().unwrap();
    let (mini, expected) = (Mini::read(), expected());
    let tensors = mini.tensors();
    let folder = place.path().join("folder");
    mini.write_folder(&tensors, &folder);
    let mut worst = 0.0_f64;
    for case in &mini.cases {
        let mut marked: Tensors =
            tensors.iter().map(|(name, one)| (name.clone(), one.shallow_clone())).collect();
        for mark in [("v_pred", case.v_pred), ("ztsnr", case.ztsnr)].iter().filter(|(_, on)| *on) {
            marked.insert(mark.0.to_owned(), Tensor::zeros([0], (Kind::Float, tch::Device::Cpu)));
        }
        let file = place.path().join(format!("mini-{}.safetensors", case.seed));
        original::write(&marked, &file);
        let (rendered, latents) = drawn(&engine, options(case, file), place.path());
        let difference = difference(&latents, &expected[&case.latents]);
        assert!(difference <= 1e-4, "{difference:e} in {case:?}");
        worst = worst.max(difference);
        if case.latents == "latents.5" {
            let theirs = expected["picture"].to_kind(Kind::Int);
            let ours = Tensor::from_slice(rendered.image.as_raw()).view_as(&theirs).to_kind(Kind::Int);
            assert!((ours - theirs).abs().max().int64_value(&[]) <= 1);
        }
    }
    println!("worst difference of latents {worst:e}");
}

fn expected() -> HashMap<String, Tensor> {
    let path = fixtures::path("single-file/mini.expected.safetensors");
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

/// SDXL in miniature, both ways; and its folder with its weights in shards and as variants.
#[test]
fn derived_configurations_are_those_of_the_folder() {
    let engine = engine(DtypeChoice::F32);
    let place = tempfile::tempdir().unwrap();
    let mini = Mini::read();
    let tensors = mini.tensors();
    let (file, folder) = (place.path().join("lone.safetensors"), place.path().join("folder"));
    original::write(&tensors, &file);
    mini.write_folder(&tensors, &folder);
    for name in ["tokenizer", "tokenizer_2"] {
        let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter").join(name);
        original::copy_configs(&starter, &folder.join(name));
    }
    let case = &mini.cases[0];
    let (single, latents) = drawn(&engine, options(case, file), place.path());
    let (whole, of_folder) = drawn(&engine, options(case, folder.clone()), place.path());
    assert_eq!(latents, of_folder);
    assert_eq!(single.image, whole.image);

    shard(&folder.join("unet"), "diffusion_pytorch_model", "");
    shard(&folder.join("text_encoder_2"), "model", "fp16");
    let vae = folder.join("vae/diffusion_pytorch_model.safetensors");
    fs::rename(&vae, vae.with_extension("fp16.safetensors")).unwrap();
    let (in_shards, latents) =
        drawn(&crate::pictures::engine(DtypeChoice::F32), options(case, folder), place.path());
    assert_eq!(latents, of_folder);
    assert_eq!(in_shards.image, whole.image);
}

/// A network's file as two, with diffusers' index of them.
fn shard(folder: &Path, stem: &str, variant: &str) {
    let whole = folder.join(format!("{stem}.safetensors"));
    let tensors = Tensor::read_safetensors(&whole).unwrap();
    let dot = if variant.is_empty() { "" } else { "." };
    let mut weight_map = serde_json::Map::new();
    for (number, part) in tensors.chunks(tensors.len().div_ceil(2)).enumerate() {
        let name = format!("{stem}{dot}{variant}-0000{}-of-00002.safetensors", number + 1);
        Tensor::write_safetensors(part, folder.join(&name)).unwrap();
        weight_map.extend(part.iter().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": weight_map }).to_string();
    fs::write(folder.join(format!("{stem}.safetensors.index{dot}{variant}.json")), index).unwrap();
    fs::remove_file(whole).unwrap();
}

#[test]
fn a_vae_from_elsewhere_takes_the_place_of_the_checkpoints_own() {
    let engine = engine(DtypeChoice::F32);
    let place = tempfile::tempdir().unwrap();
    let mini = Mini::read();
    let tensors = mini.tensors();
    let (file, folder) = (place.path().join("mini.safetensors"), place.path().join("folder"));
    original::write(&tensors, &file);
    mini.write_folder(&tensors, &folder);
    let case = &mini.cases[1];
    let with = |vae: Option<PathBuf>| {
        let options = RenderOptions { vae, ..options(case, file.clone()) };
        drawn(&engine, options, place.path()).0
    };
    let own = with(None);

    let prefix = "first_stage_model.";
    let prefixed: Tensors = tensors
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
        .collect();
    let bare = |scale: f64| -> Tensors {
        prefixed.iter().map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor * scale)).collect()
    };
    original::write(&prefixed, &place.path().join("prefixed.safetensors"));
    original::write(&bare(1.0), &place.path().join("bare.safetensors"));
    original::write(&bare(0.9), &place.path().join("other.safetensors"));
    fs::copy(folder.join("vae/diffusion_pytorch_model.safetensors"), place.path().join("new.safetensors"))
        .unwrap();
    let mut hashes = vec![own.weights_sha256.clone()];
    for name in ["prefixed.safetensors", "bare.safetensors", "new.safetensors", "folder/vae", "folder"] {
        let rendered = with(Some(place.path().join(name)));
        assert_eq!(rendered.image, own.image, "{name}");
        hashes.push(rendered.weights_sha256);
    }
    // `folder/vae` is the VAE that `folder` has.
    assert_eq!(hashes.pop(), hashes.last().cloned());
    let other = with(Some(place.path().join("other.safetensors")));
    assert_ne!(other.image, own.image);
    hashes.push(other.weights_sha256);
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);

    let digests = engine.probe(&file, Some(&place.path().join("bare.safetensors"))).unwrap().files;
    let names: Vec<&str> = digests.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["mini.safetensors", "bare.safetensors"]);
    assert_eq!(digests[0].sha256, own.weights_sha256);
    let error = engine.probe(&file, Some(&file)).unwrap_err().to_string();
    assert!(error.contains("whole checkpoint"), "{error}");
}
