//! Noise levels and the timesteps that are visited: numbers only, no tensor.
//!
//! diffusers 0.42.1 computes these partly in float32 (torch) and partly in float64 (numpy), and the roundings reach
//! the network: its input timestep, and with zero terminal SNR the second-highest sigmas, where `1 - alphas_cumprod`
//! cancels. So each line here has the width that its original has.

use super::config::{BetaSchedule, FinalSigmasType, SchedulerConfig};

/// diffusers' `alphas_cumprod[-1]` under zero terminal SNR: float16's smallest subnormal, so that sigma stays finite.
const ALMOST_ZERO: f32 = 1.0 / (1 << 24) as f32;

/// Karras and others (2022), section 5: "rho = 7".
const RHO: f64 = 7.0;

/// The noise of each trained timestep, lowest first.
#[derive(Debug, Clone)]
pub(super) struct NoiseLevels {
    /// Share of the picture's variance that is left; float32 in diffusers.
    pub(super) alphas_cumprod: Vec<f32>,
    /// `sqrt((1 - alphas_cumprod) / alphas_cumprod)`; float32 in diffusers.
    pub(super) sigmas: Vec<f32>,
}

/// What one run visits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schedule {
    /// Input timesteps of the network, highest noise first; each is exact in float32.
    pub(super) timesteps: Vec<f64>,
    /// Noise level before each step and, last, after the last; one more than `timesteps`. float32 in diffusers.
    pub(super) sigmas: Vec<f32>,
}

impl NoiseLevels {
    /// `__init__` of both schedulers (`schedulers/scheduling_euler_discrete.py`).
    pub(super) fn new(config: &SchedulerConfig) -> Self {
        let mut betas = betas(config);
        if config.rescale_betas_zero_snr {
            betas = rescale_zero_terminal_snr(&betas);
        }
        let mut alphas_cumprod = cumprod(&betas.iter().map(|beta| 1.0 - beta).collect::<Vec<_>>());
        if config.rescale_betas_zero_snr
            && let Some(last) = alphas_cumprod.last_mut()
        {
            *last = ALMOST_ZERO;
        }
        let sigmas = alphas_cumprod.iter().map(|alpha| ((1.0 - alpha) / alpha).sqrt()).collect();
        Self { alphas_cumprod, sigmas }
    }

    /// How many timesteps have `log(alpha / sigma)` of at least `lambda_min_clipped`.
    pub(super) fn unclipped(&self, lambda_min_clipped: Option<f64>) -> usize {
        let Some(least) = lambda_min_clipped else { return self.sigmas.len() };
        let lambda = |alpha: f32| alpha.sqrt().ln() - (1.0 - alpha).sqrt().ln();
        self.alphas_cumprod.iter().filter(|alpha| f64::from(lambda(**alpha)) >= least).count()
    }

    /// The sigma at a timestep, between two trained ones by straight line (`np.interp`, float64).
    pub(super) fn sigma_at(&self, timestep: f64) -> f64 {
        let last = self.sigmas.len() - 1;
        let low = (timestep.max(0.0) as usize).min(last);
        let (below, above) = (f64::from(self.sigmas[low]), f64::from(self.sigmas[(low + 1).min(last)]));
        (above - below) * (timestep.clamp(0.0, last as f64) - low as f64) + below
    }

    /// The timestep whose noise a sigma is (`_sigma_to_t`): float64, between float32 logarithms.
    pub(super) fn sigma_to_t(&self, sigma: f64) -> f64 {
        let log_sigma = sigma.max(1e-10).ln();
        let log_at = |index: usize| self.sigmas[index].ln();
        let not_above = (0..self.sigmas.len()).rev().find(|index| log_sigma >= f64::from(log_at(*index)));
        let low_index = not_above.unwrap_or(0).min(self.sigmas.len() - 2);
        let (low, high) = (log_at(low_index), log_at(low_index + 1));
        let w = ((f64::from(low) - log_sigma) / f64::from(low - high)).clamp(0.0, 1.0);
        (1.0 - w) * low_index as f64 + w * (low_index + 1) as f64
    }

    /// Where the last step ends.
    pub(super) fn final_sigma(&self, kind: FinalSigmasType) -> f32 {
        match kind {
            FinalSigmasType::Zero => 0.0,
            FinalSigmasType::SigmaMin => self.sigmas[0],
        }
    }
}

/// `_convert_to_karras`: `count` sigmas from `sigma_max` down to `sigma_min`, float64.
pub(super) fn karras(sigma_min: f64, sigma_max: f64, count: usize) -> Vec<f64> {
    let (low, high) = (sigma_min.powf(1.0 / RHO), sigma_max.powf(1.0 / RHO));
    linspace(0.0, 1.0, count).into_iter().map(|ramp| (high + ramp * (low - high)).powf(RHO)).collect()
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

fn betas(config: &SchedulerConfig) -> Vec<f32> {
    let count = config.num_train_timesteps;
    if let Some(betas) = &config.trained_betas {
        return betas.iter().map(|beta| *beta as f32).collect();
    }
    match config.beta_schedule {
        BetaSchedule::Linear => linspace_f32(config.beta_start, config.beta_end, count),
        BetaSchedule::ScaledLinear => linspace_f32(config.beta_start.sqrt(), config.beta_end.sqrt(), count)
            .into_iter()
            .map(|root| root * root)
            .collect(),
        BetaSchedule::SquaredcosCapV2 => {
            let alpha_bar = |t: f64| ((t + 0.008) / 1.008 * std::f64::consts::PI / 2.0).cos().powi(2);
            let at = |i: usize| alpha_bar(i as f64 / count as f64);
            (0..count).map(|i| (1.0 - at(i + 1) / at(i)).min(0.999) as f32).collect()
        }
    }
}

/// `rescale_zero_terminal_snr`, in float32 as there.
fn rescale_zero_terminal_snr(betas: &[f32]) -> Vec<f32> {
    let alphas_cumprod = cumprod(&betas.iter().map(|beta| 1.0 - beta).collect::<Vec<_>>());
    let mut roots: Vec<f32> = alphas_cumprod.iter().map(|alpha| alpha.sqrt()).collect();
    let (first, last) = (roots[0], roots[roots.len() - 1]);
    let stretch = first / (first - last);
    roots.iter_mut().for_each(|root| *root = (*root - last) * stretch);
    let alphas_bar: Vec<f32> = roots.iter().map(|root| root * root).collect();
    let ratios = alphas_bar.windows(2).map(|pair| 1.0 - pair[1] / pair[0]);
    std::iter::once(1.0 - alphas_bar[0]).chain(ratios).collect()
}

/// torch's `cumprod` of float32 on the CPU: the running product is float64, each element rounded.
fn cumprod(factors: &[f32]) -> Vec<f32> {
    let mut product = 1.0_f64;
    let running = factors.iter().map(|factor| {
        product *= f64::from(*factor);
        product as f32
    });
    running.collect()
}

/// torch's `linspace` of float32: from both ends to the middle.
fn linspace_f32(start: f64, end: f64, count: usize) -> Vec<f32> {
    let (start, end) = (start as f32, end as f32);
    let step = (end - start) / (count - 1) as f32;
    let at = |i: usize| {
        if i < count / 2 { start + step * i as f32 } else { end - step * (count - 1 - i) as f32 }
    };
    (0..count).map(at).collect()
}
