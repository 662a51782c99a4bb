//! # Visible watermark
#![doc = include_str!("README.md")]
//!
//! - `data_uri`: what a client sends as `wm_image`
//! - `artwork`: the mark itself, of pixels or of shapes; its limits
//! - `svg`, `svg_rules`, `svg_styles`, `svg_cost`: shapes, and what they may not do
//! - `placement`: how large, where
//! - `layer`, `resample`, `turn`: the mark at its size, in linear light
//! - `blend`: onto the picture
//! - `error`

mod artwork;
mod blend;
mod data_uri;
mod error;
mod layer;
mod placement;
mod resample;
mod svg;
mod svg_cost;
mod svg_rules;
mod svg_styles;
mod turn;

use image::RgbImage;

use crate::plan::Watermark;

pub use artwork::{Artwork, MAX_BYTES, MAX_PIXELS, MAX_SIDE_PX, MAX_SVG_BYTES};
pub use data_uri::from_data_uri;
pub use error::ArtworkError;

/// Long side of a mark that stands alone, in pixels.
const ALONE_PX: u32 = 512;

/// Draws the mark where and as the parameters say (specification, `wm_*`): scaled to a percentage of the picture's width,
/// turned clockwise, its corners kept inside the picture.
///
/// # Errors
/// Shapes that cannot be drawn at that size.
pub fn draw(picture: &mut RgbImage, mark: &Artwork, watermark: &Watermark) -> Result<(), ArtworkError> {
    if watermark.opacity_percent == 0 || picture.is_empty() {
        return Ok(());
    }
    let place = placement::place(picture.dimensions(), mark.size(), watermark);
    let layer = mark.at(&place)?;
    blend::over(picture, &layer, (place.left_px, place.top_px), f32::from(watermark.opacity_percent) / 100.0);
    Ok(())
}

/// The mark alone, on white, its long side [`ALONE_PX`]: for who has to look at it.
///
/// # Errors
/// Shapes that cannot be drawn at that size.
pub fn alone(mark: &Artwork) -> Result<RgbImage, ArtworkError> {
    let (width, height) = mark.size();
    let scale = f64::from(ALONE_PX) / width.max(height).max(1.0);
    let side = |length: f64| (length * scale).round().clamp(1.0, f64::from(ALONE_PX)) as u32;
    let (width_px, height_px) = (side(width), side(height));
    let place = placement::Place {
        mark_width_px: width_px,
        mark_height_px: height_px,
        degrees: 0,
        left_px: 0,
        top_px: 0,
        width_px,
        height_px,
    };
    let mut canvas = RgbImage::from_pixel(width_px, height_px, image::Rgb([255; 3]));
    blend::over(&mut canvas, &mark.at(&place)?, (0, 0), 1.0);
    Ok(canvas)
}

#[cfg(test)]
mod tests;
