//! `imgen render` as it is run: latents in, latents and picture out.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

use imgen::diffusion::noise::randn;
use tch::Tensor;

use crate::fixtures;
use crate::original::{self, Rules};
use crate::pictures::{Case, Drawn, FOLDERS, Reference};

fn render(case: &Case, model_dir: &Path, folder: &Path, more: &[&str]) -> Output {
    render_with("--model-dir", case, model_dir, folder, more)
}

fn render_with(named: &str, case: &Case, checkpoint: &Path, folder: &Path, more: &[&str]) -> Output {
    let numbers = [
        ("--width", case.width.to_string()),
        ("--height", case.height.to_string()),
        ("--steps", case.num_inference_steps.to_string()),
        ("--guidance", case.guidance_scale.to_string()),
    ];
    Command::new(env!("CARGO_BIN_EXE_imgen"))
        .current_dir(folder)
        .env("IMGEN_DEVICE", "cpu")
        .env("IMGEN_PICTURE_MODEL", concat!(env!("CARGO_MANIFEST_DIR"), "/.filters/open-nsfw.onnx"))
        .args(["render", named])
        .arg(checkpoint)
        .args(["--prompt", &fixtures::escaped(&case.prompt)])
        .args(["--negative", &fixtures::escaped(case.negative_prompt.as_deref().unwrap_or_default())])
        .args(numbers.iter().flat_map(|(name, value)| [*name, value.as_str()]))
        .args(["--sampler", &case.sampler.to_string(), "--dtype", "f32"])
        .args(["--dump-latents", "out.safetensors", "--out", "picture.png", "--timings"])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn render_ends_where_diffusers_does() {
    let folder = tempfile::tempdir().unwrap();
    for (name, which) in [(FOLDERS[0], 15), (FOLDERS[1], 1)] {
        let reference = Reference::read(name);
        let case = &reference.cases[which];
        let theirs = &reference.tensors[&case.latents];
        let noise = randn(u64::from(case.seed), &theirs.size()).unwrap();
        Tensor::write_safetensors(&[("latents", noise)], folder.path().join("in.safetensors")).unwrap();
        for more in [&["--latents", "in.safetensors"][..], &["--seed", &case.seed.to_string()]] {
            let output = render(case, &reference.folder, folder.path(), more);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let ours = fixtures::latents(&folder.path().join("out.safetensors"));
            let difference = (ours - theirs).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{name} {more:?}: {difference:e}");
            let timings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(timings["steps"].as_array().unwrap().len(), 10);
            let picture = image::open(folder.path().join("picture.png")).unwrap();
            assert_eq!((picture.width(), picture.height()), (case.width, case.height));
        }
    }
}

#[test]
fn render_draws_with_loras() {
    let folder = tempfile::tempdir().unwrap();
    let reference = Reference::read(FOLDERS[0]);
    let case = &reference.cases[0];
    let file = |name: &str| fixtures::path("loras").join(name).display().to_string();
    let draw = |loras: &[String]| {
        let more: Vec<&str> = loras.iter().flat_map(|lora| ["--lora", lora.as_str()]).collect();
        let output = render(case, &reference.folder, folder.path(), &more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let latents =
            output.status.success().then(|| fixtures::latents(&folder.path().join("out.safetensors")));
        latents.ok_or(said)
    };
    let plain = draw(&[]).unwrap();
    let (one, two) = (file("kohya_ldm.safetensors"), file("peft_new.safetensors"));
    assert_eq!(draw(&[format!("{one}:0")]).unwrap(), plain);
    let with = draw(&[format!("{one}:0.5"), two.clone()]).unwrap();
    assert!((&with - &plain).abs().max().double_value(&[]) > 0.1);
    assert_eq!(draw(&[format!("{two}:1"), format!("{one}:.5")]).unwrap(), with);
    let said = draw(&[one, file("kohya_starter.safetensors")]).unwrap_err();
    assert!(said.contains("kohya_starter.safetensors: `lora_unet_"), "{said}");
}

#[test]
fn render_takes_weights_and_clip_skip() {
    let folder = tempfile::tempdir().unwrap();
    let (expected, drawn) = Drawn::read(FOLDERS[0]);
    for Drawn { positive, negative, clip_skip, latents, side } in drawn {
        let (side, clip_skip) = (side.to_string(), clip_skip.to_string());
        let output = Command::new(env!("CARGO_BIN_EXE_imgen"))
            .current_dir(folder.path())
            .env("IMGEN_DEVICE", "cpu")
            .env("IMGEN_PICTURE_MODEL", concat!(env!("CARGO_MANIFEST_DIR"), "/.filters/open-nsfw.onnx"))
            .args(["render", "--model-dir"])
            .arg(fixtures::path(FOLDERS[0]))
            .args(["--prompt", &positive, "--negative", &negative, "--clip-skip", &clip_skip])
            .args(["--width", &side, "--height", &side, "--steps", "4", "--guidance", "5", "--seed", "3"])
            .args(["--sampler", "euler", "--dtype", "f32", "--dump-latents", "out.safetensors"])
            .args(["--out", "picture.png"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ours = fixtures::latents(&folder.path().join("out.safetensors"));
        let difference = (ours - &expected[&latents]).abs().max().double_value(&[]);
        assert!(difference <= 1e-4, "{latents}: {difference:e}");
    }
}

#[test]
fn a_single_file_and_a_vae_of_its_own_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let all: HashMap<String, serde_json::Value> = fixtures::json("single-file/tiny.json");
    let rules: Rules = serde_json::from_value(all[FOLDERS[0]].clone()).unwrap();
    let reference = Reference::read(FOLDERS[0]);
    let case = &reference.cases[1];
    let file = folder.path().join("tiny.safetensors");
    original::write(&original::of_folder(&rules, &reference.folder), &file);
    original::copy_configs(&reference.folder, &folder.path().join("tiny"));
    let seed = case.seed.to_string();
    let vae = reference.folder.join("vae").display().to_string();
    for more in [&["--seed", &seed][..], &["--seed", &seed, "--vae", &vae, "--guidance-rescale", "0"]] {
        let output = render_with("--checkpoint", case, &file, folder.path(), more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ours = fixtures::latents(&folder.path().join("out.safetensors"));
        let difference = (ours - &reference.tensors[&case.latents]).abs().max().double_value(&[]);
        assert!(difference <= 1e-4, "{difference:e}");
    }
    let said = |more: &[&str]| {
        let output = render_with("--checkpoint", case, &file, folder.path(), more);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["--model-dir", "anything"]).contains("cannot be used with"));
    assert!(said(&["--guidance-rescale", "1.5"]).contains("guidance rescale 1.5"));
    assert!(said(&["--vae", "tiny.safetensors"]).contains("not supported, this is a whole checkpoint"));
}

#[test]
fn render_says_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let reference = Reference::read(FOLDERS[0]);
    let case = Case { width: 97, ..Reference::read(FOLDERS[0]).cases.remove(0) };
    let output = render(&case, &reference.folder, folder.path(), &[]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("97"), "{output:?}");
    assert!(!folder.path().join("picture.png").exists());
}
