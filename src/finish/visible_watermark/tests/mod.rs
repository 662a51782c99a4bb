//! What is drawn, to the pixel; what is refused, by its words.

mod drawing;
mod places;
mod refusals;

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;
use crate::plan::{Anchor, Format, Output, Watermark};

const GREY: Rgb<u8> = Rgb([90, 90, 90]);

fn watermark(position: Anchor, scale: u8, rotation: i16) -> Watermark {
    Watermark {
        image_sha256: None,
        position,
        scale_percent: scale,
        opacity_percent: 100,
        rotation_degrees: rotation,
        padding_x_px: 10,
        padding_y_px: 20,
    }
}

/// A mark of these pixels.
fn mark(pixels: &RgbaImage) -> Artwork {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(pixels.as_raw()).unwrap();
    Artwork::read(&bytes).unwrap()
}

fn plain(width: u32, height: u32, color: [u8; 4]) -> Artwork {
    mark(&RgbaImage::from_pixel(width, height, Rgba(color)))
}

fn shapes(inside: &str) -> Result<Artwork, ArtworkError> {
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
         viewBox='0 0 100 50'>{inside}</svg>"
    );
    Artwork::read(text.as_bytes())
}

fn drawn(size: (u32, u32), mark: &Artwork, watermark: &Watermark) -> RgbImage {
    let mut picture = RgbImage::from_pixel(size.0, size.1, GREY);
    draw(&mut picture, mark, watermark).unwrap();
    picture
}

/// Left, top, width and height of what is not grey.
fn touched(picture: &RgbImage) -> (u32, u32, u32, u32) {
    let changed: Vec<_> = picture.enumerate_pixels().filter(|(_, _, pixel)| **pixel != GREY).collect();
    let (xs, ys) = (changed.iter().map(|found| found.0), changed.iter().map(|found| found.1));
    let (left, top) = (xs.clone().min().unwrap(), ys.clone().min().unwrap());
    (left, top, xs.max().unwrap() + 1 - left, ys.max().unwrap() + 1 - top)
}
