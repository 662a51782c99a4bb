//! The header of a safetensors file: names, shapes and places of its tensors. Nothing in it is believed before it is
//! checked.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::CheckpointError;
use super::entry::{Entry, Format, Source};

/// The length field at the head of a safetensors file, in bytes.
const LENGTH_BYTES: u64 = 8;

/// SDXL's own header is 0.4 MB; what is beyond this is no list of tensors.
const LONGEST_HEADER_BYTES: u64 = 32 << 20;

/// The key under which a file says things about itself: text to text.
const METADATA: &str = "__metadata__";

/// What one file holds.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) path: PathBuf,
    pub(super) tensors: BTreeMap<String, Entry>,
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Header {
    /// Reads the header alone and checks that its tensors fill the file, each byte belonging to one of them.
    pub(super) fn read(path: &Path) -> Result<Self, CheckpointError> {
        let refuse = |reason: String| CheckpointError::file(path, reason);
        let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
        let length = file.metadata().map_err(|error| refuse(error.to_string()))?.len();
        let (header_bytes, Pairs(pairs)) = read_pairs(&file, length).map_err(refuse)?;
        let start = LENGTH_BYTES + header_bytes;
        let source = Arc::new(Source::new(path, file));

        let (mut tensors, mut metadata) = (BTreeMap::new(), BTreeMap::new());
        let mut places = Vec::new();
        for (name, value) in pairs {
            if name == METADATA {
                metadata =
                    serde_json::from_value(value).map_err(|error| refuse(format!("{METADATA}: {error}")))?;
                continue;
            }
            let (info, format) =
                read_info(value).map_err(|reason| refuse(format!("tensor `{name}` {reason}")))?;
            let (from, to) = info.data_offsets;
            places.push((from, to, name.clone()));
            let shape = info.shape.iter().map(|&side| i64::try_from(side).unwrap_or(i64::MAX)).collect();
            let entry = Entry::new(&source, &name, start.saturating_add(from), format, shape);
            if tensors.insert(name.clone(), entry).is_some() {
                return Err(refuse(format!("tensor `{name}` is there twice")));
            }
        }
        check_places(places, length - start).map_err(refuse)?;
        Ok(Self { path: path.to_owned(), tensors, metadata })
    }

    /// The shape of a tensor that is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[i64]> {
        self.tensors.get(name).map(Entry::shape)
    }
}

/// The header's length and what it lists, in order.
fn read_pairs(file: &File, length: u64) -> Result<(u64, Pairs), String> {
    let mut field = [0; LENGTH_BYTES as usize];
    file.read_exact_at(&mut field, 0)
        .map_err(|_| format!("is not a safetensors file: it has {length} bytes"))?;
    let header_bytes = u64::from_le_bytes(field);
    if header_bytes > LONGEST_HEADER_BYTES {
        return Err(format!(
            "is not a safetensors file, or its header is damaged: {header_bytes} bytes long"
        ));
    }
    if header_bytes > length - LENGTH_BYTES {
        return Err(format!("is cut short: its header has {header_bytes} bytes, the file {length}"));
    }
    let mut header = vec![0; usize::try_from(header_bytes).map_err(|error| error.to_string())?];
    file.read_exact_at(&mut header, LENGTH_BYTES).map_err(|error| error.to_string())?;
    let pairs = serde_json::from_slice(&header)
        .map_err(|error| format!("is not a safetensors file: its header: {error}"))?;
    Ok((header_bytes, pairs))
}

fn read_info(value: Value) -> Result<(TensorInfo, Format), String> {
    let info: TensorInfo = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let format =
        Format::named(&info.dtype).ok_or_else(|| format!("has the unknown number format {}", info.dtype))?;
    let numbers = info.shape.iter().try_fold(1_u64, |product, &side| product.checked_mul(side));
    let bytes = numbers.and_then(|numbers| numbers.checked_mul(format.bytes));
    let (from, to) = info.data_offsets;
    if bytes.is_none() || to.checked_sub(from) != bytes {
        return Err(format!(
            "of shape {:?} in {} does not fill bytes {from} to {to}",
            info.shape, info.dtype
        ));
    }
    Ok((info, format))
}

/// The tensors follow each other without gap or overlap, from the first byte of data to the last.
fn check_places(mut places: Vec<(u64, u64, String)>, data: u64) -> Result<(), String> {
    places.sort();
    let (mut end, mut before) = (0, "the header".to_owned());
    for (from, to, name) in places {
        if from < end {
            return Err(format!("tensor `{name}` overlaps {before}"));
        }
        if from > end {
            return Err(format!("no tensor has bytes {end} to {from}, before `{name}`"));
        }
        (end, before) = (to, format!("tensor `{name}`"));
    }
    if end > data {
        return Err(format!("is cut short: its tensors have {end} bytes, the file {data} after its header"));
    }
    if end < data {
        return Err(format!("no tensor has the last {} bytes", data - end));
    }
    Ok(())
}

/// A JSON object with every pair it has; a map would keep the last of two of one name.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                if pairs.is_empty() { Err(A::Error::custom("no tensor")) } else { Ok(Pairs(pairs)) }
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
