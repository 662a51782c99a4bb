//! The mark out of the bytes that will be published: what has not been read is not claimed.

use image::RgbImage;

use super::decode::{DecodeLimits, decode};
use super::invisible_mark::InvisibleMark;
use super::{EASY_ERRORS, FinishError};

/// These bytes are our own, so only memory bounds them.
const LIMITS: DecodeLimits = DecodeLimits { max_bytes: 1 << 30, max_pixels: 1 << 28, max_side_px: 1 << 16 };

/// An invisible mark as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkRead {
    /// Name of the algorithm.
    pub alg: &'static str,
    /// Coded bits that had to be corrected.
    pub bit_errors: u32,
    /// Coded bits in all.
    pub coded_bits: u32,
    /// 1 is the usual.
    pub strength: f32,
}

impl MarkRead {
    /// Whether so few bits were wrong that the mark has strength to spare.
    pub(super) fn is_easy(&self) -> bool {
        f64::from(self.bit_errors) <= EASY_ERRORS * f64::from(self.coded_bits)
    }
}

/// The pixels that others will see.
pub(super) fn pixels(bytes: &[u8]) -> Result<RgbImage, FinishError> {
    Ok(decode(bytes, &LIMITS)?.picture)
}

/// `None` where anything else than `payload` is read, or nothing.
pub(super) fn mark(
    mark: &dyn InvisibleMark,
    pixels: &RgbImage,
    payload: u64,
    strength: f32,
) -> Result<Option<MarkRead>, FinishError> {
    let found = mark.detect(pixels)?.filter(|found| found.payload == payload);
    Ok(found.map(|found| MarkRead {
        alg: mark.alg(),
        bit_errors: found.bit_errors,
        coded_bits: found.coded_bits,
        strength,
    }))
}
