//! A mark onto the picture, in linear light.

use image::RgbImage;

use super::layer::{Layer, linear, srgb};

/// "Source over" (Porter and Duff, 1984). Pixels that the mark does not touch keep their value exactly.
pub(super) fn over(picture: &mut RgbImage, layer: &Layer, (left, top): (u32, u32), opacity: f32) {
    let width = picture.width() as usize;
    for (y, line) in layer.pixels.chunks_exact(layer.width.max(1)).enumerate() {
        let start = 3 * ((top as usize + y) * width + left as usize);
        let Some(row) = picture.get_mut(start..start + 3 * line.len()) else { return };
        for (target, pixel) in row.chunks_exact_mut(3).zip(line) {
            let alpha = pixel[3] * opacity;
            if alpha <= 0.0 {
                continue;
            }
            for (value, light) in target.iter_mut().zip(pixel) {
                *value = srgb(linear(*value) * (1.0 - alpha) + light * opacity);
            }
        }
    }
}
