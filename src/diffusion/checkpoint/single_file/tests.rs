use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::kinds::tests::{header_of, write};
use super::*;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/single-file").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// SDXL base's tensors by their original names: a file with all of its header, whose numbers take no place on the disk.
fn sdxl_base(folder: &Path) -> PathBuf {
    let (mut prefix, mut tensors) = (String::new(), Vec::new());
    for line in fixture("sdxl-base.txt").lines() {
        let Some((name, shape)) = line.split_once(' ') else {
            prefix = line.to_owned();
            continue;
        };
        let shape: Vec<u64> = shape.split('x').map(|side| side.parse().unwrap()).collect();
        tensors.push((format!("{prefix}{name}"), "F16", shape));
    }
    assert_eq!(tensors.len(), 2513);
    // As the published file has them.
    tensors.push((
        "conditioner.embedders.0.transformer.text_model.embeddings.position_ids".into(),
        "I64",
        vec![1, 77],
    ));
    tensors.push(("conditioner.embedders.1.model.logit_scale".into(), "F16", vec![]));
    tensors.push(("denoiser.sigmas".into(), "F32", vec![1000]));
    tensors.push(("model_ema.decay".into(), "F32", vec![]));
    tensors.push(("alphas_cumprod".into(), "F32", vec![1000]));
    let path = folder.join("sdxl-base.safetensors");
    write(&path, &json!({}), &tensors);
    path
}

/// Each network of the full model gets diffusers' names and shapes, all of them and no other, and SDXL's configurations.
#[test]
fn sdxl_base_is_mapped_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = SingleFile::open(&sdxl_base(folder.path())).unwrap();
    let expected: Value = serde_json::from_str(&fixture("sdxl-base.json")).unwrap();
    for (component, _, _) in NETWORKS {
        let network = &file.networks[component];
        let mut list = String::new();
        let mut parameters = 0;
        let known = network.tensors.iter().filter(|(name, _)| !name.ends_with("position_ids"));
        let count = known.clone().count();
        for (name, entry) in known {
            let sides: Vec<String> = entry.shape().iter().map(i64::to_string).collect();
            writeln!(list, "{name} {}", sides.join("x")).unwrap();
            parameters += entry.shape().iter().product::<i64>();
        }
        let wanted = &expected["components"][component];
        assert_eq!(json!(count), wanted["tensors"], "{component}");
        assert_eq!(json!(parameters), wanted["parameters"], "{component}");
        assert_eq!(json!(hex::encode(Sha256::digest(list))), wanted["sha256"], "{component}");
        let Value::Object(config) = &expected["configs"][component] else { panic!("no configuration") };
        for (field, value) in config.iter().filter(|(field, _)| *field != "sample_size" || component == "vae")
        {
            let derived = match (&network.config[field], value) {
                // One number for all blocks is the same as one for each.
                (Value::Array(each), Value::Number(_)) if each.iter().all(|one| one == value) => value,
                (derived, _) => derived,
            };
            assert_eq!(derived, value, "{component}: {field}");
        }
    }
}

#[test]
fn what_no_network_has_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut tensors = header_of("sdxl");
    tensors.push(("mystery.weight".into(), "F32", vec![1]));
    tensors.push(("another.mystery".into(), "F32", vec![1]));
    write(&path, &json!({}), &tensors);
    let said = SingleFile::open(&path).unwrap_err().to_string();
    assert!(said.contains("mystery.weight") && said.contains("another.mystery"), "{said}");
    assert!(said.contains("2 tensors"), "{said}");
}

#[test]
fn the_noise_is_what_marks_and_metadata_say() {
    use crate::diffusion::schedulers::{PredictionType, TimestepSpacing};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let config = |marks: &[&str], said: Option<&str>| {
        let mut tensors = header_of("sdxl");
        tensors.extend(marks.iter().map(|mark| ((*mark).to_owned(), "F32", vec![0])));
        write(&path, &said.map_or(json!({}), |said| json!({ "modelspec.prediction_type": said })), &tensors);
        SingleFile::open(&path).map(|file| file.scheduler_config())
    };
    let eps = config(&[], None).unwrap();
    assert_eq!((eps.prediction_type, eps.rescale_betas_zero_snr), (PredictionType::Epsilon, false));
    assert_eq!((eps.timestep_spacing, eps.steps_offset), (Some(TimestepSpacing::Leading), 1));
    assert_eq!((eps.beta_start, eps.beta_end), (Some(0.00085), Some(0.012)));
    for (marks, said) in [(&["v_pred"][..], None), (&["v_pred"], Some("epsilon")), (&[], Some("v"))] {
        let v = config(marks, said).unwrap();
        assert_eq!((v.prediction_type, v.rescale_betas_zero_snr), (PredictionType::VPrediction, false));
        assert_eq!(v.timestep_spacing, Some(TimestepSpacing::Leading));
    }
    let zero = config(&["v_pred", "ztsnr"], None).unwrap();
    assert_eq!((zero.prediction_type, zero.rescale_betas_zero_snr), (PredictionType::VPrediction, true));
    assert_eq!(zero.timestep_spacing, Some(TimestepSpacing::Trailing));
    // As in ComfyUI, the second mark alone says nothing.
    assert!(!config(&["ztsnr"], None).unwrap().rescale_betas_zero_snr);
    let error = config(&[], Some("flow")).unwrap_err().to_string();
    assert!(error.contains("modelspec.prediction_type") && error.contains("flow"), "{error}");
}

#[test]
fn a_folder_beside_the_file_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&path, &json!({}), &header_of("sdxl"));
    let beside = folder.path().join("model/unet");
    std::fs::create_dir_all(&beside).unwrap();
    std::fs::write(beside.join("config.json"), r#"{"norm_num_groups": 7}"#).unwrap();
    let file = SingleFile::open(&path).unwrap();
    assert_eq!(file.config("unet").unwrap().take("norm_num_groups", 32).unwrap(), 7);
    assert_eq!(file.config("vae").unwrap().take("scaling_factor", 0.0).unwrap(), 0.13025);
}
