//! Files that appear whole or not at all.

use std::path::{Path, PathBuf};

use super::Failure;

/// Bytes beside the place where they belong; dropped, they leave nothing.
pub(super) struct Staged {
    part: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Makes the folder as well, where there is none.
    pub(super) fn new(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let name = path.file_name().ok_or_else(|| format!("{}: names no file", path.display()))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut part = name.to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let staged = Self { part: path.with_file_name(part), path: path.to_owned() };
        std::fs::write(&staged.part, bytes).map_err(failed)?;
        Ok(staged)
    }

    pub(super) fn publish(self) -> Result<(), Failure> {
        std::fs::rename(&self.part, &self.path)
            .map_err(|error| format!("{}: {error}", self.path.display()).into())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already where it was published.
        let _ = std::fs::remove_file(&self.part);
    }
}
