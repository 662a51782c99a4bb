//! # Encode: pixels to the bytes of a file
//!
//! One format a file; every encoder and its settings were chosen by measurement (`cargo bench --bench finish`). All
//! declare sRGB.
//! - `jpeg`, `png`, `webp`, `avif`
//! - `riff`: the colour profile into a WebP

mod avif;
mod jpeg;
mod png;
mod riff;
mod webp;

use image::RgbImage;

use super::FinishError;
use crate::plan::{Format, Output};

pub use avif::AvifEncoder;

/// The sRGB profile, 588 bytes; `tests/fixtures/finish/make_srgb_icc.py` makes it.
const SRGB_ICC: &[u8] = include_bytes!("srgb.icc");

/// Encodes in the format of `output`. PNG is always lossless and JPEG never; a lossless picture has no quality.
pub fn encode(picture: &RgbImage, output: &Output) -> Result<Vec<u8>, FinishError> {
    encode_with(picture, output, AvifEncoder::default())
}

/// [`encode`], lossy AVIF by the encoder of the operator's choice.
pub(super) fn encode_with(
    picture: &RgbImage,
    output: &Output,
    avif: AvifEncoder,
) -> Result<Vec<u8>, FinishError> {
    let quality = output.quality.clamp(1, 100);
    match (output.format, output.lossless) {
        (Format::Jpeg, _) => jpeg::encode(picture, quality),
        (Format::Png, _) => png::encode(picture),
        (Format::Webp, false) => webp::encode(picture, quality),
        (Format::Webp, true) => webp::encode_lossless(picture),
        (Format::Avif, false) if avif == AvifEncoder::Rav1e => avif::encode_by_rav1e(picture, quality),
        (Format::Avif, false) => avif::encode(picture, quality),
        (Format::Avif, true) => avif::encode_lossless(picture),
    }
}

#[cfg(test)]
mod tests;
