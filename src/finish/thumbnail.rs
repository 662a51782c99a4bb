//! The small copy beside each picture.

use image::RgbImage;

use super::FinishError;
use super::scale::{FilterType, scaled};

/// Long side of a thumbnail, in pixels.
pub const THUMBNAIL_LONG_SIDE_PX: u32 = 512;

/// The picture with its long side at [`THUMBNAIL_LONG_SIDE_PX`] and its shape kept; a smaller one as it is.
///
/// # Errors
/// What keeps the scaler from its work; there is nothing in a picture that does.
pub fn thumbnail(picture: &RgbImage) -> Result<RgbImage, FinishError> {
    let (width, height) = picture.dimensions();
    let long = width.max(height);
    if long <= THUMBNAIL_LONG_SIDE_PX || picture.is_empty() {
        return Ok(picture.clone());
    }
    let side = |px: u32| {
        let scaled =
            (u64::from(px) * u64::from(THUMBNAIL_LONG_SIDE_PX) + u64::from(long) / 2) / u64::from(long);
        u32::try_from(scaled).unwrap_or(THUMBNAIL_LONG_SIDE_PX).max(1)
    };
    scaled(picture, side(width), side(height), FilterType::Lanczos3).map_err(FinishError::Thumbnail)
}
