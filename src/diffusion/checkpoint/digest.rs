//! One hash for all the weights of a checkpoint.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;

use sha2::{Digest, Sha256};

use super::CheckpointError;
use super::files::weight_files;

/// The networks, in the order in which they are hashed.
const NETWORKS: [&str; 4] = ["text_encoder", "text_encoder_2", "unet", "vae"];

/// What `load` makes of the folder's weights, with their hash, which is taken on a thread beside it: of gigabytes it takes
/// seconds.
pub(in crate::diffusion) fn with_weights_sha256<T>(
    model_dir: &Path,
    load: impl FnOnce() -> Result<T, CheckpointError>,
) -> Result<(T, String), CheckpointError> {
    thread::scope(|scope| {
        let hashing = thread::Builder::new()
            .name("weights-hash".to_owned())
            .spawn_scoped(scope, || weights_sha256(model_dir));
        let loaded = load();
        let hash = match hashing {
            Ok(thread) => thread.join().ok(),
            Err(_) => None,
        };
        // Without a thread, or where it ended badly, it is taken here.
        Ok((loaded?, hash.unwrap_or_else(|| weights_sha256(model_dir))?))
    })
}

/// SHA-256, 64 hexadecimal digits, of the list that `sha256sum` would print of the files that hold the weights, named as
/// below `model_dir`.
///
/// # Errors
/// A network without weights, a file that cannot be read.
pub fn weights_sha256(model_dir: &Path) -> Result<String, CheckpointError> {
    let mut list = String::new();
    for network in NETWORKS {
        for path in weight_files(model_dir, network)? {
            let failed = |error: io::Error| CheckpointError::file(&path, error);
            let mut hash = Sha256::new();
            io::copy(&mut File::open(&path).map_err(failed)?, &mut hash).map_err(failed)?;
            let name = path.strip_prefix(model_dir).unwrap_or(&path).display();
            // Writing to a string does not fail.
            let _ = writeln!(list, "{}  {name}", hex::encode(hash.finalize()));
        }
    }
    Ok(hex::encode(Sha256::digest(list)))
}

/// SHA-256 of a file, 64 hexadecimal digits.
///
/// # Errors
/// A file that cannot be read.
pub fn file_sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}
