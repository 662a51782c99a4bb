//! AVIF by libaom, on one thread: 60 ms at 1344x768 at quality 75 and 110 ms at 95, where rav1e takes 250 and 480 ms.

use image::RgbImage;

use super::super::libavif::{self, AvifError, Coding};
use super::FinishError;
use crate::plan::Format;

/// From this quality on colour is kept at full resolution (4:4:4), as in a JPEG.
const FULL_CHROMA_FROM: u8 = 90;

/// libavif's scale: 0 is slow, 10 fast. 7 and 8 take six times as long, and 10 is the same as 9.
const SPEED: u8 = 9;

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
