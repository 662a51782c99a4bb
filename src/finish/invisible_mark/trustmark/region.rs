//! Which part of a picture is marked, and how it is put back: `get_the_image_for_processing` and
//! `put_the_image_after_processing` of the reference.

use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};

use super::Variant;

/// Width of the soft edge of what is put back, in parts of the region's shorter side, and its most in pixels.
const FEATHER: f64 = 0.01;
const WIDEST_FEATHER_PX: u32 = 50;

/// In pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Region {
    /// The whole picture, or the square in its middle where it is too long.
    pub(super) fn of(picture: &RgbImage, variant: Variant) -> Self {
        let (width, height) = picture.dimensions();
        let short = width.min(height);
        if f64::from(width.max(height)) / f64::from(short) > variant.longest_aspect() {
            let (left, top) = ((width - short) / 2, (height - short) / 2);
            return Self { left, top, width: short, height: short };
        }
        Self { left: 0, top: 0, width, height }
    }

    /// The region at `side` x `side`: red, green and blue plane, -1 to 1.
    pub(super) fn planes(&self, picture: &RgbImage, side: usize) -> Vec<f32> {
        let part = crop_imm(picture, self.left, self.top, self.width, self.height).to_image();
        let small = resize(&part, side as u32, side as u32, FilterType::Triangle);
        (0..3)
            .flat_map(|channel| small.pixels().map(move |pixel| f32::from(pixel[channel]) / 127.5 - 1.0))
            .collect()
    }

    /// The picture with a residual of `side` x `side`, stretched over the region, added to it.
    pub(super) fn marked(
        &self,
        picture: &RgbImage,
        residual: &[f32],
        side: usize,
        strength: f32,
    ) -> RgbImage {
        let mut marked = picture.clone();
        let (columns, rows) = (taps(self.width, side), taps(self.height, side));
        for (y, row) in rows.iter().enumerate() {
            for (x, column) in columns.iter().enumerate() {
                let (at_x, at_y) = (x as u32, y as u32);
                let keep = self.share(at_x, at_y);
                let Rgb(pixel) = marked.get_pixel_mut(self.left + at_x, self.top + at_y);
                for (plane, value) in residual.chunks_exact(side * side).zip(pixel) {
                    let between = |from: usize| {
                        let (a, b) = (plane[from + column.0], plane[from + column.1]);
                        a + column.2 * (b - a)
                    };
                    let (upper, lower) = (between(row.0 * side), between(row.1 * side));
                    let added = strength * (upper + row.2 * (lower - upper));
                    let cover = f32::from(*value);
                    let full = (cover + 127.5 * added).clamp(0.0, 255.0);
                    *value = (keep * full + (1.0 - keep) * cover).round() as u8;
                }
            }
        }
        marked
    }

    /// How much of the mark a pixel gets: less towards the edges. The sides go before top and bottom, as in the reference.
    fn share(&self, x: u32, y: u32) -> f32 {
        let feather = ((f64::from(self.width.min(self.height)) * FEATHER) as u32).clamp(1, WIDEST_FEATHER_PX);
        let near = |at: u32, side: u32| {
            let to_edge = at.min(side - 1 - at);
            (to_edge < feather).then(|| (to_edge + 1) as f32 / feather as f32)
        };
        near(x, self.width).or_else(|| near(y, self.height)).unwrap_or(1.0)
    }
}

/// For each of `to` places the two of `from` that it lies between, and how near it is to the second: bilinear without
/// antialiasing, pixel centres at halves (`torch.nn.functional.interpolate`, `align_corners=False`).
fn taps(to: u32, from: usize) -> Vec<(usize, usize, f32)> {
    let ratio = from as f32 / to as f32;
    (0..to)
        .map(|at| {
            let place = ((at as f32 + 0.5) * ratio - 0.5).max(0.0);
            let first = (place as usize).min(from - 1);
            (first, (first + 1).min(from - 1), place - first as f32)
        })
        .collect()
}
