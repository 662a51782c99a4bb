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
use super::square::Low;
use super::whiten::whiten;
use super::{REFERENCE_PX, TileSpread, code};

/// A picture with a longer side than this is looked at in half its size: most of its detail is finer than the mark.
const LARGE_PX: usize = 900;
/// A cut-out is looked for down to this part of the picture's long side.
const SMALLEST_PART: f32 = 1.0 / 3.0;

pub(super) fn detect(scheme: &TileSpread, luma: Plane) -> Option<Detection> {
    let (luma, scale) = match luma.long_side() {
        long if long > REFERENCE_PX => (luma.resized(REFERENCE_PX / 2), 0.5),
        long if long > LARGE_PX => (luma.halved(), 0.5),
        _ => (luma, 1.0),
    };
    let whole = luma.long_side() as f32 / REFERENCE_PX as f32;
    let scales = (0.97 * whole, (whole / SMALLEST_PART).max(1.1 * scale));
    let fine = whiten(&luma);
    // A picture as it was made, or a part of it, needs no search.
    let as_made = Pose { sx: scale, sy: scale, turn: 0.0, mirrored: false };
    let seen_whole = |found: Detection| Detection { scale: found.scale / f64::from(scale), ..found };
    if let Some(found) = read(scheme, &fine, as_made) {
        return Some(seen_whole(found));
    }
    let spectrum = Spectrum::of(&fine, (HIGHEST_PILOT / scales.0).min(0.5));
    let poses = search::poses(&spectrum, &scheme.pattern, (fine.width, fine.height), scales);
    poses.into_iter().find_map(|pose| read(scheme, &fine, pose)).map(seen_whole)
}

/// The payload, if the picture lies so.
fn read(scheme: &TileSpread, fine: &Plane, pose: Pose) -> Option<Detection> {
    let upright = fold(fine, &pose, &scheme.square);
    // A spectrum's magnitudes do not tell a picture from itself turned by half.
    let turned = upright.conj();
    let (a, b) = (place(scheme, &upright), place(scheme, &turned));
    let (tile, place, turn) = if a.agreement >= b.agreement { (upright, a, 0.0) } else { (turned, b, PI) };
    let soft = soft_bits(scheme, &tile, &place);
    let payload = code::decode(&soft)?;
    let wrong = soft.iter().zip(code::encode(payload)).filter(|(soft, sent)| (**soft > 0.0) != *sent).count();
    let share = wrong as f64 / code::CODED_BITS as f64;
    Some(Detection {
        payload,
        bit_errors: wrong as u32,
        coded_bits: code::CODED_BITS as u32,
        confidence: (1.0 - 2.0 * share).max(0.0),
        scale: f64::from(pose.scale()),
        degrees: -f64::from(pose.turn + turn).to_degrees(),
        mirrored: pose.mirrored,
    })
}

/// The value of a frequency if a tile began at `(x, y)`, its own phase taken out.
fn value(tile: &Low, harmonic: &Harmonic, x: f32, y: f32) -> Complex32 {
    let turn = TAU * (harmonic.u as f32 * x + harmonic.v as f32 * y) / TILE_PX as f32;
    tile.at(harmonic.u, harmonic.v) * Complex32::from_polar(1.0, turn - harmonic.phase)
}

/// Where a tile begins in the folded one, in pixels of the marked picture.
struct Place {
    x: f32,
    y: f32,
    /// Sum of the pilots' values there.
    agreement: f32,
}

/// Where the pilots agree best, by whole pixels at once, then between them.
fn place(scheme: &TileSpread, tile: &Low) -> Place {
    let pilots = &scheme.pattern.pilots;
    let mut map = Low::new();
    for pilot in pilots {
        map.set(pilot.u, pilot.v, value(tile, pilot, 0.0, 0.0));
    }
    let (mut at, mut peak) = (0, f32::MIN);
    for (index, value) in scheme.square.inverse(map).into_iter().enumerate() {
        if value > peak {
            (at, peak) = (index, value);
        }
    }
    let agreement = |x: f32, y: f32| pilots.iter().map(|pilot| value(tile, pilot, x, y).re).sum::<f32>();
    let (x, y) = ((at % TILE_PX) as f32, (at / TILE_PX) as f32);
    let mut best = Place { x, y, agreement: agreement(x, y) };
    for step in [0.5, 0.25, 0.125] {
        let (from_x, from_y) = (best.x, best.y);
        for neighbour in 0..9 {
            let (dx, dy) = ((neighbour % 3 - 1) as f32, (neighbour / 3 - 1) as f32);
            let (x, y) = (from_x + dx * step, from_y + dy * step);
            let agreement = agreement(x, y);
            if agreement > best.agreement {
                best = Place { x, y, agreement };
            }
        }
    }
    best
}

/// One number a coded bit, positive for 1.
fn soft_bits(scheme: &TileSpread, tile: &Low, place: &Place) -> Vec<f32> {
    let mut soft = vec![0.0; code::CODED_BITS];
    let pattern = &scheme.pattern;
    for (carrier, bits) in pattern.carriers.iter().zip(pattern.bit_of.chunks_exact(2)) {
        let value = value(tile, carrier, place.x, place.y);
        soft[usize::from(bits[0])] += value.re;
        soft[usize::from(bits[1])] += value.im;
    }
    soft
}
