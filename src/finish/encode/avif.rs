//! AVIF by libaom, on one thread: a quarter to a half of what rav1e takes.

use image::RgbImage;
use ravif::{BitDepth, Encoder, Img, RGB8};
use serde::Deserialize;

use super::super::libavif::{self, AvifError, Coding};
use super::FinishError;
use crate::plan::Format;

/// From this quality on colour is kept at full resolution (4:4:4), as in a JPEG.
const FULL_CHROMA_FROM: u8 = 90;

/// libavif's scale: 0 is slow, 10 fast. 7 and 8 take six times as long, and 10 is the same as 9.
const SPEED: u8 = 9;

/// rav1e's scale: 1 is slow, 10 fast. 8 takes twice as long.
const RAV1E_SPEED: u8 = 9;

/// Who writes lossy AVIF. Lossless is libaom's: rav1e cannot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AvifEncoder {
    #[default]
    Aom,
    /// In Rust, through `ravif`.
    Rav1e,
}

/// Full chroma at every quality.
pub(super) fn encode_by_rav1e(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, FinishError> {
    let (width_px, height_px) = picture.dimensions();
    // AV1's own bound (section 5.5.1: 16 bits).
    if picture.is_empty() || width_px.max(height_px) > 1 << 16 {
        return Err(FinishError::Size { format: Format::Avif, width_px, height_px });
    }
    let pixels: Vec<RGB8> = picture.pixels().map(|pixel| RGB8::from(pixel.0)).collect();
    let encoder = Encoder::new()
        .with_quality(quality.into())
        .with_speed(RAV1E_SPEED)
        .with_num_threads(Some(1))
        .with_bit_depth(BitDepth::Eight);
    let written = encoder.encode_rgb(Img::new(&pixels, width_px as usize, height_px as usize));
    Ok(written.map_err(|error| FinishError::Rav1e(error.to_string()))?.avif_file)
}

pub(super) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, FinishError> {
    write(picture, Coding::Lossy { quality, half_chroma: quality < FULL_CHROMA_FROM })
}

pub(super) fn encode_lossless(picture: &RgbImage) -> Result<Vec<u8>, FinishError> {
    write(picture, Coding::Lossless)
}

fn write(picture: &RgbImage, coding: Coding) -> Result<Vec<u8>, FinishError> {
    libavif::encode(picture, coding, SPEED).map_err(|error| match error {
        AvifError::TooLarge { width_px, height_px } => {
            FinishError::Size { format: Format::Avif, width_px, height_px }
        }
        error => FinishError::Avif(error),
    })
}
