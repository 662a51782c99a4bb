//! Hashes of files, each taken once: kept in memory, and for large files beside them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::digest::named_files;
use super::{CheckpointError, FileDigest, ModelFiles};

/// Below it a file is hashed within a fraction of a second, and is not worth another file beside it.
const WORTH_KEEPING_BYTES: u64 = 256 << 20;

/// What the file beside a large file of weights is called: its name and this.
const ENDING: &str = ".sha256.json";

/// What tells without reading it that a file is the one that was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    length: u64,
    mtime_ns: i64,
    /// Nobody can set this one back.
    ctime_ns: i64,
    inode: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Taken {
    sha256: String,
    stamp: Stamp,
}

/// The hashes taken in this process. A file whose hash was taken may change only after [`Self::forget`]: until then its new
/// content is an error, because others were told the hash of the old. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Digests {
    taken: Arc<Mutex<HashMap<PathBuf, Taken>>>,
    worth_keeping_bytes: u64,
}

impl Default for Digests {
    fn default() -> Self {
        Self { taken: Arc::default(), worth_keeping_bytes: WORTH_KEEPING_BYTES }
    }
}

impl Digests {
    /// Of every file that the weights of a model are read from, its VAE's last. Blocks for as long as files are read that
    /// were not hashed before.
    ///
    /// # Errors
    /// A network without weights, a file that cannot be read, [`CheckpointError::Changed`].
    pub(in crate::diffusion) fn of_model(
        &self,
        files: &ModelFiles,
    ) -> Result<Vec<FileDigest>, CheckpointError> {
        let named = named_files(files)?;
        named.into_iter().map(|(name, path)| Ok(FileDigest { name, sha256: self.sha256(&path)? })).collect()
    }

    /// Of a file as it is now, whatever it was before.
    ///
    /// # Errors
    /// A file that cannot be read, or changes while it is.
    pub fn of_file(&self, path: &Path) -> Result<String, CheckpointError> {
        self.sha256(path).or_else(|error| match error {
            CheckpointError::Changed { .. } => {
                self.lock().remove(path);
                self.sha256(path)
            }
            error => Err(error),
        })
    }

    /// Lets the files of a model be others from now on.
    pub(in crate::diffusion) fn forget(&self, files: &ModelFiles) {
        for (_, path) in named_files(files).unwrap_or_default() {
            self.lock().remove(&path);
        }
    }

    pub(super) fn sha256(&self, path: &Path) -> Result<String, CheckpointError> {
        let failed = |error: io::Error| CheckpointError::file(path, error);
        let mut file = File::open(path).map_err(failed)?;
        let stamp = Stamp::of(&file.metadata().map_err(failed)?);
        let known = self.lock().get(path).cloned();
        if let Some(taken) = known.iter().cloned().chain(kept(path)).find(|taken| taken.stamp == stamp) {
            return self.keep(path, known, taken);
        }
        let mut hash = Sha256::new();
        io::copy(&mut file, &mut hash).map_err(failed)?;
        if Stamp::of(&file.metadata().map_err(failed)?) != stamp {
            return Err(changed(path));
        }
        let taken = Taken { sha256: hex::encode(hash.finalize()), stamp };
        if taken.stamp.length >= self.worth_keeping_bytes
            && let Err(error) = write(path, &taken)
        {
            tracing::debug!(path = %path.display(), %error, "the hash is not kept beside its file");
        }
        self.keep(path, known, taken)
    }

    /// What the files are now.
    pub(super) fn stamps(paths: &[PathBuf]) -> Result<Vec<Stamp>, CheckpointError> {
        let stamp = |path: &PathBuf| fs::metadata(path).map(|found| Stamp::of(&found));
        paths.iter().map(|path| stamp(path).map_err(|error| CheckpointError::file(path, error))).collect()
    }

    fn keep(&self, path: &Path, known: Option<Taken>, taken: Taken) -> Result<String, CheckpointError> {
        if known.is_some_and(|known| known.sha256 != taken.sha256) {
            return Err(changed(path));
        }
        let sha256 = taken.sha256.clone();
        self.lock().insert(path.to_owned(), taken);
        Ok(sha256)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            length: found.len(),
            mtime_ns: ns(found.mtime(), found.mtime_nsec()),
            ctime_ns: ns(found.ctime(), found.ctime_nsec()),
            inode: found.ino(),
        }
    }
}

fn changed(path: &Path) -> CheckpointError {
    CheckpointError::Changed { path: path.display().to_string() }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// What an earlier process wrote. Whoever can write there can as well write other weights.
fn kept(path: &Path) -> Option<Taken> {
    let taken: Taken = serde_json::from_slice(&fs::read(beside(path, ENDING)).ok()?).ok()?;
    let is_hex = taken.sha256.len() == 64 && taken.sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then_some(taken)
}

/// Whole or not at all: another process may read it meanwhile.
fn write(path: &Path, taken: &Taken) -> io::Result<()> {
    let unfinished = beside(path, &format!("{ENDING}.{}", std::process::id()));
    fs::write(&unfinished, serde_json::to_vec(taken)?)?;
    fs::rename(&unfinished, beside(path, ENDING)).inspect_err(|_| drop(fs::remove_file(&unfinished)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn digests() -> Digests {
        Digests { worth_keeping_bytes: 0, ..Digests::default() }
    }

    #[test]
    fn another_content_is_an_error_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        fs::write(&path, b"").unwrap();
        let digests = digests();
        assert_eq!(digests.sha256(&path).unwrap(), EMPTY);
        // Touched, the same content is the same.
        fs::write(&path, b"").unwrap();
        assert_eq!(digests.sha256(&path).unwrap(), EMPTY);
        fs::write(&path, b"other").unwrap();
        let error = digests.sha256(&path).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Changed { path } if path.ends_with("a.safetensors")),
            "{error}"
        );
        assert_eq!(digests.of_file(&path).unwrap(), hex::encode(Sha256::digest(b"other")));
        fs::write(&path, b"").unwrap();
        assert!(digests.sha256(&path).is_err());
        fs::write(&path, b"other").unwrap();
        digests.forget(&ModelFiles { checkpoint: path.clone(), vae: None });
        assert_eq!(digests.sha256(&path).unwrap(), hex::encode(Sha256::digest(b"other")));
    }

    #[test]
    fn another_process_reads_what_is_kept_beside_unless_the_file_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        fs::write(&path, b"abc").unwrap();
        let sha256 = digests().sha256(&path).unwrap();
        let note = folder.path().join("a.safetensors.sha256.json");
        // A false note of the right stamp is believed: the file was not read again.
        let text = fs::read_to_string(&note).unwrap().replace(&sha256, EMPTY);
        fs::write(&note, text).unwrap();
        assert_eq!(digests().sha256(&path).unwrap(), EMPTY);
        fs::write(&path, b"abcd").unwrap();
        assert_eq!(digests().sha256(&path).unwrap(), hex::encode(Sha256::digest(b"abcd")));
        fs::write(&note, b"no JSON").unwrap();
        assert_eq!(digests().sha256(&path).unwrap(), hex::encode(Sha256::digest(b"abcd")));
    }

    #[test]
    fn small_files_have_nothing_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        fs::write(&path, b"abc").unwrap();
        Digests::default().sha256(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
