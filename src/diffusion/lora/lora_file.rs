//! A LoRA file: deltas by module, not yet tied to any checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::LoraError;
use super::delta::Delta;
use super::file::TensorFile;
use super::keys::{self, ModuleName};
use super::metadata::AdapterMetadata;
use super::parts::Parts;

#[derive(Debug)]
pub(super) struct LoraFile {
    pub(super) path: PathBuf,
    /// 64 hexadecimal digits.
    pub(super) sha256: String,
    /// By the name that the file has for them.
    pub(super) modules: BTreeMap<ModuleName, Module>,
    /// Of its tensors, in memory.
    pub(super) bytes: u64,
}

#[derive(Debug)]
pub(super) struct Module {
    /// The first of its keys.
    pub(super) key: String,
    pub(super) delta: Delta,
}

impl LoraFile {
    /// # Errors
    /// What [`TensorFile::read`] refuses; a key of no known format; a delta that is incomplete, of shapes that do not
    /// belong together, or of a rank over 256.
    pub(super) fn read(path: &Path) -> Result<Self, LoraError> {
        let TensorFile { tensors, metadata, sha256 } = TensorFile::read(path)?;
        let metadata = AdapterMetadata::read(path, &metadata)?;
        if tensors.is_empty() {
            return Err(LoraError::file(path, "holds no tensors"));
        }
        let mut bytes = 0;
        let mut groups: BTreeMap<ModuleName, Parts<'_>> = BTreeMap::new();
        for (key, tensor) in tensors {
            let Some((module, part)) = keys::parse(&key) else {
                let reason = format!("is of no LoRA format that is read{}", keys::guess(&key));
                return Err(LoraError::key(path, &key, reason));
            };
            bytes += tensor.numel() as u64 * tensor.kind().elt_size_in_bytes() as u64;
            groups.entry(module).or_insert_with(|| Parts::new(path)).add(part, key, tensor)?;
        }
        let mut modules = BTreeMap::new();
        for (name, parts) in groups {
            let key = parts.first_key().to_owned();
            let delta = Delta::read(parts, |rank| metadata.alpha(&name, rank))?;
            modules.insert(name, Module { key, delta });
        }
        Ok(Self { path: path.to_owned(), sha256, modules, bytes })
    }
}
