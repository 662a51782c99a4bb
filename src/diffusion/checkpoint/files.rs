//! Which safetensors files hold the weights of one network.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::CheckpointError;

/// `*.safetensors.index.json`: tensor name to file name.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}

/// The files of `model_dir/component`, the full-precision ones first:
/// `STEM.safetensors`, `STEM.safetensors.index.json`, `STEM.fp16.safetensors`, `STEM.safetensors.index.fp16.json`
/// (`diffusers/utils/hub_utils.py`, `_add_variant`, 0.42.1).
pub(super) fn weight_files(model_dir: &Path, component: &str) -> Result<Vec<PathBuf>, CheckpointError> {
    files_in(&model_dir.join(component), component)
}

/// The folder of an autoencoder, which `path` is or has as `vae`, and the files in it.
pub(super) fn vae_files(path: &Path) -> Result<(PathBuf, Vec<PathBuf>), CheckpointError> {
    let folder = if path.join("config.json").is_file() { path.to_owned() } else { path.join("vae") };
    let files = files_in(&folder, "vae")?;
    Ok((folder, files))
}

fn files_in(folder: &Path, component: &str) -> Result<Vec<PathBuf>, CheckpointError> {
    let stem = if component.starts_with("text_encoder") { "model" } else { "diffusion_pytorch_model" };
    for (plain, index) in [
        (format!("{stem}.safetensors"), format!("{stem}.safetensors.index.json")),
        (format!("{stem}.fp16.safetensors"), format!("{stem}.safetensors.index.fp16.json")),
    ] {
        let plain = folder.join(plain);
        if plain.is_file() {
            return Ok(vec![plain]);
        }
        let index = folder.join(index);
        if index.is_file() {
            return shards(folder, &index);
        }
    }
    let reason = if folder.join(format!("{stem}.bin")).is_file() || folder.join("pytorch_model.bin").is_file()
    {
        format!("has pickled weights only; convert them to {stem}.safetensors")
    } else {
        format!("has no {stem}.safetensors")
    };
    Err(CheckpointError::file(folder, reason))
}

fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let text = fs::read_to_string(index).map_err(|error| CheckpointError::file(index, error))?;
    let read: ShardIndex =
        serde_json::from_str(&text).map_err(|error| CheckpointError::file(index, error))?;
    let names: BTreeSet<String> = read.weight_map.into_values().collect();
    let mut paths = Vec::new();
    for name in names {
        let mut parts = Path::new(&name).components();
        // A shard lies beside its index; a path that leads elsewhere is not followed.
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(CheckpointError::file(index, format!("`{name}` is not a plain file name")));
        }
        paths.push(folder.join(name));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_precision_file_serves_when_the_plain_one_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let unet = dir.path().join("unet");
        fs::create_dir(&unet).unwrap();
        let half = unet.join("diffusion_pytorch_model.fp16.safetensors");
        fs::write(&half, b"").unwrap();
        assert_eq!(weight_files(dir.path(), "unet").unwrap(), [half]);
        let plain = unet.join("diffusion_pytorch_model.safetensors");
        fs::write(&plain, b"").unwrap();
        assert_eq!(weight_files(dir.path(), "unet").unwrap(), [plain]);
    }

    #[test]
    fn an_index_cannot_lead_out_of_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let unet = dir.path().join("unet");
        fs::create_dir(&unet).unwrap();
        for name in ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", ""] {
            let index = format!(r#"{{"weight_map": {{"x": "{name}"}}}}"#);
            fs::write(unet.join("diffusion_pytorch_model.safetensors.index.json"), index).unwrap();
            let said = weight_files(dir.path(), "unet").unwrap_err().to_string();
            assert!(said.contains("plain file name"), "{said}");
        }
    }
}
