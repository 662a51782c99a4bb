//! # Decode: pictures from outside
#![doc = include_str!("README.md")]
//!
//! - `kind`: what a file is, by its first bytes
//! - `jpeg`, `png`, `webp`: the three that need only Rust
//! - `avif`: libavif, behind `av1_sizes`, which reads how large a frame the stream itself announces
//! - `bits`, `error`

mod av1_sizes;
mod avif;
mod bits;
mod error;
mod jpeg;
mod kind;
mod png;
mod webp;

use image::{DynamicImage, RgbImage, RgbaImage};

use crate::plan::Format;

pub use error::DecodeError;
pub use kind::{Kind, sniff};

/// What a file may be. Checked against its header, before any pixel is decoded. It must hold one picture that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    pub max_bytes: usize,
    pub max_pixels: u64,
    pub max_side_px: u32,
}

/// A picture as it came.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Transparency is dropped: colours are as they are stored.
    pub picture: RgbImage,
    pub format: Format,
}

/// Decodes a JPEG, PNG, WebP or AVIF, recognised by its bytes and not by any name.
///
/// # Errors
/// What is wrong with it, as a sentence for whoever sent it.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let (picture, format) = read(bytes, limits)?;
    Ok(Decoded { picture: picture.into_rgb8(), format })
}

/// [`decode`] with transparency, not premultiplied.
///
/// # Errors
/// As [`decode`].
pub fn decode_rgba(bytes: &[u8], limits: &DecodeLimits) -> Result<RgbaImage, DecodeError> {
    Ok(read(bytes, limits)?.0.into_rgba8())
}

fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<(DynamicImage, Format), DecodeError> {
    if bytes.len() > limits.max_bytes {
        return Err(DecodeError::Bytes { bytes: bytes.len(), max_bytes: limits.max_bytes });
    }
    let format = match sniff(bytes) {
        Kind::Picture(format) => format,
        found => return Err(DecodeError::Kind { found: found.phrase() }),
    };
    let picture = match format {
        Format::Jpeg => jpeg::read(bytes, limits),
        Format::Png => png::read(bytes, limits),
        Format::Webp => webp::read(bytes, limits),
        Format::Avif => avif::read(bytes, limits),
    }?;
    Ok((picture, format))
}

impl DecodeLimits {
    /// Whether a picture of this size may be decoded.
    fn admit(&self, width_px: u32, height_px: u32) -> Result<(), DecodeError> {
        let pixels = u64::from(width_px) * u64::from(height_px);
        if pixels == 0 {
            return Err(DecodeError::Empty);
        }
        if pixels > self.max_pixels || width_px.max(height_px) > self.max_side_px {
            return Err(DecodeError::Size {
                width_px,
                height_px,
                max_pixels: self.max_pixels,
                max_side_px: self.max_side_px,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
