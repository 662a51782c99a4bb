//! All tiles of a picture laid over one another: the mark adds up, the picture does not.

use super::super::plane::Plane;
use super::pattern::{HIGHEST, TILE_PX};
use super::pose::Pose;
use super::square::{Low, MARGIN, Square};

/// Magnitudes count up to so many times their neighbourhood's.
const CAP: f32 = 2.5;

/// The spectrum of the one tile, each frequency in use divided by the magnitude of its neighbourhood.
pub(super) fn fold(plane: &Plane, pose: &Pose, square: &Square) -> Low {
    level(&square.forward(&mut lay(plane, pose)))
}

/// Each pixel counts for the point of the tile next to it: the mark is too coarse to mind.
fn lay(plane: &Plane, pose: &Pose) -> Vec<f32> {
    // Positions in the tile are fractions of `u32`, so that they begin anew where the tile does.
    let fixed = |px: f64| (px / TILE_PX as f64 * 2.0f64.powi(32)) as i64 as u32;
    let [[xx, xy], [yx, yy]] = pose.inverse();
    let (right, down) = (fixed(xx), fixed(yx));
    let point = |at: u32| at as usize >> (u32::BITS - TILE_PX.ilog2());
    let mut tile = vec![0.0f32; TILE_PX * TILE_PX];
    for (row, line) in plane.data.chunks_exact(plane.width).enumerate() {
        let start = |sx: f64, sy: f64| fixed(0.5 * sx + (row as f64 + 0.5) * sy);
        let (mut x, mut y) = (start(xx, xy), start(yx, yy));
        for &value in line {
            tile[point(y) * TILE_PX + point(x)] += value;
            x = x.wrapping_add(right);
            y = y.wrapping_add(down);
        }
    }
    tile
}

/// Pictures are louder at some frequencies than at others; after this, none outshouts the rest.
fn level(spectrum: &Low) -> Low {
    let (reach, margin) = ((HIGHEST * TILE_PX as f32).ceil() as i32, MARGIN as i32);
    let (us, vs) = (-margin..=reach + margin, -reach - margin..=reach + margin);
    let width = us.clone().count();
    let power = |v: i32| us.clone().map(move |u| spectrum.at(u, v).norm_sqr());
    let power = Plane { width, height: vs.clone().count(), data: vs.flat_map(power).collect() };
    let around = power.box_mean(MARGIN);
    let mut levelled = Low::new();
    for v in -reach..=reach {
        let row = (v + reach + margin) as usize * width + MARGIN;
        for u in 0..=reach {
            let mut value = spectrum.at(u, v) / around.data[row + u as usize].sqrt().max(1e-9);
            let magnitude = value.norm();
            if magnitude > CAP {
                value *= CAP / magnitude;
            }
            levelled.set(u, v, value);
        }
    }
    levelled
}
