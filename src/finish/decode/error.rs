//! Why a file from outside is not taken.

use thiserror::Error;

use crate::plan::Format;

/// Each text is for whoever sent the file: it says which limit or what else, and quotes nothing of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("it has {bytes} bytes; at most {max_bytes} are allowed")]
    Bytes { bytes: usize, max_bytes: usize },
    #[error("it is {found}; JPEG, PNG, WebP and AVIF are read")]
    Kind { found: &'static str },
    #[error("it is {width_px}x{height_px}; at most {max_pixels} pixels and {max_side_px} a side are allowed")]
    Size { width_px: u32, height_px: u32, max_pixels: u64, max_side_px: u32 },
    #[error("it has no pixels")]
    Empty,
    #[error("it is animated; one picture that stands still is expected")]
    Animated,
    #[error("it is not a whole {}: {detail}", format.name())]
    Broken { format: Format, detail: String },
}

impl DecodeError {
    pub(super) fn broken(format: Format, error: &impl ToString) -> Self {
        Self::Broken { format, detail: error.to_string() }
    }
}
