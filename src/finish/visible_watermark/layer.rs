//! A mark at its size: linear light, premultiplied.

use std::sync::LazyLock;

/// Red, green, blue and alpha, 0 to 1. Colours are linear light and multiplied by alpha, so that sums and averages of
/// them are right and nothing that cannot be seen gets a say.
pub(super) type Pixel = [f32; 4];

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row.
    pub(super) pixels: Vec<Pixel>,
}

impl Layer {
    pub(super) fn clear(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 4]; width * height] }
    }
}

/// Linear light of each sRGB value (IEC 61966-2-1).
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        let value = value as f64 / 255.0;
        let linear = if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
        linear as f32
    })
});

pub(super) fn linear(value: u8) -> f32 {
    LINEAR[usize::from(value)]
}

/// The nearest sRGB value of a linear light.
pub(super) fn srgb(linear: f32) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let value = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (255.0 * value).round() as u8
}

/// From sRGB with a transparency that is not multiplied in.
pub(super) fn premultiplied([red, green, blue, alpha]: [u8; 4]) -> Pixel {
    let alpha = f32::from(alpha) / 255.0;
    [linear(red) * alpha, linear(green) * alpha, linear(blue) * alpha, alpha]
}
