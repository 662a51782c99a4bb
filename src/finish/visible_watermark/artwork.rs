//! The mark itself.

use image::RgbaImage;
use resvg::usvg::Tree;

use super::layer::Layer;
use super::placement::Place;
use super::{ArtworkError, resample, svg, turn};
use crate::finish::decode::{self, DecodeLimits, Kind};
use crate::plan::Format;

/// Most bytes of a mark.
pub const MAX_BYTES: usize = 2 << 20;
/// Most bytes of an SVG, which costs more to read than pixels do.
pub const MAX_SVG_BYTES: usize = 512 << 10;
/// Most pixels of a mark, and of one of its sides.
pub const MAX_PIXELS: u64 = 16_000_000;
pub const MAX_SIDE_PX: u32 = 8_192;

const LIMITS: DecodeLimits =
    DecodeLimits { max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS, max_side_px: MAX_SIDE_PX };

/// A mark that can be drawn. Shapes stay shapes until their size is known, so that they are sharp at every size.
#[derive(Debug)]
pub struct Artwork(Form);

#[derive(Debug)]
enum Form {
    Pixels(RgbaImage),
    Shapes(Box<Tree>),
}

impl Artwork {
    /// Reads a PNG, JPEG, WebP or SVG.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence for whoever sent it.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtworkError> {
        let max_bytes = if decode::sniff(bytes) == Kind::Svg { MAX_SVG_BYTES } else { MAX_BYTES };
        if bytes.len() > max_bytes {
            return Err(ArtworkError::Bytes { bytes: bytes.len(), max_bytes });
        }
        match decode::sniff(bytes) {
            Kind::Picture(Format::Png | Format::Jpeg | Format::Webp) => {
                Ok(Self(Form::Pixels(decode::decode_rgba(bytes, &LIMITS)?)))
            }
            Kind::Svg => Ok(Self(Form::Shapes(Box::new(svg::read(bytes)?)))),
            found @ (Kind::Picture(Format::Avif) | Kind::Other(_)) => {
                Err(ArtworkError::Kind { found: found.phrase() })
            }
        }
    }

    /// Width and height in the mark's own units; only their ratio matters.
    pub(super) fn size(&self) -> (f64, f64) {
        match &self.0 {
            Form::Pixels(pixels) => (pixels.width().into(), pixels.height().into()),
            Form::Shapes(tree) => (tree.size().width().into(), tree.size().height().into()),
        }
    }

    /// The mark scaled and turned, as large as its place.
    pub(super) fn at(&self, place: &Place) -> Result<Layer, ArtworkError> {
        match &self.0 {
            Form::Shapes(tree) => svg::draw(tree, place),
            Form::Pixels(pixels) => {
                let (width, height) = (place.mark_width_px, place.mark_height_px);
                Ok(match place.quarter_turns() {
                    Some(turns) => turn::by_quarters(resample::to_size(pixels, width, height), turns),
                    None => turn::by_angle(
                        &resample::to_size(pixels, turn::FINER * width, turn::FINER * height),
                        place,
                    ),
                })
            }
        }
    }
}
