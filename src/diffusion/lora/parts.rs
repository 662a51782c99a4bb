//! The tensors that a file has for one module, taken by part until none is left.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Kind, Tensor};

use super::LoraError;
use super::keys::Part;

/// Rank of the largest LoRAs in use; the cost of merging grows with it.
const HIGHEST_RANK: i64 = 256;

/// One tensor, with the key that it has in the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) tensor: Tensor,
}

#[derive(Debug)]
pub(super) struct Parts<'a> {
    path: &'a Path,
    first_key: String,
    entries: BTreeMap<Part, Entry>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path, first_key: String::new(), entries: BTreeMap::new() }
    }

    /// # Errors
    /// A second tensor for the same part, by another spelling.
    pub(super) fn add(&mut self, part: Part, key: String, tensor: Tensor) -> Result<(), LoraError> {
        if let Some(first) = self.entries.get(&part) {
            return Err(LoraError::key(self.path, &key, format!("is the same tensor as `{}`", first.key)));
        }
        if self.first_key.is_empty() || key < self.first_key {
            self.first_key.clone_from(&key);
        }
        self.entries.insert(part, Entry { key, tensor });
        Ok(())
    }

    /// The first key of the module, also after it was taken.
    pub(super) fn first_key(&self) -> &str {
        &self.first_key
    }

    /// The complaint about a module that has no delta of any kind.
    pub(super) fn incomplete(&self) -> LoraError {
        LoraError::key(self.path, &self.first_key, "belongs to a module without factors")
    }

    pub(super) fn take(&mut self, part: Part) -> Option<Entry> {
        self.entries.remove(&part)
    }

    /// The part, which `beside` cannot do without.
    pub(super) fn require(&mut self, part: Part, beside: &Entry) -> Result<Entry, LoraError> {
        let missing = || LoraError::key(self.path, &beside.key, format!("stands without its {part:?}"));
        self.entries.remove(&part).ok_or_else(missing)
    }

    pub(super) fn refuse(&self, entry: &Entry, reason: impl std::fmt::Display) -> LoraError {
        LoraError::key(self.path, &entry.key, reason)
    }

    /// A factor that reaches from the rank to one side of the weight: `[rank, ...]` if `rank_first`, else `[..., rank]`;
    /// flattened to two dimensions. Convolutions of size 1 are matrices.
    pub(super) fn matrix(&self, entry: &Entry, rank_first: bool) -> Result<Tensor, LoraError> {
        let size = entry.tensor.size();
        let shape = match (size.as_slice(), rank_first) {
            ([rows, columns], _) | ([rows, columns, 1, 1], _) => [*rows, *columns],
            ([rank, inner, height, width], true) => [*rank, inner * height * width],
            _ => return Err(self.refuse(entry, format!("has the shape {size:?}"))),
        };
        self.check_rank(entry, if rank_first { shape[0] } else { shape[1] })?;
        Ok(entry.tensor.reshape(shape))
    }

    pub(super) fn check_rank(&self, entry: &Entry, rank: i64) -> Result<(), LoraError> {
        match rank {
            1..=HIGHEST_RANK => Ok(()),
            _ => Err(self.refuse(entry, format!("has rank {rank}; ranks from 1 to {HIGHEST_RANK} are read"))),
        }
    }

    /// Fails unless the two factors share a rank.
    pub(super) fn check_same(&self, entry: &Entry, rank: i64, other: i64) -> Result<(), LoraError> {
        let reason = || format!("has rank {rank}, the other factor has {other}");
        if rank == other { Ok(()) } else { Err(self.refuse(entry, reason())) }
    }

    /// The number that the part holds.
    pub(super) fn number(&mut self, part: Part) -> Result<Option<f64>, LoraError> {
        let Some(entry) = self.take(part) else { return Ok(None) };
        if entry.tensor.numel() != 1 {
            return Err(
                self.refuse(&entry, format!("has the shape {:?}, one number is due", entry.tensor.size()))
            );
        }
        Ok(Some(entry.tensor.reshape([1]).to_kind(Kind::Double).double_value(&[0])))
    }

    /// Fails on the first tensor that nobody took.
    pub(super) fn finish(self) -> Result<(), LoraError> {
        let first = self.entries.values().min_by(|a, b| a.key.cmp(&b.key));
        first.map_or(Ok(()), |entry| Err(self.refuse(entry, "is not part of any delta that is known")))
    }
}
