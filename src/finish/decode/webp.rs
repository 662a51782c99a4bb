//! WebP: lossy, lossless, with and without transparency.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder};

use super::{DecodeError, DecodeLimits};
use crate::plan::Format;

pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<DynamicImage, DecodeError> {
    let broken = |error: image::ImageError| DecodeError::broken(Format::Webp, &error);
    let whole = bytes
        .get(4..8)
        .and_then(|length| length.try_into().ok())
        .is_some_and(|length| u32::from_le_bytes(length) as usize <= bytes.len() - 8);
    if !whole {
        return Err(DecodeError::broken(Format::Webp, &"it ends early"));
    }
    if announces_animation(bytes) {
        return Err(DecodeError::Animated);
    }
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    limits.admit(width, height)?;
    if decoder.has_animation() {
        return Err(DecodeError::Animated);
    }
    DynamicImage::from_decoder(decoder).map_err(broken)
}

/// The flag in the first chunk, so that ten thousand frames are not even counted (WebP Container Specification,
/// "Extended File Format": bit 1 of the flags).
fn announces_animation(bytes: &[u8]) -> bool {
    bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
}
