//! The tensors of one network, taken by name and shape until none is left.
//!
//! - `live`: handles on those that were taken, by name

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

use super::super::shim;
use super::CheckpointError;
use super::files::weight_files;
use live::LiveWeights;

pub(in crate::diffusion) mod live;

/// Buffers that older versions of transformers saved; they hold 0, 1, 2, ... and are computed, not read.
const HARMLESS: [&str; 1] = ["embeddings.position_ids"];

/// The length field at the head of a safetensors file, in bytes.
const LENGTH_BYTES: usize = 8;

#[derive(Debug)]
struct Entry {
    shard: Arc<Mmap>,
    bytes: Range<usize>,
    kind: Kind,
    shape: Vec<i64>,
}

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
    /// Maps the files of `model_dir/component` and checks their headers. Tensors are copied when they are taken,
    /// to `device` as `kind`.
    pub(in crate::diffusion) fn open(
        model_dir: &Path,
        component: &str,
        device: Device,
        kind: Kind,
    ) -> Result<Self, CheckpointError> {
        let mut entries = BTreeMap::new();
        for path in weight_files(model_dir, component)? {
            read_header(&path, &mut entries)?;
        }
        entries.retain(|name, _| !HARMLESS.iter().any(|harmless| name.ends_with(harmless)));
        let live = LiveWeights::default();
        Ok(Self { component: component.into(), entries, live, device, kind, parameters: 0 })
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

    /// Numbers in the tensors taken. Fails if one was not taken, and lists all of them.
    pub(in crate::diffusion) fn finish(self) -> Result<u64, CheckpointError> {
        if self.entries.is_empty() {
            return Ok(self.parameters);
        }
        Err(CheckpointError::Leftover {
            component: self.component,
            names: self.entries.into_keys().collect(),
        })
    }

    fn remove(&mut self, name: &str, expected: &[i64]) -> Result<Entry, CheckpointError> {
        let component = || self.component.clone();
        let Some(entry) = self.entries.remove(name) else {
            return Err(CheckpointError::Missing { component: component(), name: name.into() });
        };
        if entry.shape != expected {
            return Err(CheckpointError::Misshapen {
                component: component(),
                name: name.into(),
                found: entry.shape,
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

    /// Takes a tensor of exactly this shape, copied to the device in the network's number format. A layer that lays
    /// it out anew does so by [`live::relay`], so that the handle in [`LiveWeights`] stays on what is computed with.
    pub(in crate::diffusion) fn take(
        &mut self,
        name: &str,
        shape: &[i64],
    ) -> Result<Tensor, CheckpointError> {
        let name = format!("{}{name}", self.prefix);
        let entry = self.weights.remove(&name, shape)?;
        let failed = |reason: String| CheckpointError::File {
            path: self.weights.component.clone(),
            reason: format!("tensor `{name}`: {reason}"),
        };
        let bytes = entry.shard.get(entry.bytes).ok_or_else(|| failed("lies outside its file".into()))?;
        let tensor = Tensor::f_from_data_size(bytes, &entry.shape, entry.kind)
            .and_then(|tensor| tensor.f_to_device_(self.weights.device, self.weights.kind, false, false))
            .map_err(|error| failed(error.to_string()))?;
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

/// Maps one file and adds its tensors. Nothing in the header is believed before it is checked: the length, that the
/// offsets follow each other without gap or overlap, and that they end with the file (`SafeTensors::read_metadata`).
fn read_header(path: &Path, entries: &mut BTreeMap<String, Entry>) -> Result<(), CheckpointError> {
    let refuse = |reason: String| CheckpointError::file(path, reason);
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let shard = Arc::new(shim::map_file(&file).map_err(|error| refuse(error.to_string()))?);
    let (header_bytes, metadata) = SafeTensors::read_metadata(&shard)
        .map_err(|error| refuse(format!("is not a safetensors file: {error}")))?;
    let start = LENGTH_BYTES + header_bytes;
    for (name, info) in metadata.tensors() {
        let kind = match info.dtype {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            Dtype::F64 => Kind::Double,
            Dtype::I64 => Kind::Int64,
            other => {
                return Err(refuse(format!("tensor `{name}` has the unsupported number format {other:?}")));
            }
        };
        let (from, to) = info.data_offsets;
        // The sums may wrap in a hostile header; then the range does not lie in the file.
        let bytes = start
            .checked_add(from)
            .zip(start.checked_add(to))
            .map(|(from, to)| from..to)
            .filter(|bytes| bytes.end <= shard.len())
            .ok_or_else(|| refuse(format!("tensor `{name}` lies outside the file")))?;
        let shape = info
            .shape
            .iter()
            .map(|&side| i64::try_from(side))
            .collect::<Result<_, _>>()
            .map_err(|_| refuse(format!("tensor `{name}` is too long")))?;
        if entries.insert(name.clone(), Entry { shard: shard.clone(), bytes, kind, shape }).is_some() {
            return Err(refuse(format!("tensor `{name}` is in two files")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
