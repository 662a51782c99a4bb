//! What the makers in `tests/fixtures` wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use tch::Tensor;

/// A file or folder of `tests/fixtures`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn json<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(path(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The tensors of a file, and what its metadata says under `key`.
pub(crate) fn tensors<T: DeserializeOwned>(name: &str, key: &str) -> (HashMap<String, Tensor>, T) {
    let path = path(name);
    let (_, metadata) = SafeTensors::read_metadata(&std::fs::read(&path).unwrap()).unwrap();
    let said = serde_json::from_str(&metadata.metadata().as_ref().unwrap()[key]).unwrap();
    (Tensor::read_safetensors(path).unwrap().into_iter().collect(), said)
}

/// A text that a reference without weights took as it stands, as a prompt that means the same.
pub(crate) fn escaped(text: &str) -> String {
    let sign = |c: char| "()[]\\".contains(c);
    text.chars().flat_map(|c| sign(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The numbers of a tensor in row order.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::<f32>::try_from(&tensor.flatten(0, -1).to_kind(tch::Kind::Float).contiguous()).unwrap()
}

/// The tensor that `--dump-latents` writes.
pub(crate) fn latents(path: &Path) -> Tensor {
    let tensors = Tensor::read_safetensors(path).unwrap();
    tensors.into_iter().find(|(name, _)| name == "latents").unwrap().1
}
