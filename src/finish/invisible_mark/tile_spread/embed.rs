//! The tile over the picture, stronger where the picture hides it.

use image::RgbImage;
use rustfft::num_complex::Complex32;

use super::super::plane::Plane;
use super::pattern::{Harmonic, TILE_PX};
use super::square::Low;
use super::{REFERENCE_PX, TileSpread, code};

/// Amplitude in a flat place, in levels.
const FLAT: f32 = 1.0;
/// Amplitude gained for each level of the place's own standard deviation.
const GAIN: f32 = 0.09;
/// Amplitude in the busiest place, in levels.
const BUSIEST: f32 = 3.0;
/// Mean square change that a mark makes at the least, in levels squared: 46.5 dB.
const LEAST_CHANGE: f32 = 1.46;
/// How much more strongly a mark is added at the most to get there.
const MOST_STRONGER: f32 = 2.5;
/// Radii of the mean that is taken away, and of the neighbourhood judged busy.
const DETAIL_PX: usize = 4;
const BUSY_PX: usize = 6;

/// One period of the mark, of variance 1.
fn tile(scheme: &TileSpread, payload: u64) -> Vec<f32> {
    let coded = code::encode(payload);
    let pattern = &scheme.pattern;
    // Half of each wave: the other half is its opposite's.
    let mut half = Low::new();
    let mut put = |harmonic: &Harmonic, value: Complex32| half.set(harmonic.u, harmonic.v, value / 2.0);
    for pilot in &pattern.pilots {
        put(pilot, Complex32::from_polar(pilot.amplitude, pilot.phase));
    }
    let sign = |bit: u16| if coded[usize::from(bit)] { 1.0 } else { -1.0 };
    for (carrier, bits) in pattern.carriers.iter().zip(pattern.bit_of.chunks_exact(2)) {
        let signs = Complex32::new(sign(bits[0]), sign(bits[1]));
        put(carrier, Complex32::from_polar(carrier.amplitude, carrier.phase) * signs);
    }
    scheme.square.inverse(half)
}

pub(super) fn embed(scheme: &TileSpread, picture: &RgbImage, payload: u64, strength: f32) -> RgbImage {
    let tile = tile(scheme, payload);
    let luma = Plane::luma(picture);
    let detail = luma.zip(&luma.box_mean(DETAIL_PX), |all, slow| all - slow);
    let busy = detail.zip(&detail, |a, b| a * b).box_mean(BUSY_PX);
    let (marked, change) = add(picture, &tile, &busy, strength);
    // Black and white cut off half of the mark; so that as much of it remains as elsewhere, it is added more strongly.
    let wanted = LEAST_CHANGE * strength * strength;
    if change >= wanted {
        return marked;
    }
    let stronger = (wanted / change.max(f32::EPSILON)).sqrt().min(MOST_STRONGER);
    add(picture, &tile, &busy, strength * stronger).0
}

/// The picture with the tile added, and the mean square of what that changed, in levels squared.
fn add(picture: &RgbImage, tile: &[f32], busy: &Plane, strength: f32) -> (RgbImage, f32) {
    // A larger picture is marked more coarsely: seen at the same size, all are marked alike.
    let step = (REFERENCE_PX as f32 / busy.long_side() as f32).min(1.0);
    let mut marked = picture.clone();
    let mut change = 0.0f64;
    let rows = marked.as_mut().chunks_exact_mut(3 * busy.width).zip(busy.data.chunks_exact(busy.width));
    for (y, (row, busy)) in rows.enumerate() {
        let mut changed = 0.0f32;
        for (x, (pixel, busy)) in row.chunks_exact_mut(3).zip(busy).enumerate() {
            let amplitude = (FLAT + GAIN * busy.max(0.0).sqrt()).min(BUSIEST) * strength;
            let value = if step == 1.0 {
                tile[y % TILE_PX * TILE_PX + x % TILE_PX]
            } else {
                between(tile, (x as f32 + 0.5) * step - 0.5, (y as f32 + 0.5) * step - 0.5)
            };
            for channel in pixel {
                let before = f32::from(*channel);
                // Rounds, and holds to 0 to 255.
                *channel = (before + amplitude * value + 0.5) as u8;
                let by = f32::from(*channel) - before;
                changed += by * by;
            }
        }
        change += f64::from(changed);
    }
    let numbers = picture.as_raw().len().max(1);
    (marked, (change / numbers as f64) as f32)
}

/// The tile between its pixels.
fn between(tile: &[f32], x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let wrap = |at: i32| at.rem_euclid(TILE_PX as i32) as usize;
    let at = |dx: i32, dy: i32| tile[wrap(top as i32 + dy) * TILE_PX + wrap(left as i32 + dx)];
    let row = |dy: i32| at(0, dy) * (1.0 - fx) + at(1, dy) * fx;
    row(0) * (1.0 - fy) + row(1) * fy
}
