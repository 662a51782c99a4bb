//! Files that cannot be used: each is refused by the first key that is at fault, and leaves the weights alone.

use super::*;

/// What is said of a file, after which nothing has changed.
fn refused(path: &Path) -> String {
    let mut networks = Networks::new(Kind::Float);
    let before = networks.copy();
    let said = networks.set(&[LoraChoice::new(path, 1.0)]).unwrap_err().to_string();
    assert!(same_bits(&networks.copy(), &before), "{said}");
    assert!(said.starts_with(&path.display().to_string()), "{said}");
    said
}

fn refused_tensors(tensors: &[(&str, Tensor)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    refused(&save(folder.path(), "lora", tensors))
}

fn refused_bytes(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lora.safetensors");
    std::fs::write(&path, bytes).unwrap();
    refused(&path)
}

fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn says(said: &str, words: &[&str]) {
    assert!(words.iter().all(|word| said.contains(word)), "{said:?} lacks one of {words:?}");
}

fn zeros(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, tch::Device::Cpu))
}

#[test]
fn what_is_no_safetensors_file() {
    let folder = tempfile::tempdir().unwrap();
    says(&refused(&folder.path().join("absent.safetensors")), &["No such file"]);
    says(&refused(folder.path()), &["is not a file"]);
    says(&refused_bytes(b""), &["not a safetensors file"]);
    says(&refused_bytes(b"PK\x03\x04 and so on"), &["pickled"]);
    says(&refused_bytes(b"\x80\x02}q\x00(X\x05\x00\x00\x00stateq."), &["pickled"]);
    says(&refused_bytes(&(1_u64 << 63).to_le_bytes()), &["9223372036854775808 bytes"]);
    says(&refused_bytes(&(17_u64 << 20).to_le_bytes()), &["header", "at most"]);
    says(&refused_bytes(&with_header("{}", 0)[..9]), &["ends within its header"]);
    says(&refused_bytes(&with_header("{]", 0)), &["not a safetensors file"]);
    says(&refused_bytes(&with_header("{}", 0)), &["no tensors"]);
}

#[test]
fn offsets_that_lie() {
    for (header, data) in [
        // overlapping
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12,
        ),
        // past the end, backwards, not all of it
        (r#"{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8),
        // a product that overflows
        (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}"#, 8),
    ] {
        says(&refused_bytes(&with_header(header, data)), &["not a safetensors file"]);
    }
    let twice = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    says(&refused_bytes(&with_header(twice, 4)), &["`a` is in it twice"]);
    let eight = r#"{"a.alpha":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#;
    says(&refused_bytes(&with_header(eight, 4)), &["`a.alpha`", "F8_E4M3"]);
}

#[test]
fn numbers_that_are_none() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let [down, up] = pair(1, 2);
        let _ = down.get(1).get(2).fill_(bad);
        let said =
            refused_tensors(&[("lora_unet_a.lora_down.weight", down), ("lora_unet_a.lora_up.weight", up)]);
        says(&said, &["`lora_unet_a.lora_down.weight`", "NaN"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let [down, up] = pair(1, 2);
    let path = save(folder.path(), "fine", &[("unet.a.lora_A.weight", down), ("unet.a.lora_B.weight", up)]);
    let another = LoraChoice { sha256: Some("0".repeat(64)), ..LoraChoice::new(&path, 1.0) };
    says(&open(&[another]).unwrap_err().to_string(), &["not the file that was asked for"]);
    for (weight, te_weight) in [(f64::NAN, 1.0), (1.0, f64::INFINITY)] {
        let choice = LoraChoice { te_weight, ..LoraChoice::new(&path, weight) };
        says(&open(&[choice]).unwrap_err().to_string(), &["no weight"]);
    }
}

#[test]
fn factors_that_do_not_belong_together() {
    let [down, up] = pair(1, 2);
    let pair_of = |down: Tensor, up: Tensor| {
        refused_tensors(&[("lora_unet_a.lora_down.weight", down), ("lora_unet_a.lora_up.weight", up)])
    };
    says(&pair_of(zeros(&[257, 4]), zeros(&[6, 257])), &["`lora_unet_a.lora_up.weight`", "rank 257"]);
    says(&pair_of(zeros(&[4096, 4]), zeros(&[6, 4096])), &["rank 4096"]);
    says(&pair_of(zeros(&[0, 4]), zeros(&[6, 0])), &["`lora_unet_a.lora_down.weight`", "is empty"]);
    says(&pair_of(down.copy(), zeros(&[6, 3])), &["`lora_unet_a.lora_up.weight`", "rank 3", "has 2"]);
    says(&pair_of(zeros(&[2]), up.copy()), &["`lora_unet_a.lora_down.weight`", "[2]"]);
    let said = refused_tensors(&[("lora_unet_a.lora_down.weight", down.copy())]);
    says(&said, &["`lora_unet_a.lora_down.weight`", "LoraUp"]);
    says(
        &refused_tensors(&[("lora_unet_a.alpha", zeros(&[1]))]),
        &["`lora_unet_a.alpha`", "without factors"],
    );
    let with = |key: &str, tensor: Tensor| {
        let factors =
            [("lora_unet_a.lora_down.weight", down.copy()), ("lora_unet_a.lora_up.weight", up.copy())];
        refused_tensors(&factors.into_iter().chain([(key, tensor)]).collect::<Vec<_>>())
    };
    says(&with("lora_unet_a.alpha", zeros(&[2])), &["`lora_unet_a.alpha`", "one number"]);
    says(&with("lora_unet_a.hada_w1_b", zeros(&[2, 4])), &["`lora_unet_a.hada_w1_b`", "no"]);
    says(&with("lora_unet_a.lora_mid.weight", zeros(&[2, 2])), &["`lora_unet_a.lora_mid.weight`", "[2, 2]"]);
    says(&with("lora_unet_a.dora_scale", zeros(&[5, 1])), &["dora_scale", "[5, 1]"]);
    says(&with("lora_unet_a.diff_b", zeros(&[6])), &["`lora_unet_a.diff_b`", "no LoRA format"]);
    says(&with("unet.a.lora_A.weight", zeros(&[2, 4])), &["same tensor as `lora_unet_a.lora_down.weight`"]);
}

#[test]
fn what_is_for_other_networks() {
    let module = |name: &str, rows, columns| {
        refused_tensors(&[
            (&format!("{name}.lora_down.weight"), zeros(&[2, columns])),
            (&format!("{name}.lora_up.weight"), zeros(&[rows, 2])),
        ])
    };
    says(&module("lora_unet_a", 6, 5), &["`lora_unet_a.lora_down.weight`", "[6, 5]", "[6, 4]", "a.weight"]);
    says(&module("lora_unet_a", 7, 4), &["[7, 4]"]);
    says(&module("lora_unet_norm", 6, 6), &["[6, 6]", "[6]"]);
    says(&module("lora_unet_conv", 4, 27), &["[4, 27]", "[4, 3, 3, 3]"]);
    says(&module("lora_unet_elsewhere", 6, 4), &["`lora_unet_elsewhere.lora_down.weight`", "1 of 1 modules"]);
    says(&module("lora_te_text_model_fc1", 6, 4), &["`lora_te_text_model_fc1.lora_down.weight`", "SD 1.x"]);
    says(&module("lora_unet_double_blocks_0_img_attn_qkv", 6, 4), &["1 of 1 modules", "Flux"]);
    let [down, up] = pair(1, 2);
    let part = [
        ("lora_unet_a.lora_down.weight", down.copy()),
        ("lora_unet_a.lora_up.weight", up.copy()),
        ("lora_unet_z.lora_down.weight", down),
        ("lora_unet_z.lora_up.weight", up),
    ];
    says(&refused_tensors(&part), &["`lora_unet_z.lora_down.weight`", "1 of 2 modules"]);
    let [down, up] = pair(1, 2);
    let bare = [("base_model.model.a.lora_A.weight", down), ("base_model.model.a.lora_B.weight", up)];
    says(&refused_tensors(&bare), &["`base_model.model.a.lora_A.weight`", "PEFT's own layout"]);
}

#[test]
fn notes_that_are_none() {
    for notes in
        [r"not json", r#"{\"unet.lora_alpha\":\"many\"}"#, r#"{\"unet.alpha_pattern\":{\"(to_q|to_k)\":2}}"#]
    {
        let header = format!(
            r#"{{"__metadata__":{{"lora_adapter_metadata":"{notes}"}},"a":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#
        );
        says(&refused_bytes(&with_header(&header, 4)), &["lora_adapter_metadata"]);
    }
}
