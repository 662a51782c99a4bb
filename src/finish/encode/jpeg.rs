//! JPEG.

use image::RgbImage;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use super::{FinishError, SRGB_ICC};
use crate::plan::Format;

/// From this quality on a JPEG keeps its colour at full resolution (4:4:4).
const FULL_CHROMA_FROM: u8 = 90;

/// Baseline. From quality 90 on 4:4:4 with Huffman tables made for the picture, a quarter smaller on flat ones; below,
/// 4:2:0 with the chroma of each 2x2 block averaged and the standard tables: for tables of its own this encoder writes
/// one scan a component, which `zune-jpeg` (the decoder of the crate `image`) misreads where chroma is subsampled.
pub(super) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, FinishError> {
    let (width_px, height_px) = picture.dimensions();
    let side = |px: u32| u16::try_from(px).ok().filter(|&px| px > 0);
    let (Some(width), Some(height)) = (side(width_px), side(height_px)) else {
        return Err(FinishError::Size { format: Format::Jpeg, width_px, height_px });
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
