use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::*;

/// Name, number format, shape.
pub(in super::super) type Listed = (String, &'static str, Vec<u64>);

/// A safetensors file of zeros, which take no place on the disk.
pub(in super::super) fn write(path: &Path, metadata: &Value, tensors: &[Listed]) {
    let (mut header, mut end) = (Map::new(), 0);
    header.insert("__metadata__".into(), metadata.clone());
    for (name, dtype, shape) in tensors {
        let bytes = match *dtype {
            "I64" => 8,
            "F32" => 4,
            _ => 2,
        };
        let start = end;
        end += shape.iter().product::<u64>() * bytes;
        header.insert(name.clone(), json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
    }
    let header = Value::Object(header).to_string();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + end).unwrap();
}

fn listed(names: &[(&str, &[u64])]) -> Vec<Listed> {
    names.iter().map(|(name, shape)| ((*name).to_owned(), "F16", shape.to_vec())).collect()
}

/// A few tensors by which files of each kind are known.
pub(in super::super) fn header_of(kind: &str) -> Vec<Listed> {
    const IN: &str = "model.diffusion_model.input_blocks.0.0.weight";
    const MIDDLE: (&str, &[u64]) =
        ("model.diffusion_model.middle_block.1.transformer_blocks.0.norm1.weight", &[1280]);
    const CLIP_L: (&str, &[u64]) =
        ("conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight", &[77, 768]);
    const BIG_G: (&str, &[u64]) =
        ("conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias", &[1280]);
    const VAE: (&str, &[u64]) = ("first_stage_model.decoder.conv_in.weight", &[512, 4, 3, 3]);
    listed(match kind {
        "sdxl" => &[(IN, &[320, 4, 3, 3]), MIDDLE, CLIP_L, BIG_G, VAE],
        "ssd-1b" => &[(IN, &[320, 4, 3, 3]), CLIP_L, BIG_G, VAE],
        "sdxl inpainting" => &[(IN, &[320, 9, 3, 3]), CLIP_L, BIG_G, VAE],
        "sdxl edit" => &[(IN, &[320, 8, 3, 3]), CLIP_L, BIG_G, VAE],
        "sdxl without vae" => &[(IN, &[320, 4, 3, 3]), MIDDLE, CLIP_L, BIG_G],
        "unet" => &[(IN, &[320, 4, 3, 3]), MIDDLE],
        "refiner" => &[
            (IN, &[384, 4, 3, 3]),
            ("conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias", &[1280]),
            VAE,
        ],
        "sd 1.5" => &[
            (IN, &[320, 4, 3, 3]),
            ("cond_stage_model.transformer.text_model.embeddings.position_embedding.weight", &[77, 768]),
            VAE,
        ],
        "sd 2.1" => &[(IN, &[320, 4, 3, 3]), ("cond_stage_model.model.ln_final.bias", &[1024]), VAE],
        "sd 3" => &[
            ("model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias", &[9216]),
            ("text_encoders.clip_l.transformer.text_model.embeddings.position_embedding.weight", &[77, 768]),
            VAE,
        ],
        "flux" => &[("double_blocks.0.img_attn.norm.key_norm.scale", &[128])],
        "flux in a checkpoint" => &[
            ("model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale", &[128]),
            ("vae.decoder.conv_in.weight", &[512, 16, 3, 3]),
        ],
        "pixart" => &[("t_block.1.weight", &[6912, 1152]), ("y_embedder.y_embedding", &[300, 4096])],
        "pixart by diffusers" => &[("adaln_single.linear.weight", &[6912, 1152])],
        "lora" => &[("lora_unet_input_blocks_4_1_proj_in.lora_down.weight", &[16, 640])],
        "peft lora" => &[("unet.down_blocks.1.attentions.0.proj_in.lora_A.weight", &[16, 640])],
        "old diffusers lora" => &[("unet.mid_block.attn1.processor.to_q_lora.down.weight", &[4, 1280])],
        "vae" => &[("decoder.conv_in.weight", &[512, 4, 3, 3]), ("encoder.conv_in.weight", &[128, 3, 3, 3])],
        "playground" => &[(IN, &[320, 4, 3, 3]), CLIP_L, BIG_G, VAE, ("edm_mean", &[1, 4, 1, 1])],
        "cosxl" => &[(IN, &[320, 4, 3, 3]), CLIP_L, BIG_G, VAE, ("edm_vpred.sigma_max", &[])],
        "diffusers unet" => &[("down_blocks.0.resnets.0.norm1.weight", &[320])],
        "clip" => &[("text_model.embeddings.token_embedding.weight", &[49408, 768])],
        "controlnet" => &[("control_model.input_hint_block.0.weight", &[16, 3, 3, 3])],
        "embedding" => &[("emb_params", &[4, 768])],
        _ => &[("a", &[1]), ("b.weight", &[1]), ("c.bias", &[1]), ("d", &[1])],
    })
}

fn said(kind: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&path, &json!({}), &header_of(kind));
    other_than_sdxl(&read(&path).unwrap())
}

#[test]
fn what_is_not_supported_is_called_by_its_name() {
    assert_eq!(said("sdxl"), None);
    for (kind, name) in [
        ("sdxl inpainting", "inpainting checkpoint of SDXL"),
        ("sdxl edit", "InstructPix2Pix"),
        ("ssd-1b", "SSD-1B"),
        ("sdxl without vae", "without its VAE;"),
        ("unet", "without its CLIP-L, OpenCLIP bigG, VAE"),
        ("refiner", "SDXL refiner"),
        ("sd 1.5", "Stable Diffusion 1.x"),
        ("sd 2.1", "Stable Diffusion 2.x"),
        ("sd 3", "Stable Diffusion 3"),
        ("flux", "Flux model"),
        ("flux in a checkpoint", "Flux model"),
        ("pixart", "PixArt"),
        ("pixart by diffusers", "PixArt"),
        ("lora", "LoRA"),
        ("peft lora", "LoRA"),
        ("old diffusers lora", "LoRA"),
        ("vae", "VAE alone"),
        ("playground", "Playground"),
        ("cosxl", "CosXL"),
        ("diffusers unet", "name the folder"),
        ("clip", "text encoder alone"),
        ("controlnet", "ControlNet"),
        ("embedding", "textual inversion"),
        ("", "4 tensors of an unknown kind: a, b.weight, c.bias"),
    ] {
        let said = said(kind).unwrap_or_default();
        assert!(said.contains(name), "{kind}: {said}");
    }
}

#[test]
fn only_a_vae_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for (kind, name) in
        [("vae", None), ("sdxl", Some("whole checkpoint")), ("lora", Some("LoRA")), ("", Some("unknown"))]
    {
        write(&path, &json!({}), &header_of(kind));
        let said = other_than_vae(&read(&path).unwrap());
        assert_eq!(said.is_some(), name.is_some(), "{kind}: {said:?}");
        assert!(said.unwrap_or_default().contains(name.unwrap_or_default()));
    }
}

#[test]
fn what_is_no_safetensors_file_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (name, bytes, kind) in [
        ("a.ckpt", &b"anything"[..], "pickle"),
        ("a.PT", b"anything", "pickle"),
        ("pytorch_model.bin", b"anything", "pickle"),
        ("zipped.safetensors", b"PK\x03\x04archive/data.pkl", "pickle"),
        ("plain.safetensors", b"\x80\x02}q\x00.", "pickle"),
        ("a.gguf", b"GGUF\x03\x00\x00\x00", "GGUF"),
        ("page.safetensors", b"<!DOCTYPE html><html>", "web page"),
        ("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:", "git LFS"),
    ] {
        let error = read(&file(name, bytes)).unwrap_err();
        assert!(matches!(&error, CheckpointError::Unsupported { .. }), "{error}");
        let said = error.to_string();
        assert!(
            said.contains("not supported, this is a") && said.contains(kind) && said.contains(name),
            "{said}"
        );
    }
}

#[test]
fn a_damaged_file_is_told_how() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        write(&path, &json!({}), &header_of(""));
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    let header = |text: &'static str, data: usize| {
        move |bytes: &mut Vec<u8>| {
            *bytes = (text.len() as u64).to_le_bytes().to_vec();
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len() + data, 0);
        }
    };
    for (said, named) in [
        (refused(&|bytes| bytes.truncate(bytes.len() - 3)), "is cut short"),
        (refused(&|bytes| bytes.truncate(40)), "is cut short"),
        (refused(&|bytes| bytes.truncate(5)), "5 bytes"),
        (refused(&|bytes| bytes.push(0)), "no tensor has the last 1 bytes"),
        (
            refused(&|bytes| bytes[..8].copy_from_slice(&(1_u64 << 40).to_le_bytes())),
            "1099511627776 bytes long",
        ),
        (refused(&|bytes| bytes[8] = b'['), "header"),
        (
            refused(&header(
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                12,
            )),
            "`b` overlaps tensor `a`",
        ),
        (
            refused(&header(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
                12,
            )),
            "no tensor has bytes 4 to 8",
        ),
        (
            refused(&header(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
                8,
            )),
            "`a` is there twice",
        ),
        (refused(&header(r#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}"#, 8)), "number format F4"),
        (refused(&header(r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8)), "`a`"),
        (refused(&header(r#"{"__metadata__":{"n":3}}"#, 0)), "__metadata__"),
    ] {
        assert!(said.contains(named) && said.contains("model.safetensors"), "{said}");
    }
}
