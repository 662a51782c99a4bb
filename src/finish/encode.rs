//! Pixels to the bytes of a file.
//!
//! Encoders and their settings were chosen by measurement: JPEG about 10 ms and PNG 6 to 10 ms at 1344x768 on one core.

use image::RgbImage;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, EncodingError, SamplingFactor};
use png::SrgbRenderingIntent;
use thiserror::Error;

use crate::plan::{Format, Output};

/// From this quality on a JPEG keeps its colour at full resolution (4:4:4).
const FULL_CHROMA_FROM: u8 = 90;

/// The sRGB profile, 588 bytes; `tests/fixtures/finish/make_srgb_icc.py` makes it.
const SRGB_ICC: &[u8] = include_bytes!("srgb.icc");

/// Why a picture could not be written.
#[derive(Debug, Error)]
pub enum FinishError {
    #[error("{width_px}x{height_px} is no size that JPEG can hold")]
    JpegSize { width_px: u32, height_px: u32 },
    #[error("JPEG: {0}")]
    Jpeg(#[from] EncodingError),
    #[error("PNG: {0}")]
    Png(#[from] png::EncodingError),
}

/// Encodes in the format of `output`, declared as sRGB.
pub fn encode(picture: &RgbImage, output: &Output) -> Result<Vec<u8>, FinishError> {
    match output.format {
        Format::Jpeg => jpeg(picture, output.quality.clamp(1, 100)),
        Format::Png => png(picture),
    }
}

/// Baseline. From quality 90 on 4:4:4 with Huffman tables made for the picture, a quarter smaller on flat ones; below,
/// 4:2:0 with the chroma of each 2x2 block averaged and the standard tables: for tables of its own this encoder writes
/// one scan a component, which `zune-jpeg` (the decoder of the crate `image`) misreads where chroma is subsampled.
fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, FinishError> {
    let (width_px, height_px) = picture.dimensions();
    let side = |px: u32| u16::try_from(px).ok().filter(|&px| px > 0);
    let (Some(width), Some(height)) = (side(width_px), side(height_px)) else {
        return Err(FinishError::JpegSize { width_px, height_px });
    };
    let mut bytes = Vec::with_capacity(picture.as_raw().len() / 8);
    let mut encoder = Encoder::new(&mut bytes, quality);
    if quality < FULL_CHROMA_FROM {
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    } else {
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.set_optimized_huffman_tables(true);
    }
    encoder.add_icc_profile(SRGB_ICC)?;
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

/// 8-bit RGB, filters chosen by row; the sRGB chunk (with gAMA and cHRM for old readers) stands for a profile.
fn png(picture: &RgbImage) -> Result<Vec<u8>, FinishError> {
    let mut bytes = Vec::with_capacity(picture.as_raw().len() / 2);
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_raw())?;
    writer.finish()?;
    Ok(bytes)
}
