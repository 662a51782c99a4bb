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

#[cfg(test)]
mod tests;
