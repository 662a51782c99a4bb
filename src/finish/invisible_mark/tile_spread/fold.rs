//! All tiles of a picture laid over one another: the mark adds up, the picture does not.

use rustfft::num_complex::Complex32;

use super::super::plane::Plane;
use super::fourier::Square;
use super::pattern::{HIGHEST, TILE_PX};
use super::pose::Pose;

/// Bins each way whose mean says how loud a frequency's neighbourhood is.
const AROUND_BINS: i32 = 3;
/// Magnitudes count up to so many times their neighbourhood's.
const CAP: f32 = 2.5;

/// The spectrum of the one tile, each frequency in use divided by the magnitude of its neighbourhood.
pub(super) fn fold(plane: &Plane, pose: &Pose, square: &Square) -> Vec<Complex32> {
    let mut spectrum = lay(plane, pose);
    square.forward(&mut spectrum);
    level(&spectrum)
}

fn lay(plane: &Plane, pose: &Pose) -> Vec<Complex32> {
    let [[xx, xy], [yx, yy]] = pose.inverse();
    let side = TILE_PX as f64;
    // One more column and row, so that the neighbour of the last needs no thought; they are added in at the end.
    let stride = TILE_PX + 1;
    let mut tile = vec![0.0f32; stride * stride];
    for (row, line) in plane.data.chunks_exact(plane.width).enumerate() {
        let start = |sx: f64, sy: f64| (0.5 * sx + (row as f64 + 0.5) * sy - 0.5).rem_euclid(side);
        let (mut x, mut y) = (start(xx, xy), start(yx, yy));
        for &value in line {
            let (left, top) = (x as usize, y as usize);
            let (fx, fy) = ((x - left as f64) as f32, (y - top as f64) as f32);
            let at = top * stride + left;
            if let Some([a, b]) = tile.get_mut(at..at + 2).and_then(|two| <&mut [f32; 2]>::try_from(two).ok())
            {
                *a += value * (1.0 - fx) * (1.0 - fy);
                *b += value * fx * (1.0 - fy);
            }
            if let Some([a, b]) =
                tile.get_mut(at + stride..at + stride + 2).and_then(|two| <&mut [f32; 2]>::try_from(two).ok())
            {
                *a += value * (1.0 - fx) * fy;
                *b += value * fx * fy;
            }
            x = wrap(x + xx, side);
            y = wrap(y + yx, side);
        }
    }
    let value = |x: usize, y: usize| tile[y * stride + x];
    let mut all = Vec::with_capacity(TILE_PX * TILE_PX);
    for y in 0..TILE_PX {
        for x in 0..TILE_PX {
            let mut sum = value(x, y);
            if x == 0 {
                sum += value(TILE_PX, y);
            }
            if y == 0 {
                sum += value(x, TILE_PX);
            }
            if x == 0 && y == 0 {
                sum += value(TILE_PX, TILE_PX);
            }
            all.push(Complex32::new(sum, 0.0));
        }
    }
    all
}

/// Steps are smaller than a tile.
fn wrap(at: f64, side: f64) -> f64 {
    if at >= side {
        at - side
    } else if at < 0.0 {
        at + side
    } else {
        at
    }
}

/// Pictures are louder at some frequencies than at others; after this, none outshouts the rest.
fn level(spectrum: &[Complex32]) -> Vec<Complex32> {
    let reach = (HIGHEST * TILE_PX as f32).ceil() as i32;
    let mut levelled = vec![Complex32::default(); spectrum.len()];
    let power = |u: i32, v: i32| spectrum[super::bin(u, v)].norm_sqr();
    for v in -reach..=reach {
        for u in 0..=reach {
            let mut sum = 0.0;
            for dv in -AROUND_BINS..=AROUND_BINS {
                for du in -AROUND_BINS..=AROUND_BINS {
                    sum += power(u + du, v + dv);
                }
            }
            let around = (sum / (2 * AROUND_BINS + 1).pow(2) as f32).sqrt();
            let mut value = spectrum[super::bin(u, v)] / around.max(1e-9);
            let magnitude = value.norm();
            if magnitude > CAP {
                value *= CAP / magnitude;
            }
            levelled[super::bin(u, v)] = value;
            levelled[super::bin(-u, -v)] = value.conj();
        }
    }
    levelled
}
