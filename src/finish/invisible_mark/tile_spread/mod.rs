//! Our own mark: spread over many frequencies of a tile that is repeated all over the picture.
//!
//! - `pattern`: which frequency carries what
//! - `code`: the payload as coded bits, and back
//! - `square`: Fourier transforms of one tile
//! - `embed`: the tile over the picture
//! - `whiten`, `fourier`, `search`, `pose`, `fold`, `detect`: from a picture, however it lies, back to the payload

mod code;
mod detect;
mod embed;
mod fold;
mod fourier;
mod pattern;
mod pose;
mod search;
mod square;
mod whiten;
#[cfg(test)]
mod tests;

use image::RgbImage;

use self::pattern::Pattern;
use self::square::Square;
use super::plane::Plane;
use super::{Detection, InvisibleMark, MarkError};

/// Long side at which a picture is marked pixel by pixel; a longer one is marked as if it were shown at this size. That
/// of 1344x768, the longest that the service draws.
const REFERENCE_PX: usize = 1344;
/// Shorter sides hold no mark.
const SHORTEST_PX: u32 = 128;

/// The scheme; see the room's README.
pub struct TileSpread {
    pattern: Pattern,
    square: Square,
}

impl TileSpread {
    pub fn new() -> Self {
        Self { pattern: Pattern::new(code::CODED_BITS), square: Square::new() }
    }
}

impl Default for TileSpread {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for TileSpread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TileSpread")
    }
}

impl InvisibleMark for TileSpread {
    fn alg(&self) -> &'static str {
        "org.imgen.tile-spread.1"
    }

    fn embed(&self, picture: &RgbImage, payload: u64, strength: f32) -> Result<RgbImage, MarkError> {
        let (width_px, height_px) = picture.dimensions();
        if width_px.min(height_px) < SHORTEST_PX {
            return Err(MarkError::TooSmall { width_px, height_px, needed_px: SHORTEST_PX });
        }
        Ok(embed::embed(self, picture, payload, strength))
    }

    fn detect(&self, picture: &RgbImage) -> Result<Option<Detection>, MarkError> {
        let (width, height) = picture.dimensions();
        if width.min(height) < SHORTEST_PX / 2 {
            return Ok(None);
        }
        Ok(detect::detect(self, Plane::luma(picture)))
    }
}
