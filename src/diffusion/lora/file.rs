//! A safetensors file of which nothing is believed: read whole, so that what is hashed is what is used.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use super::LoraError;

/// Rank 256 of every layer of SDXL in f32 is less.
const LONGEST_FILE_BYTES: u64 = 4 << 30;
/// The largest published LoRA files of SDXL have headers of less than a megabyte.
const LONGEST_HEADER_BYTES: u64 = 16 << 20;
/// The length field at the head of a safetensors file.
const LENGTH_BYTES: usize = 8;

/// The contents of one file.
#[derive(Debug)]
pub(super) struct TensorFile {
    /// By name, in the number format of the file, on the CPU; all finite.
    pub(super) tensors: BTreeMap<String, Tensor>,
    /// `__metadata__`
    pub(super) metadata: HashMap<String, String>,
    /// 64 hexadecimal digits.
    pub(super) sha256: String,
}

impl TensorFile {
    /// # Errors
    /// No plain file, no safetensors file, a header that is too long or disagrees with the data (offsets that overlap,
    /// leave gaps or lead out of the file, a name twice), a number format that no LoRA has, a tensor
    /// without numbers, NaN or infinity.
    pub(super) fn read(path: &Path) -> Result<Self, LoraError> {
        let bytes = bytes_of(path)?;
        check_header(&bytes).map_err(|reason| LoraError::file(path, reason))?;
        let unread =
            |error: &dyn fmt::Display| LoraError::file(path, format!("is not a safetensors file: {error}"));
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| unread(&error))?;
        let views = SafeTensors::deserialize(&bytes).map_err(|error| unread(&error))?;
        let mut views: Vec<_> = views.iter().collect();
        views.sort_by_key(|(name, _)| *name);
        let mut tensors = BTreeMap::new();
        for (name, view) in views {
            let refuse = |reason: String| LoraError::key(path, name, reason);
            if view.data().is_empty() {
                return Err(refuse("is empty".into()));
            }
            let kind = match view.dtype() {
                Dtype::F32 => Kind::Float,
                Dtype::F16 => Kind::Half,
                Dtype::BF16 => Kind::BFloat16,
                Dtype::F64 => Kind::Double,
                Dtype::I64 => Kind::Int64,
                other => return Err(refuse(format!("has the number format {other:?}"))),
            };
            let shape: Vec<i64> = view
                .shape()
                .iter()
                .map(|&side| i64::try_from(side))
                .collect::<Result<_, _>>()
                .map_err(|_| refuse("is too long".into()))?;
            let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)
                .map_err(|error| refuse(error.to_string()))?;
            if !is_finite(&tensor) {
                return Err(refuse("holds NaN or infinity".into()));
            }
            tensors.insert(name.to_owned(), tensor);
        }
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors, metadata, sha256: hex::encode(Sha256::digest(&bytes)) })
    }
}

pub(super) fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) == 1
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, LoraError> {
    let refuse = |reason: &dyn fmt::Display| LoraError::file(path, reason);
    // Asked before it is opened: opening a pipe would wait for its writer.
    let length = match std::fs::metadata(path) {
        Ok(about) if about.is_file() => about.len(),
        Ok(_) => return Err(refuse(&"is not a file")),
        Err(error) => return Err(refuse(&error)),
    };
    if length > LONGEST_FILE_BYTES {
        return Err(refuse(&format!("{length} bytes are more than any LoRA has ({LONGEST_FILE_BYTES})")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| refuse(&error))?;
    file.take(LONGEST_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| refuse(&error))?;
    Ok(bytes)
}

/// The length of the header, and that no name is in it twice, which `safetensors` lets pass.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(format!("is not a safetensors file: {} bytes", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER_BYTES {
        // The beginnings of a zip archive, which is how torch saves, and of a bare pickle.
        if bytes.starts_with(b"PK\x03\x04") || bytes[0] == 0x80 {
            return Err(
                "holds pickled objects, which can run code and are never read; convert it to safetensors"
                    .into(),
            );
        }
        return Err(format!(
            "its header is said to have {length} bytes; at most {LONGEST_HEADER_BYTES} are read"
        ));
    }
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or("is not a safetensors file: it ends within its header")?;
    serde_json::from_slice::<UniqueNames>(header)
        .map(|_| ())
        .map_err(|error| format!("is not a safetensors file: {error}"))
}

/// A JSON object without its values.
struct UniqueNames;

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = UniqueNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueNames, A::Error> {
                let mut seen = HashSet::new();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                    if seen.contains(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` is in it twice")));
                    }
                    seen.insert(name);
                }
                Ok(UniqueNames)
            }
        }
        deserializer.deserialize_map(Names)
    }
}
