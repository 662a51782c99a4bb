//! One tensor of a file that was not read yet: where it lies, and how it is to be turned when it is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use super::super::shim;
use super::CheckpointError;

/// A file that is open, and its name for complaints. It is read, never mapped: one that is cut short while it is read
/// is an error then, and does not end the process.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: File,
}

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// As safetensors spells it.
    name: &'static str,
    /// Of one number.
    pub(super) bytes: u64,
    /// `None` where no network has such weights.
    kind: Option<Kind>,
}

/// Number formats of safetensors whose size is whole bytes.
const FORMATS: [(&str, u64, Option<Kind>); 14] = [
    ("F32", 4, Some(Kind::Float)),
    ("F16", 2, Some(Kind::Half)),
    ("BF16", 2, Some(Kind::BFloat16)),
    ("F64", 8, Some(Kind::Double)),
    ("F8_E4M3", 1, Some(Kind::Float8e4m3fn)),
    ("F8_E5M2", 1, Some(Kind::Float8e5m2)),
    ("I64", 8, None),
    ("U64", 8, None),
    ("I32", 4, None),
    ("U32", 4, None),
    ("I16", 2, None),
    ("I8", 1, None),
    ("U8", 1, None),
    ("BOOL", 1, None),
];

impl Format {
    pub(super) fn named(text: &str) -> Option<Self> {
        let (name, bytes, kind) = FORMATS.into_iter().find(|(name, ..)| *name == text)?;
        Some(Self { name, bytes, kind })
    }
}

impl Source {
    pub(super) fn new(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file }
    }
}

/// Cheap to clone: the numbers stay where they are.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    source: Arc<Source>,
    /// In its file, whatever a key map makes of it.
    name: String,
    /// Of the first number, in bytes from the start of the file.
    start: u64,
    format: Format,
    shape: Vec<i64>,
    /// The numbers lie in the order of the transposed matrix.
    transposed: bool,
}

impl Entry {
    pub(super) fn new(source: &Arc<Source>, name: &str, start: u64, format: Format, shape: Vec<i64>) -> Self {
        Self { source: source.clone(), name: name.to_owned(), start, format, shape, transposed: false }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// How many there are.
    pub(super) fn numbers(&self) -> u64 {
        self.shape.iter().map(|side| side.unsigned_abs()).fold(1, u64::saturating_mul)
    }

    /// Cut along the first axis into `count` equal parts; `None` if it does not divide.
    pub(super) fn split(&self, count: usize) -> Option<Vec<Self>> {
        let parts = i64::try_from(count).ok()?;
        let rows = self.shape.first().copied().filter(|rows| rows % parts == 0)? / parts;
        let mut shape = self.shape.clone();
        shape[0] = rows;
        let bytes = shape.iter().product::<i64>() as u64 * self.format.bytes;
        let part = |index: usize| Self {
            start: self.start + index as u64 * bytes,
            shape: shape.clone(),
            ..self.clone()
        };
        Some((0..count).map(part).collect())
    }

    /// A matrix, transposed; anything else as it is.
    pub(super) fn transpose(mut self) -> Self {
        if let [rows, columns] = self.shape[..] {
            self.shape = vec![columns, rows];
            self.transposed = !self.transposed;
        }
        self
    }

    /// A 1x1 convolution (over a line or a picture) as the matrix that it is; anything else as it is.
    pub(super) fn into_matrix(mut self) -> Self {
        if self.shape.len() > 2 && self.shape[2..].iter().all(|&side| side == 1) {
            self.shape.truncate(2);
        }
        self
    }

    /// Reads the numbers to `device` as `kind`.
    ///
    /// # Errors
    /// A file that ended meanwhile, numbers that are none, NaN and infinity among them.
    pub(super) fn read(&self, device: Device, kind: Kind) -> Result<Tensor, CheckpointError> {
        let failed = |reason: &dyn std::fmt::Display| {
            CheckpointError::file(&self.source.path, format!("tensor `{}`: {reason}", self.name))
        };
        let Some(stored) = self.format.kind else {
            return Err(failed(&format_args!("{} numbers are no weights", self.format.name)));
        };
        let mut shape = self.shape.clone();
        if self.transposed {
            shape.reverse();
        }
        let mut tensor =
            Tensor::f_empty(shape.as_slice(), (stored, Device::Cpu)).map_err(|error| failed(&error))?;
        shim::read_into(&self.source.file, self.start, &mut tensor).map_err(|error| failed(&error))?;
        if self.transposed {
            tensor = tensor.transpose(0, 1).contiguous();
        }
        let tensor = tensor.f_to_device_(device, kind, false, false).map_err(|error| failed(&error))?;
        // One number that is none makes the sum none; f16 would overflow in a sum of its own.
        let wide = if kind == Kind::Half { Kind::Float } else { kind };
        let sum = tensor.f_sum(wide).map_err(|error| failed(&error))?;
        if !sum.double_value(&[]).is_finite() {
            return Err(failed(&format_args!("holds NaN or infinity as {}", self.format.name)));
        }
        Ok(tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(numbers: &[u8], format: &str, shape: &[i64]) -> (tempfile::TempDir, Entry) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        std::fs::write(&path, [&[0; 3], numbers].concat()).unwrap();
        let source = Arc::new(Source::new(&path, File::open(&path).unwrap()));
        let format = Format::named(format).unwrap();
        (folder, Entry::new(&source, "a.weight", 3, format, shape.to_vec()))
    }

    fn read(entry: &Entry) -> Result<Vec<f32>, CheckpointError> {
        let tensor = entry.read(Device::Cpu, Kind::Float)?;
        assert_eq!(tensor.size(), entry.shape());
        Ok(Vec::try_from(tensor.flatten(0, -1)).unwrap())
    }

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn it_is_read_as_it_was_turned() {
        let (_folder, entry) = entry(&bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), "F32", &[3, 2]);
        assert_eq!(read(&entry).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(read(&entry.clone().transpose()).unwrap(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
        let parts = entry.split(3).unwrap();
        assert_eq!(
            parts.iter().map(|part| read(part).unwrap()).collect::<Vec<_>>(),
            [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        );
        assert!(entry.split(2).is_none());
    }

    /// torch 2.11: `torch.tensor([0x38, 0xb8, 0x01, 0x7e], dtype=torch.uint8).view(torch.float8_e4m3fn).float()`, and
    /// of `[0x3c, 0xbc, 0x01, 0x7b]` as `float8_e5m2`.
    #[test]
    fn eight_bits_are_numbers_too() {
        let (_folder, e4m3) = entry(&[0x38, 0xb8, 0x01, 0x7e], "F8_E4M3", &[4]);
        assert_eq!(read(&e4m3).unwrap(), [1.0, -1.0, 0.001_953_125, 448.0]);
        let (_folder, e5m2) = entry(&[0x3c, 0xbc, 0x01, 0x7b], "F8_E5M2", &[4]);
        assert_eq!(read(&e5m2).unwrap(), [1.0, -1.0, 0.000_015_258_789, 57344.0]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let (folder, short) = entry(&bytes(&[1.0, 2.0]), "F32", &[2]);
        // Another process cuts the file while this one holds it.
        std::fs::write(folder.path().join("a.safetensors"), b"abcdef").unwrap();
        let said = read(&short).unwrap_err().to_string();
        assert!(
            said.contains("a.safetensors") && said.contains("a.weight") && said.contains("ends"),
            "{said}"
        );
        for bad in [f32::NAN, f32::INFINITY] {
            let (_folder, entry) = entry(&bytes(&[1.0, bad]), "F32", &[2]);
            let said = read(&entry).unwrap_err().to_string();
            assert!(said.contains("a.weight") && said.contains("NaN"), "{said}");
        }
        let (_folder, whole_numbers) = entry(&[0; 16], "I64", &[2]);
        assert!(read(&whole_numbers).unwrap_err().to_string().contains("I64"));
    }
}
