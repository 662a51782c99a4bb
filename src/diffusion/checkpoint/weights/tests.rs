use std::fs;
use std::path::PathBuf;

use super::*;

/// A safetensors file of this header and so many bytes of data, as the UNet of a folder.
fn folder(header: &str, data: usize) -> (tempfile::TempDir, PathBuf) {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    raw_folder(&bytes)
}

fn raw_folder(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let unet = dir.path().join("unet");
    fs::create_dir(&unet).unwrap();
    fs::write(unet.join("diffusion_pytorch_model.safetensors"), bytes).unwrap();
    let path = dir.path().to_owned();
    (dir, path)
}

fn open(path: &Path) -> Result<Weights, CheckpointError> {
    Weights::open(path, "unet", Device::Cpu, Kind::Float)
}

const TWO: &str = r#"{"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
    "a.bias":{"dtype":"F16","shape":[2],"data_offsets":[24,28]}}"#;

#[test]
fn a_map_that_is_emptied_is_content() {
    let (_dir, path) = folder(TWO, 28);
    let mut weights = open(&path).unwrap();
    let mut root = weights.root();
    let mut scope = root.at("a");
    assert_eq!(scope.take("weight", &[2, 3]).unwrap().size(), [2, 3]);
    assert_eq!(scope.take("bias", &[2]).unwrap().kind(), Kind::Float);
    assert_eq!(weights.finish().unwrap(), 8);
}

#[test]
fn what_is_missing_misshapen_or_left_is_named() {
    let (_dir, path) = folder(TWO, 28);
    let mut weights = open(&path).unwrap();
    let said = weights.root().take("b.weight", &[2]).unwrap_err().to_string();
    assert!(said.contains("unet") && said.contains("b.weight") && said.contains("missing"), "{said}");
    let said = weights.root().take("a.weight", &[3, 2]).unwrap_err().to_string();
    assert!(said.contains("a.weight") && said.contains("[2, 3]") && said.contains("[3, 2]"), "{said}");
    let said = weights.finish().unwrap_err().to_string();
    assert!(said.contains("a.bias") && !said.contains("a.weight"), "{said}");
}

#[test]
fn the_positions_that_old_transformers_saved_are_no_weights() {
    let (_dir, path) = folder(
        r#"{"text_model.embeddings.position_ids":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]}}"#,
        16,
    );
    assert_eq!(open(&path).unwrap().finish().unwrap(), 0);
}

#[test]
fn hostile_headers_are_errors() {
    let huge = u64::MAX.to_le_bytes();
    let mut wrong_length = 1_000_000_u64.to_le_bytes().to_vec();
    wrong_length.extend(b"{}");
    for bytes in [&b""[..], b"short", &huge, &wrong_length] {
        let (_dir, path) = raw_folder(bytes);
        assert!(open(&path).is_err(), "{bytes:?}");
    }
    let long = 1_u64 << 61;
    let wrap = format!(
        r#"{{"a":{{"dtype":"U8","shape":[{long}],"data_offsets":[0,{long}]}},
           "b":{{"dtype":"F32","shape":[1],"data_offsets":[{long},{}]}}}}"#,
        long + 4
    );
    for (header, data) in [
        // overlapping
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12,
        ),
        // past the end
        (r#"{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}"#, 8),
        // backwards
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        // a shape whose product overflows
        (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}"#, 8),
        // a negative side
        (r#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8),
        // data that no tensor names
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 400),
        // no JSON
        ("{]", 0),
        (wrap.as_str(), 4),
    ] {
        let (_dir, path) = folder(header, data);
        assert!(open(&path).is_err(), "{header}");
    }
}
