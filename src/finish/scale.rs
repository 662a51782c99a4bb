//! Scaling as Pillow does it, with the vector instructions of the processor.

pub use fast_image_resize::FilterType;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// The picture at another size, averaged where it shrinks.
///
/// # Errors
/// What keeps the scaler from its work, in its own words; there is nothing in a picture with pixels that does.
pub fn scaled(picture: &RgbImage, width: u32, height: u32, filter: FilterType) -> Result<RgbImage, String> {
    // Typed, since the scaler's other entrance is compiled anew, for all its kinds of pixel, wherever it is called.
    let source = TypedImageRef::<U8x3>::from_buffer(picture.width(), picture.height(), picture.as_raw())
        .map_err(|error| error.to_string())?;
    let mut made = RgbImage::new(width, height);
    let mut target =
        TypedImage::<U8x3>::from_buffer(width, height, made.as_mut()).map_err(|error| error.to_string())?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| error.to_string())?;
    Ok(made)
}
