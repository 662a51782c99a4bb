//! Why a picture could not be finished.

use thiserror::Error;

use super::decode::DecodeError;
use super::invisible_mark::MarkError;
use super::libavif::AvifError;
use super::visible_watermark::ArtworkError;
use crate::credentials::CredentialsError;
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
    #[error("AVIF by rav1e: {0}")]
    Rav1e(String),
    #[error("the thumbnail: {0}")]
    Thumbnail(String),
    #[error("the watermark: {0}")]
    Watermark(#[from] ArtworkError),
    #[error("the invisible mark: {0}")]
    Mark(#[from] MarkError),
    #[error("the file just written cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    #[error("the content credentials: {0}")]
    Credentials(#[from] CredentialsError),
}
