//! The tensors of one network, taken by name and shape until none is left.
//!
//! - `live`: handles on those that were taken, by name

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use super::CheckpointError;
use super::entry::Entry;
use super::files::weight_files;
use super::header::Header;
use live::LiveWeights;

pub(in crate::diffusion) mod live;

/// Buffers that older versions of transformers saved; they hold 0, 1, 2, ... and are computed, not read.
const HARMLESS: [&str; 1] = ["embeddings.position_ids"];

/// The tensors of one network that nobody has taken yet.
#[derive(Debug)]
pub(in crate::diffusion) struct Weights {
    component: String,
    entries: BTreeMap<String, Entry>,
    live: LiveWeights,
    device: Device,
    kind: Kind,
    parameters: u64,
}

impl Weights {
    /// Reads the headers of the files of `model_dir/component`. Tensors are read when they are taken, to `device` as
    /// `kind`.
    pub(in crate::diffusion) fn open(
        model_dir: &Path,
        component: &str,
        device: Device,
        kind: Kind,
    ) -> Result<Self, CheckpointError> {
        Ok(Self::of(component, read(&weight_files(model_dir, component)?)?, device, kind))
    }

    /// The same for tensors whose headers were read, under the names that the network knows.
    pub(super) fn of(
        component: &str,
        mut entries: BTreeMap<String, Entry>,
        device: Device,
        kind: Kind,
    ) -> Self {
        entries.retain(|name, _| !HARMLESS.iter().any(|harmless| name.ends_with(harmless)));
        let live = LiveWeights::default();
        Self { component: component.into(), entries, live, device, kind, parameters: 0 }
    }

    /// Numbers in the tensors that nobody has taken.
    pub(super) fn numbers(&self) -> u64 {
        self.entries.values().map(Entry::numbers).sum()
    }

    /// Gives each tensor the name that `canonical` makes of its own.
    pub(in crate::diffusion) fn rename(
        &mut self,
        canonical: impl Fn(&str) -> String,
    ) -> Result<(), CheckpointError> {
        for (name, entry) in std::mem::take(&mut self.entries) {
            let name = canonical(&name);
            if self.entries.insert(name.clone(), entry).is_some() {
                return Err(CheckpointError::Leftover {
                    component: self.component.clone(),
                    names: vec![name],
                });
            }
        }
        Ok(())
    }

    /// The place from which names are taken.
    pub(in crate::diffusion) fn root(&mut self) -> Scope<'_> {
        Scope { weights: self, prefix: String::new() }
    }

    /// Handles on every tensor taken so far, by name.
    pub(in crate::diffusion) fn live(&mut self) -> LiveWeights {
        std::mem::take(&mut self.live)
    }

    /// Numbers in the tensors taken. Fails if one was not taken, and lists all of them as their file names them.
    pub(in crate::diffusion) fn finish(self) -> Result<u64, CheckpointError> {
        if self.entries.is_empty() {
            return Ok(self.parameters);
        }
        Err(CheckpointError::Leftover {
            component: self.component,
            names: self.entries.into_values().map(|entry| entry.name().to_owned()).collect(),
        })
    }

    fn remove(&mut self, name: &str, expected: &[i64]) -> Result<Entry, CheckpointError> {
        let component = || self.component.clone();
        let Some(entry) = self.entries.remove(name) else {
            return Err(CheckpointError::Missing { component: component(), name: name.into() });
        };
        if entry.shape() != expected {
            return Err(CheckpointError::Misshapen {
                component: component(),
                name: name.into(),
                found: entry.shape().to_vec(),
                expected: expected.into(),
            });
        }
        Ok(entry)
    }
}

/// A dotted prefix within the names of [`Weights`].
#[derive(Debug)]
pub(in crate::diffusion) struct Scope<'a> {
    weights: &'a mut Weights,
    prefix: String,
}

impl Scope<'_> {
    /// The scope of a module below this one, such as `down_blocks.0`.
    pub(in crate::diffusion) fn at(&mut self, module: impl std::fmt::Display) -> Scope<'_> {
        let prefix = format!("{}{module}.", self.prefix);
        Scope { weights: self.weights, prefix }
    }

    /// Whether a tensor of this name waits to be taken.
    pub(in crate::diffusion) fn has(&self, name: &str) -> bool {
        self.weights.entries.contains_key(&format!("{}{name}", self.prefix))
    }

    /// Takes a tensor of exactly this shape, read to the device in the network's number format. A layer that lays
    /// it out anew does so by [`live::relay`], so that the handle in [`LiveWeights`] stays on what is computed with.
    pub(in crate::diffusion) fn take(
        &mut self,
        name: &str,
        shape: &[i64],
    ) -> Result<Tensor, CheckpointError> {
        let name = format!("{}{name}", self.prefix);
        let entry = self.weights.remove(&name, shape)?;
        let tensor = entry.read(self.weights.device, self.weights.kind)?;
        self.weights.parameters += tensor.numel() as u64;
        self.weights.live.insert(name, &tensor);
        Ok(tensor)
    }

    /// Takes a tensor of a part that this build does not run, without reading it. It may be absent.
    pub(in crate::diffusion) fn skip(&mut self, name: &str, shape: &[i64]) -> Result<(), CheckpointError> {
        if self.has(name) {
            self.weights.remove(&format!("{}{name}", self.prefix), shape)?;
        }
        Ok(())
    }
}

/// The tensors of all files of one network.
pub(super) fn read(files: &[PathBuf]) -> Result<BTreeMap<String, Entry>, CheckpointError> {
    let mut entries = BTreeMap::new();
    for path in files {
        for (name, entry) in Header::read(path)?.tensors {
            if entries.contains_key(&name) {
                return Err(CheckpointError::file(path, format!("tensor `{name}` is in two files")));
            }
            entries.insert(name, entry);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
