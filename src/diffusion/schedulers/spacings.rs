//! Where steps lie: the three timestep spacings, and curves of sigma between two ends. Numbers only.

use super::beta_quantile::beta_quantile;
use super::settings::Curve;

/// Karras and others (2022), section 5: "rho = 7".
const RHO: f64 = 7.0;

/// "Beta Sampling is All You Need" (2024): both parameters of the distribution.
const BETA_PARAMETER: f64 = 0.6;

/// `count` sigmas along a curve from `sigma_max` down to `sigma_min`, float64. Timesteps alone have no curve: a
/// straight line.
pub(super) fn curve(curve: Curve, sigma_min: f64, sigma_max: f64, count: usize) -> Vec<f64> {
    match curve {
        Curve::Timesteps => linspace(sigma_max, sigma_min, count),
        Curve::Karras => karras(sigma_min, sigma_max, count),
        Curve::Exponential => exponential(sigma_min, sigma_max, count),
        Curve::Beta => beta(sigma_min, sigma_max, count),
    }
}

/// `_convert_to_karras`: `count` sigmas from `sigma_max` down to `sigma_min`, float64.
fn karras(sigma_min: f64, sigma_max: f64, count: usize) -> Vec<f64> {
    let (low, high) = (sigma_min.powf(1.0 / RHO), sigma_max.powf(1.0 / RHO));
    linspace(0.0, 1.0, count).into_iter().map(|ramp| (high + ramp * (low - high)).powf(RHO)).collect()
}

/// `_convert_to_exponential`.
fn exponential(sigma_min: f64, sigma_max: f64, count: usize) -> Vec<f64> {
    linspace(sigma_max.ln(), sigma_min.ln(), count).into_iter().map(f64::exp).collect()
}

/// `_convert_to_beta`: the quantiles of a beta distribution at evenly spaced probabilities.
fn beta(sigma_min: f64, sigma_max: f64, count: usize) -> Vec<f64> {
    let at = |ramp: f64| sigma_min + beta_quantile(1.0 - ramp, BETA_PARAMETER) * (sigma_max - sigma_min);
    linspace(0.0, 1.0, count).into_iter().map(at).collect()
}

/// numpy's `linspace`, ends included; one number is the start.
pub(super) fn linspace(start: f64, stop: f64, count: usize) -> Vec<f64> {
    let step = (stop - start) / count.saturating_sub(1).max(1) as f64;
    let mut numbers: Vec<f64> = (0..count).map(|i| i as f64 * step + start).collect();
    if count > 1 {
        numbers[count - 1] = stop;
    }
    numbers
}

/// `trailing`: counts down from `from` (all trained timesteps, unless clipped) in steps of `trained / count`. numpy's
/// `arange` gives one number too many for some counts (61, 103, ...), by rounding: a step at timestep -1. It is left
/// out here; for all other counts the two are equal.
pub(super) fn trailing(from: usize, trained: usize, count: usize) -> Vec<f64> {
    let from = from as f64;
    // numpy takes the difference of the first two numbers, which is not the step itself.
    let step = (from - trained as f64 / count as f64) - from;
    let down = (0..count).map(|i| from + i as f64 * step).take_while(|t| *t > 0.0);
    down.map(|t| t.round_ties_even() - 1.0).collect()
}

/// `leading`: `count` whole multiples of `ratio` from `lowest * ratio` up, highest first.
pub(super) fn leading(ratio: usize, lowest: usize, count: usize, steps_offset: i64) -> Vec<f64> {
    (lowest..lowest + count).rev().map(|i| (i * ratio) as f64 + steps_offset as f64).collect()
}
