//! The small copy beside each picture.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use super::FinishError;

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
    shrink(picture, side(width), side(height))
}

fn shrink(picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage, FinishError> {
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3)
        .map_err(|error| FinishError::Thumbnail(error.to_string()))?;
    let mut small = RgbImage::new(width, height);
    let mut target = Image::from_slice_u8(width, height, small.as_mut(), PixelType::U8x3)
        .map_err(|error| FinishError::Thumbnail(error.to_string()))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|error| FinishError::Thumbnail(error.to_string()))?;
    Ok(small)
}
