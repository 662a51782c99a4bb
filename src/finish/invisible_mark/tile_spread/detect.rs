//! From a picture to the payload: pose, place, bits.

use std::f32::consts::{PI, TAU};

use rustfft::num_complex::Complex32;

use super::super::Detection;
use super::super::plane::Plane;
use super::fold::fold;
use super::fourier::Spectrum;
use super::pattern::{HIGHEST_PILOT, Harmonic, TILE_PX};
use super::pose::Pose;
use super::search;
use super::whiten::whiten;
use super::{REFERENCE_PX, TileSpread, bin, code};

/// A cut-out is looked for down to this part of the picture's long side.
const SMALLEST_PART: f32 = 1.0 / 3.0;

pub(super) fn detect(scheme: &TileSpread, luma: Plane) -> Option<Detection> {
    let luma = if luma.long_side() > REFERENCE_PX { luma.resized(REFERENCE_PX) } else { luma };
    let whole = luma.long_side() as f32 / REFERENCE_PX as f32;
    let scales = (0.97 * whole, (whole / SMALLEST_PART).max(1.1));
    let fine = whiten(&luma);
    let spectrum = Spectrum::of(&fine, (HIGHEST_PILOT / scales.0).min(0.5));
    let poses = search::poses(&spectrum, &scheme.pattern, (fine.width, fine.height), scales);
    poses.into_iter().find_map(|pose| read(scheme, &fine, pose))
}

/// The payload, if the picture lies so.
fn read(scheme: &TileSpread, fine: &Plane, pose: Pose) -> Option<Detection> {
    let upright = fold(fine, &pose, &scheme.square);
    // A spectrum's magnitudes do not tell a picture from itself turned by half.
    let turned: Vec<_> = upright.iter().map(Complex32::conj).collect();
    [(upright, pose), (turned, Pose { turn: pose.turn + PI, ..pose })].into_iter().find_map(|(tile, pose)| {
        let place = place(scheme, &tile);
        let soft = soft_bits(scheme, &tile, place);
        let payload = code::decode(&soft)?;
        let wrong =
            soft.iter().zip(code::encode(payload)).filter(|(soft, sent)| (**soft > 0.0) != *sent).count();
        let share = wrong as f64 / code::CODED_BITS as f64;
        Some(Detection {
            payload,
            bit_errors: wrong as u32,
            coded_bits: code::CODED_BITS as u32,
            confidence: (1.0 - 2.0 * share).max(0.0),
            scale: f64::from(pose.scale()),
            degrees: -f64::from(pose.turn).to_degrees(),
            mirrored: pose.mirrored,
        })
    })
}

/// The value of a frequency if a tile began at `(x, y)`, its own phase taken out.
fn value(tile: &[Complex32], harmonic: &Harmonic, x: f32, y: f32) -> Complex32 {
    let turn = TAU * (harmonic.u as f32 * x + harmonic.v as f32 * y) / TILE_PX as f32;
    tile[bin(harmonic.u, harmonic.v)] * Complex32::from_polar(1.0, turn - harmonic.phase)
}

/// Where a tile begins in the folded one, in pixels of the marked picture: where the pilots agree best, by whole pixels
/// at once, then between them.
fn place(scheme: &TileSpread, tile: &[Complex32]) -> (f32, f32) {
    let pilots = &scheme.pattern.pilots;
    let mut map = vec![Complex32::default(); tile.len()];
    for pilot in pilots {
        let value = value(tile, pilot, 0.0, 0.0);
        map[bin(pilot.u, pilot.v)] = value;
        map[bin(-pilot.u, -pilot.v)] = value.conj();
    }
    scheme.square.inverse(&mut map);
    let (mut at, mut peak) = (0, f32::MIN);
    for (index, value) in map.iter().enumerate() {
        if value.re > peak {
            (at, peak) = (index, value.re);
        }
    }
    let agreement = |x: f32, y: f32| pilots.iter().map(|pilot| value(tile, pilot, x, y).re).sum::<f32>();
    let (mut x, mut y) = ((at % TILE_PX) as f32, (at / TILE_PX) as f32);
    let mut best = agreement(x, y);
    for step in [0.5, 0.25, 0.125] {
        let (from_x, from_y) = (x, y);
        for neighbour in 0..9 {
            let (dx, dy) = ((neighbour % 3 - 1) as f32, (neighbour / 3 - 1) as f32);
            let (to_x, to_y) = (from_x + dx * step, from_y + dy * step);
            let tried = agreement(to_x, to_y);
            if tried > best {
                (x, y, best) = (to_x, to_y, tried);
            }
        }
    }
    (x, y)
}

/// One number a coded bit, positive for 1.
fn soft_bits(scheme: &TileSpread, tile: &[Complex32], (x, y): (f32, f32)) -> Vec<f32> {
    let mut soft = vec![0.0; code::CODED_BITS];
    let pattern = &scheme.pattern;
    for (carrier, bits) in pattern.carriers.iter().zip(pattern.bit_of.chunks_exact(2)) {
        let value = value(tile, carrier, x, y);
        soft[usize::from(bits[0])] += value.re;
        soft[usize::from(bits[1])] += value.im;
    }
    soft
}
