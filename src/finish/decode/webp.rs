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
    // The decoder unpacks a frame at the size that the frame itself announces, and compares with the canvas afterwards.
    let frames =
        frame_sizes(bytes).ok_or_else(|| DecodeError::broken(Format::Webp, &"its chunks do not fit"))?;
    for &(width, height) in &frames {
        limits.admit(width, height)?;
    }
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    limits.admit(width, height)?;
    if frames.iter().any(|&frame| frame != (width, height)) {
        return Err(DecodeError::broken(Format::Webp, &"its frame is not as large as its canvas"));
    }
    if decoder.has_animation() {
        return Err(DecodeError::Animated);
    }
    DynamicImage::from_decoder(decoder).map_err(broken)
}

/// Width and height in the header of each `VP8 ` and `VP8L` chunk (RFC 6386, section 9.1; WebP Lossless Bitstream, section 3).
fn frame_sizes(bytes: &[u8]) -> Option<Vec<(u32, u32)>> {
    let mut sizes = Vec::new();
    let mut rest = bytes.get(12..)?;
    while let Some((kind, after)) = rest.split_first_chunk::<4>() {
        let (length, body) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        match kind {
            b"VP8 " => {
                let side = |at: usize| {
                    Some(u32::from(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?])) & 0x3fff)
                };
                sizes.push((side(6)?, side(8)?));
            }
            b"VP8L" => {
                let packed = u32::from_le_bytes(body.get(1..5)?.try_into().ok()?);
                sizes.push(((packed & 0x3fff) + 1, (packed >> 14 & 0x3fff) + 1));
            }
            _ => {}
        }
        // A chunk of an odd length is followed by a byte of padding, which a file may leave out at its end.
        rest = body.get(length.checked_add(length % 2)?..).unwrap_or_default();
    }
    Some(sizes)
}

/// The flag in the first chunk, so that ten thousand frames are not even counted (WebP Container Specification,
/// "Extended File Format": bit 1 of the flags).
fn announces_animation(bytes: &[u8]) -> bool {
    bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
}
