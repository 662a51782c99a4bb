//! PNG: every colour type and depth; compressed profiles and texts are not even unpacked.

use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{ColorType, Decoder, Limits, Transformations};

use super::{DecodeError, DecodeLimits};
use crate::plan::Format;

/// What the decoder may allocate beside the picture: rows, palette, its own buffers.
const WORKING_BYTES: usize = 8 << 20;

pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<DynamicImage, DecodeError> {
    let broken = |error: png::DecodingError| DecodeError::broken(Format::Png, &error);
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: WORKING_BYTES });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    // Palettes, grey of 1 to 4 bits and colour keys unfold; 16 bits become 8.
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(broken)?;
    limits.admit(header.width, header.height)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    if reader.info().animation_control.is_some() {
        return Err(DecodeError::Animated);
    }
    let wrong = || DecodeError::broken(Format::Png, &"its size does not fit its colours");
    let mut pixels = vec![0; reader.output_buffer_size().ok_or_else(wrong)?];
    let frame = reader.next_frame(&mut pixels).map_err(broken)?;
    // What follows the pixels must be whole too: a file that was cut short is not taken.
    reader.finish().map_err(broken)?;
    pixels.truncate(frame.buffer_size());
    let (width, height) = (frame.width, frame.height);
    let picture = match frame.color_type {
        ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::Rgb => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::Indexed => None,
    };
    picture.ok_or_else(wrong)
}
