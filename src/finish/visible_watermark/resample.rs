//! Another size, by Lanczos in linear light.

use image::RgbaImage;

use super::layer::{Layer, Pixel, premultiplied};

/// Zero crossings of the window to each side.
const LOBES: f64 = 3.0;

/// What one sample of the new size takes of the old: the first index, and weights that sum to 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// Goes over the rows of the source once and holds only one of them and the result, so that a large mark drawn small costs
/// no more room than the small one.
pub(super) fn to_size(source: &RgbaImage, width: u32, height: u32) -> Layer {
    let (columns, rows) = (taps(source.width(), width), taps(source.height(), height));
    let mut layer = Layer::clear(columns.len(), rows.len());
    let mut line: Vec<Pixel> = vec![[0.0; 4]; source.width() as usize];
    let mut narrow: Vec<Pixel> = vec![[0.0; 4]; columns.len()];
    // Rows of the result that the source's row may still be part of: first indices grow, so the window only moves on.
    let mut begin = 0;
    for (y, row) in source.rows().enumerate() {
        while begin < rows.len() && rows[begin].first + rows[begin].weights.len() <= y {
            begin += 1;
        }
        let end = begin + rows[begin..].iter().take_while(|taps| taps.first <= y).count();
        if begin == end {
            continue;
        }
        for (target, pixel) in line.iter_mut().zip(row) {
            *target = premultiplied(pixel.0);
        }
        for (target, taps) in narrow.iter_mut().zip(&columns) {
            *target = weighted(&line[taps.first..], &taps.weights);
        }
        for (target_row, taps) in rows.iter().enumerate().take(end).skip(begin) {
            let Some(&weight) = taps.weights.get(y - taps.first) else { continue };
            let start = target_row * layer.width;
            for (target, pixel) in layer.pixels[start..start + layer.width].iter_mut().zip(&narrow) {
                for (sum, value) in target.iter_mut().zip(pixel) {
                    *sum += weight * value;
                }
            }
        }
    }
    for pixel in &mut layer.pixels {
        within(pixel);
    }
    layer
}

fn weighted(pixels: &[Pixel], weights: &[f32]) -> Pixel {
    let mut sum = [0.0; 4];
    for (pixel, weight) in pixels.iter().zip(weights) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += weight * value;
        }
    }
    sum
}

/// Lanczos overshoots; no colour may be lighter than its alpha allows.
fn within(pixel: &mut Pixel) {
    let alpha = pixel[3].clamp(0.0, 1.0);
    *pixel = [pixel[0].clamp(0.0, alpha), pixel[1].clamp(0.0, alpha), pixel[2].clamp(0.0, alpha), alpha];
}

/// Where the new size is smaller, the window is stretched over all that a new sample covers. At the edges, what would lie
/// outside has no weight.
fn taps(from: u32, to: u32) -> Vec<Taps> {
    let ratio = f64::from(from) / f64::from(to);
    let stretch = ratio.max(1.0);
    let reach = LOBES * stretch;
    (0..to)
        .map(|index| {
            let center = (f64::from(index) + 0.5) * ratio;
            let first = (center - reach).floor().max(0.0) as u32;
            let last = ((center + reach).ceil() as u32).min(from);
            let weights: Vec<f64> =
                (first..last).map(|at| lanczos((f64::from(at) + 0.5 - center) / stretch)).collect();
            let sum: f64 = weights.iter().sum();
            Taps {
                first: first as usize,
                weights: weights.into_iter().map(|weight| (weight / sum) as f32).collect(),
            }
        })
        .collect()
}

fn lanczos(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    if x.abs() >= LOBES {
        return 0.0;
    }
    let x = std::f64::consts::PI * x;
    LOBES * x.sin() * (x / LOBES).sin() / (x * x)
}
