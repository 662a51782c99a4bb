//! Files that come in within limits, and go out whole or not at all.

use std::path::{Path, PathBuf};

use super::{Failure, LOCAL_LIMITS};

fn at(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    format!("{}: {error}", path.display()).into()
}

/// A picture's bytes, unless they are more than are decoded.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::metadata(path).map_err(|error| at(path, &error))?.len();
    let most = LOCAL_LIMITS.max_bytes;
    if bytes > most as u64 {
        return Err(at(path, &format_args!("it has {bytes} bytes; at most {most} are allowed")));
    }
    std::fs::read(path).map_err(|error| at(path, &error))
}

/// Bytes beside the place where they belong; dropped, they leave nothing.
pub(super) struct Staged {
    part: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Makes the folder as well, where there is none. A link is followed; what is there and is no file stays.
    pub(super) fn new(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| at(path, &error);
        let name = path.file_name().ok_or_else(|| at(path, &"names no file"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let path = if path.exists() {
            path.canonicalize()
        } else {
            folder.canonicalize().map(|folder| folder.join(name))
        };
        let path = path.map_err(failed)?;
        if path.exists() && !path.is_file() {
            return Err(at(&path, &"is there, and is no file"));
        }
        let mut part = path.file_name().unwrap_or(name).to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(part);
        if part.exists() {
            return Err(at(&path, &"is to be written twice"));
        }
        let staged = Self { part, path };
        std::fs::write(&staged.part, bytes).map_err(failed)?;
        Ok(staged)
    }

    pub(super) fn publish(self) -> Result<(), Failure> {
        std::fs::rename(&self.part, &self.path).map_err(|error| at(&self.path, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already where it was published.
        let _ = std::fs::remove_file(&self.part);
    }
}
