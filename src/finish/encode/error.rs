//! Why a picture could not be written.

use thiserror::Error;

use super::super::libavif::AvifError;
use super::super::visible_watermark::ArtworkError;
use crate::plan::Format;

#[derive(Debug, Error)]
pub enum FinishError {
    #[error("{width_px}x{height_px} is no size that {} can hold", format.name())]
    Size { format: Format, width_px: u32, height_px: u32 },
    #[error("JPEG: {0}")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
    #[error("PNG: {0}")]
    Png(#[from] png::EncodingError),
    #[error("WebP: {0}")]
    Webp(String),
    #[error("AVIF: {0}")]
    Avif(AvifError),
    #[error("the watermark: {0}")]
    Watermark(#[from] ArtworkError),
}
