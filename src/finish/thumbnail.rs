//! The small copy beside each picture.

use image::RgbImage;
use image::imageops::{FilterType, resize};

/// Long side of a thumbnail, in pixels.
pub const THUMBNAIL_LONG_SIDE_PX: u32 = 512;

/// The picture with its long side at [`THUMBNAIL_LONG_SIDE_PX`] and its shape kept; a smaller one as it is.
pub fn thumbnail(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let long = width.max(height);
    if long <= THUMBNAIL_LONG_SIDE_PX {
        return picture.clone();
    }
    let side = |px: u32| {
        let scaled =
            (u64::from(px) * u64::from(THUMBNAIL_LONG_SIDE_PX) + u64::from(long) / 2) / u64::from(long);
        u32::try_from(scaled).unwrap_or(THUMBNAIL_LONG_SIDE_PX).max(1)
    };
    resize(picture, side(width), side(height), FilterType::Lanczos3)
}
