//! Scaling as Pillow does it, with the vector instructions of the processor.

pub use fast_image_resize::FilterType;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// The picture at another size, averaged where it shrinks.
///
/// # Errors
/// What keeps the scaler from its work, in its own words; there is nothing in a picture with pixels that does.
pub fn scaled(picture: &RgbImage, width: u32, height: u32, filter: FilterType) -> Result<RgbImage, String> {
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3)
        .map_err(|error| error.to_string())?;
    let mut made = RgbImage::new(width, height);
    let mut target = Image::from_slice_u8(width, height, made.as_mut(), PixelType::U8x3)
        .map_err(|error| error.to_string())?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| error.to_string())?;
    Ok(made)
}
