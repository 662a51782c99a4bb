//! Why a mark is not taken.

use thiserror::Error;

use super::super::decode::DecodeError;

/// Each text is for whoever sent the mark, and quotes nothing of it but names of SVG elements.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArtworkError {
    #[error("expected a data URI, such as data:image/png;base64,…")]
    NotADataUri,
    #[error("expected base64 in the data URI: after the type, `;base64,`")]
    NotBase64,
    #[error("its base64 is broken")]
    BrokenBase64,
    #[error("its type is not one of image/png, image/jpeg, image/webp and image/svg+xml")]
    Mime,
    #[error("its type says {said}, but it is {found}")]
    MimeDiffers { said: &'static str, found: &'static str },
    #[error("it has {bytes} bytes; at most {max_bytes} are allowed")]
    Bytes { bytes: usize, max_bytes: usize },
    #[error("it is {found}; PNG, JPEG, WebP and SVG are drawn")]
    Kind { found: &'static str },
    #[error("{0}")]
    Decode(#[from] DecodeError),
    #[error("SVG: {0}")]
    Svg(String),
}

impl ArtworkError {
    pub(super) fn svg(said: impl Into<String>) -> Self {
        Self::Svg(said.into())
    }
}
