//! Which poses a picture may have: the pilots stand out of its spectrum where they lie.

use std::f32::consts::{FRAC_PI_2, PI};

use super::fourier::Spectrum;
use super::pattern::{HIGHEST_LOW_PILOT, HIGHEST_PILOT, Harmonic, Pattern, TILE_PX};
use super::pose::Pose;

/// Poses that are looked at more closely.
const PROMISING: usize = 128;
/// Poses that are given back.
const BEST: usize = 32;
/// Steps of the coarse search are such that the low pilots are missed by no more than this, in bins of the spectrum.
const MISSED_BINS: f32 = 0.45;
/// Standard deviation of a magnitude where there is no pilot, in parts of its mean (Rayleigh).
const SPREAD: f32 = 0.52;
/// Pilots that must lie within the spectrum for a pose to be judged.
const FEWEST: f32 = 24.0;

/// Poses by the evidence for them, the best first.
pub(super) fn poses(
    spectrum: &Spectrum,
    pattern: &Pattern,
    size: (usize, usize),
    scales: (f32, f32),
) -> Vec<Pose> {
    let long = size.0.max(size.1) as f32;
    let mut found = Vec::new();
    let mut look = |pilots: &[Harmonic], pose: Pose| {
        if let Some(score) = score(spectrum, pilots, &pose) {
            found.push((score, pose));
        }
    };
    // Upright or on its side, as most copies are: all pilots, in fine steps.
    for scale in steps(scales, HIGHEST_PILOT * long) {
        for (turn, mirrored) in [(0.0, false), (0.0, true), (FRAC_PI_2, false), (FRAC_PI_2, true)] {
            look(&pattern.pilots, Pose { sx: scale, sy: scale, turn, mirrored });
        }
    }
    // Turned by any angle: the low pilots, in coarse steps.
    let low = &pattern.pilots[..Pattern::LOW_PILOTS];
    for scale in steps(scales, HIGHEST_LOW_PILOT * long) {
        let turns = (FRAC_PI_2 / (2.0 * MISSED_BINS * scale / (HIGHEST_LOW_PILOT * long))).ceil() as i32;
        for turn in -turns..turns {
            let turn = turn as f32 * PI / (2 * turns) as f32;
            for mirrored in [false, true] {
                look(low, Pose { sx: scale, sy: scale, turn, mirrored });
            }
        }
    }
    // Pressed into another shape.
    for sx in steps(scales, HIGHEST_LOW_PILOT * size.0 as f32) {
        for sy in steps(scales, HIGHEST_LOW_PILOT * size.1 as f32) {
            look(low, Pose { sx, sy, turn: 0.0, mirrored: false });
        }
    }
    let best = best(found, PROMISING);
    let refined = best.into_iter().filter_map(|(_, pose)| refine(spectrum, pattern, pose, long));
    self::best(refined.collect(), BEST).into_iter().map(|(_, pose)| pose).collect()
}

/// Scales so near to one another that the highest of the pilots, `bins` off zero at scale 1, is hardly missed.
fn steps((from, to): (f32, f32), bins: f32) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(from), move |s| Some(s + 2.0 * MISSED_BINS * s * s / bins))
        .take_while(move |&s| s <= to)
}

/// How far the pilots stand out, in standard deviations of chance.
fn score(spectrum: &Spectrum, pilots: &[Harmonic], pose: &Pose) -> Option<f32> {
    let matrix = pose.frequencies().map(|row| row.map(|factor| factor / TILE_PX as f32));
    let (mut sum, mut count) = (0.0, 0.0);
    for pilot in pilots {
        let (u, v) = (pilot.u as f32, pilot.v as f32);
        let [fx, fy] = matrix.map(|row| row[0] * u + row[1] * v);
        if let Some(magnitude) = spectrum.at(fx, fy) {
            sum += magnitude;
            count += 1.0;
        }
    }
    (count >= FEWEST).then(|| (sum / count - 1.0) * f32::sqrt(count) / SPREAD)
}

/// The best by score, leaving out what lies beside a better one.
fn best(mut all: Vec<(f32, Pose)>, count: usize) -> Vec<(f32, Pose)> {
    let first = all.len().min(20 * count);
    if first == 0 {
        return all;
    }
    all.select_nth_unstable_by(first - 1, |a, b| b.0.total_cmp(&a.0));
    all.truncate(first);
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<(f32, Pose)> = Vec::new();
    for (score, pose) in all {
        if kept.len() == count {
            break;
        }
        if !kept.iter().any(|(_, better)| beside(better, &pose)) {
            kept.push((score, pose));
        }
    }
    kept
}

fn beside(a: &Pose, b: &Pose) -> bool {
    let near = |a: f32, b: f32| (a / b - 1.0).abs() < 0.003;
    a.mirrored == b.mirrored && near(a.sx, b.sx) && near(a.sy, b.sy) && (a.turn - b.turn).abs() < 0.003
}

/// Stretches along x and y, and turns, that a climb tries.
const MOVES: [(f32, f32, f32); 10] = [
    (1.0, 1.0, 0.0),
    (-1.0, -1.0, 0.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, -1.0),
    (1.0, -1.0, 0.0),
    (-1.0, 1.0, 0.0),
    (1.0, 0.0, 0.0),
    (-1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, -1.0, 0.0),
];

/// Climbs by ever smaller steps with all pilots.
fn refine(spectrum: &Spectrum, pattern: &Pattern, from: Pose, long: f32) -> Option<(f32, Pose)> {
    let mut at = (score(spectrum, &pattern.pilots, &from)?, from);
    let finest = 0.25 * at.1.scale() / (HIGHEST_PILOT * long);
    let mut step = 8.0 * finest;
    while step > 0.9 * finest {
        let Pose { sx, sy, turn, mirrored } = at.1;
        let tried = MOVES.iter().filter_map(|&(wider, higher, further)| {
            let (sx, sy) = (sx * (1.0 + wider * step), sy * (1.0 + higher * step));
            let pose = Pose { sx, sy, turn: turn + further * step, mirrored };
            Some((score(spectrum, &pattern.pilots, &pose)?, pose))
        });
        match tried.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some(better) if better.0 > at.0 => at = better,
            _ => step /= 2.0,
        }
    }
    Some(at)
}
