//! A mark turned clockwise.

use super::layer::{Layer, Pixel};
use super::placement::{Place, sin_cos};

/// How many times finer a mark is than its place before it is turned by an angle that is no quarter turn.
pub(super) const FINER: u32 = 2;

/// Exact: every pixel only moves.
pub(super) fn by_quarters(layer: Layer, turns: u8) -> Layer {
    let (width, height) = (layer.width, layer.height);
    let from = |x: usize, y: usize| layer.pixels[y * width + x];
    let build = |width: usize, height: usize, at: &dyn Fn(usize, usize) -> Pixel| Layer {
        width,
        height,
        pixels: (0..width * height).map(|index| at(index % width, index / width)).collect(),
    };
    match turns % 4 {
        0 => layer,
        1 => build(height, width, &|x, y| from(y, height - 1 - x)),
        2 => build(width, height, &|x, y| from(width - 1 - x, height - 1 - y)),
        _ => build(height, width, &|x, y| from(width - 1 - y, x)),
    }
}

/// Each pixel of the place is the mean of four samples, each between four pixels of the finer mark; outside of the mark is
/// nothing, which makes its edges smooth.
pub(super) fn by_angle(finer: &Layer, place: &Place) -> Layer {
    let mut turned = Layer::clear(place.width_px as usize, place.height_px as usize);
    let (sin, cos) = sin_cos(place.degrees);
    let scale = f64::from(FINER);
    let (center_x, center_y) = (f64::from(place.width_px) / 2.0, f64::from(place.height_px) / 2.0);
    let (middle_x, middle_y) = (finer.width as f64 / 2.0, finer.height as f64 / 2.0);
    for (index, target) in turned.pixels.iter_mut().enumerate() {
        let (x, y) = ((index % turned.width) as f64, (index / turned.width) as f64);
        for (part_x, part_y) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
            let (dx, dy) = (scale * (x + part_x - center_x), scale * (y + part_y - center_y));
            // The way back, counter-clockwise.
            let sample = between(finer, cos * dx + sin * dy + middle_x, cos * dy - sin * dx + middle_y);
            for (sum, value) in target.iter_mut().zip(sample) {
                *sum += value / 4.0;
            }
        }
    }
    turned
}

/// Bilinear, with pixel centres at halves.
fn between(layer: &Layer, x: f64, y: f64) -> Pixel {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = ((x - left) as f32, (y - top) as f32);
    let at = |x: f64, y: f64| {
        let inside = x >= 0.0 && y >= 0.0 && x < layer.width as f64 && y < layer.height as f64;
        if inside { layer.pixels[y as usize * layer.width + x as usize] } else { [0.0; 4] }
    };
    let (a, b) = (at(left, top), at(left + 1.0, top));
    let (c, d) = (at(left, top + 1.0), at(left + 1.0, top + 1.0));
    std::array::from_fn(|channel| {
        let upper = a[channel] + right_share * (b[channel] - a[channel]);
        let lower = c[channel] + right_share * (d[channel] - c[channel]);
        upper + lower_share * (lower - upper)
    })
}
