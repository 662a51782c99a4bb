//! PNG.

use image::RgbImage;
use png::SrgbRenderingIntent;

use super::FinishError;

/// 8-bit RGB, filters chosen by row; the sRGB chunk (with gAMA and cHRM for old readers) stands for a profile.
pub(super) fn encode(picture: &RgbImage) -> Result<Vec<u8>, FinishError> {
    let mut bytes = Vec::with_capacity(picture.as_raw().len() / 2);
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_raw())?;
    writer.finish()?;
    Ok(bytes)
}
