//! One hash for all the weights of a model, and the files that go into it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::thread;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::files::{vae_files, weight_files};
use super::{CheckpointError, Digests, ModelFiles};

/// The networks, in the order in which they are hashed.
const NETWORKS: [&str; 4] = ["text_encoder", "text_encoder_2", "unet", "vae"];

/// A file of weights, as `sha256sum` would tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Below the folder of the checkpoint; a single file's own name.
    pub name: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// What `load` makes of the model's weights, with their hash, which is taken on a thread beside it: of gigabytes it takes
/// seconds. Files that are not the same afterwards are an error.
pub(in crate::diffusion) fn with_weights_sha256<T>(
    files: &ModelFiles,
    digests: &Digests,
    load: impl FnOnce() -> Result<T, CheckpointError>,
) -> Result<(T, String), CheckpointError> {
    let paths: Vec<PathBuf> = named_files(files)?.into_iter().map(|(_, path)| path).collect();
    let before = Digests::stamps(&paths)?;
    let (loaded, hash) = thread::scope(|scope| {
        let hashing = thread::Builder::new()
            .name("weights-hash".to_owned())
            .spawn_scoped(scope, || model_sha256(files, digests));
        let loaded = load();
        let hash = match hashing {
            Ok(thread) => thread.join().ok(),
            Err(_) => None,
        };
        // Without a thread, or where it ended badly, it is taken here.
        Ok::<_, CheckpointError>((loaded?, hash.unwrap_or_else(|| model_sha256(files, digests))?))
    })?;
    let after = Digests::stamps(&paths)?;
    match paths.iter().zip(before.iter().zip(&after)).find(|(_, (before, after))| before != after) {
        Some((path, _)) => Err(CheckpointError::Changed { path: path.display().to_string() }),
        None => Ok((loaded, hash)),
    }
}

/// SHA-256, 64 hexadecimal digits: of a single file, its own; of a folder in diffusers' layout, that of the list that
/// `sha256sum` would print of the files that hold the weights, named as below `checkpoint`.
///
/// # Errors
/// A network without weights, a file that cannot be read.
pub fn weights_sha256(checkpoint: &Path) -> Result<String, CheckpointError> {
    let files = ModelFiles { checkpoint: checkpoint.to_owned(), vae: None };
    model_sha256(&files, &Digests::default())
}

/// [`weights_sha256`] of the checkpoint; with a VAE from elsewhere, that of the list of both: the checkpoint's, and the
/// VAE's, which is its file's or that of the list of its files.
pub(super) fn model_sha256(files: &ModelFiles, digests: &Digests) -> Result<String, CheckpointError> {
    let of = |named: &[(String, PathBuf)]| -> Result<String, CheckpointError> {
        let list = named.iter().map(|(name, path)| Ok((name.clone(), digests.sha256(path)?)));
        let list = list.collect::<Result<Vec<_>, CheckpointError>>()?;
        Ok(match &list[..] {
            [(name, sha256)] if !name.contains('/') => sha256.clone(),
            list => list_sha256(list),
        })
    };
    let checkpoint = of(&checkpoint_files(&files.checkpoint)?)?;
    let Some(vae) = &files.vae else { return Ok(checkpoint) };
    let vae = of(&vae_named(vae)?)?;
    Ok(list_sha256(&[("checkpoint".to_owned(), checkpoint), ("vae".to_owned(), vae)]))
}

/// Every file that weights are read from, with its name; those of a VAE from elsewhere last.
pub(super) fn named_files(files: &ModelFiles) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
    let mut named = checkpoint_files(&files.checkpoint)?;
    if let Some(vae) = &files.vae {
        named.extend(vae_named(vae)?);
    }
    Ok(named)
}

fn checkpoint_files(checkpoint: &Path) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
    if !checkpoint.is_dir() {
        return Ok(vec![(file_name(checkpoint), checkpoint.to_owned())]);
    }
    let mut named = Vec::new();
    for network in NETWORKS {
        for path in weight_files(checkpoint, network)? {
            let name = path.strip_prefix(checkpoint).unwrap_or(&path).display().to_string();
            named.push((name, path));
        }
    }
    Ok(named)
}

fn vae_named(vae: &Path) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
    if !vae.is_dir() {
        return Ok(vec![(file_name(vae), vae.to_owned())]);
    }
    let (folder, files) = vae_files(vae)?;
    let folder = file_name(&folder);
    Ok(files.into_iter().map(|path| (format!("{folder}/{}", file_name(&path)), path)).collect())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// As `sha256sum` prints it, a line each.
fn list_sha256(list: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, sha256) in list {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{sha256}  {name}");
    }
    hex::encode(Sha256::digest(text))
}
