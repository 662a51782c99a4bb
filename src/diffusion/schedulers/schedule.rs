//! Noise levels and the timesteps that are visited: numbers only, no tensor.
//!
//! diffusers 0.42.1 computes these partly in float32 (torch) and partly in float64 (numpy), and the roundings reach
//! the network: its input timestep, and with zero terminal SNR the second-highest sigmas, where `1 - alphas_cumprod`
//! cancels. So each line here has the width that its original has.

use super::config::{BetaSchedule, FinalSigmasType, TimestepSpacing};
use super::settings::{Curve, Settings};
use super::spacings::{curve, leading, linspace, trailing};

/// diffusers' `alphas_cumprod[-1]` under zero terminal SNR: float16's smallest subnormal, so that sigma stays finite.
const ALMOST_ZERO: f32 = 1.0 / (1 << 24) as f32;

/// The noise of each trained timestep, lowest first.
#[derive(Debug, Clone)]
pub(super) struct NoiseLevels {
    /// Share of the picture's variance that is left; float32 in diffusers.
    pub(super) alphas_cumprod: Vec<f32>,
    /// `sqrt((1 - alphas_cumprod) / alphas_cumprod)`; float32 in diffusers.
    pub(super) sigmas: Vec<f32>,
}

/// Timesteps and their sigmas, highest noise first; float64 as numpy has them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visits {
    pub(super) timesteps: Vec<f64>,
    pub(super) sigmas: Vec<f64>,
}

impl Visits {
    /// With the level where the last step ends.
    pub(super) fn ending_at(self, last: f32) -> Schedule {
        let mut sigmas: Vec<f32> = self.sigmas.into_iter().map(|sigma| sigma as f32).collect();
        sigmas.push(last);
        Schedule { timesteps: self.timesteps, sigmas }
    }
}

/// What one run visits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schedule {
    /// Input timesteps of the network, highest noise first; each is exact in float32.
    pub(super) timesteps: Vec<f64>,
    /// Noise level before each step and, last, after the last; one more than `timesteps`. float32 in diffusers.
    pub(super) sigmas: Vec<f32>,
}

/// `alphas_cumprod` of each trained timestep as `DDIMScheduler` and `LCMScheduler` have it: 0 under zero terminal SNR.
pub(super) fn alphas_cumprod(settings: &Settings<'_>) -> Vec<f32> {
    let mut betas = betas(settings);
    if settings.rescale_betas_zero_snr {
        betas = rescale_zero_terminal_snr(&betas);
    }
    cumprod(&betas.iter().map(|beta| 1.0 - beta).collect::<Vec<_>>())
}

impl NoiseLevels {
    /// `__init__` of all schedulers but those two (`schedulers/scheduling_euler_discrete.py`).
    pub(super) fn new(settings: &Settings<'_>) -> Self {
        let mut alphas_cumprod = alphas_cumprod(settings);
        if settings.rescale_betas_zero_snr
            && let Some(last) = alphas_cumprod.last_mut()
        {
            *last = ALMOST_ZERO;
        }
        let sigmas = alphas_cumprod.iter().map(|alpha| ((1.0 - alpha) / alpha).sqrt()).collect();
        Self { alphas_cumprod, sigmas }
    }

    /// `set_timesteps` of Euler, Euler ancestral, Heun and DPM++ SDE, as far as they agree: a sigma for each of `count`
    /// timesteps. A curve leads from the highest of these to the lowest.
    pub(super) fn between(&self, settings: &Settings<'_>, count: usize) -> Visits {
        let trained = self.sigmas.len();
        let timesteps: Vec<f64> = match settings.timestep_spacing {
            TimestepSpacing::Linspace => {
                let up = linspace(0.0, (trained - 1) as f64, count);
                up.into_iter().rev().map(|t| f64::from(t as f32)).collect()
            }
            TimestepSpacing::Leading => leading(trained / count, 0, count, settings.file.steps_offset),
            TimestepSpacing::Trailing => trailing(trained, trained, count),
        };
        let sigmas: Vec<f64> = timesteps.iter().map(|t| self.sigma_at(*t)).collect();
        if settings.curve == Curve::Timesteps {
            return Visits { timesteps, sigmas };
        }
        let [sigma_min, sigma_max] = settings.curve_ends;
        let (sigma_min, sigma_max) = (sigma_min.unwrap_or(sigmas[count - 1]), sigma_max.unwrap_or(sigmas[0]));
        let sigmas = curve(settings.curve, sigma_min, sigma_max, count);
        let timesteps = sigmas.iter().map(|sigma| f64::from(self.sigma_to_t(*sigma) as f32)).collect();
        Visits { timesteps, sigmas }
    }

    /// `set_timesteps` of the multistep solvers: whole timesteps, of the lowest `last` trained ones; a curve leads
    /// through all that were trained. `rounded` is whether timesteps of Karras sigmas are rounded or cut.
    pub(super) fn multistep(
        &self,
        settings: &Settings<'_>,
        last: usize,
        count: usize,
        rounded: bool,
    ) -> Visits {
        let trained = self.sigmas.len();
        if settings.curve != Curve::Timesteps {
            let [sigma_min, sigma_max] = settings.curve_ends;
            let sigma_min = sigma_min.unwrap_or(f64::from(self.sigmas[0]));
            let sigma_max = sigma_max.unwrap_or(f64::from(self.sigmas[trained - 1]));
            let sigmas = curve(settings.curve, sigma_min, sigma_max, count);
            let whole = |t: f64| {
                if rounded && settings.curve == Curve::Karras { t.round_ties_even() } else { t.trunc() }
            };
            let timesteps = sigmas.iter().map(|sigma| whole(self.sigma_to_t(*sigma))).collect();
            return Visits { timesteps, sigmas };
        }
        let timesteps: Vec<f64> = match settings.timestep_spacing {
            TimestepSpacing::Linspace => {
                let up = linspace(0.0, last as f64 - 1.0, count + 1);
                up.into_iter().skip(1).rev().map(f64::round_ties_even).collect()
            }
            TimestepSpacing::Leading => leading(last / (count + 1), 1, count, settings.file.steps_offset),
            TimestepSpacing::Trailing => trailing(last, trained, count),
        };
        let sigmas = timesteps.iter().map(|t| self.sigma_at(*t)).collect();
        Visits { timesteps, sigmas }
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

fn betas(settings: &Settings<'_>) -> Vec<f32> {
    let count = settings.file.num_train_timesteps;
    let (start, end) = (settings.beta_start, settings.beta_end);
    if let Some(betas) = &settings.file.trained_betas {
        return betas.iter().map(|beta| *beta as f32).collect();
    }
    match settings.beta_schedule {
        BetaSchedule::Linear => linspace_f32(start, end, count),
        BetaSchedule::ScaledLinear => {
            linspace_f32(start.sqrt(), end.sqrt(), count).into_iter().map(|root| root * root).collect()
        }
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

/// A noise level split so that the variance is 1 (`_sigma_to_alpha_sigma_t`); float32 as in diffusers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) alpha: f32,
    pub(super) sigma: f32,
    /// Half the logarithm of the signal-to-noise ratio; infinite without noise.
    pub(super) lambda: f32,
}

impl Level {
    pub(super) fn of(sigma: f32) -> Self {
        let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
        let sigma = sigma * alpha;
        Self { alpha, sigma, lambda: alpha.ln() - sigma.ln() }
    }

    /// Of a share of variance that is left, as `DDIMScheduler` and `LCMScheduler` have it.
    pub(super) fn of_alpha_cumprod(alpha_cumprod: f32) -> Self {
        let (alpha, sigma) = (alpha_cumprod.sqrt(), (1.0 - alpha_cumprod).sqrt());
        Self { alpha, sigma, lambda: alpha.ln() - sigma.ln() }
    }

    /// Before each of `steps` and after the last, as sigmas.
    pub(super) fn sigmas(steps: &[(Self, Self)]) -> Vec<f32> {
        let starts = steps.iter().map(|(start, _)| start);
        let end = steps.last().map(|(_, end)| end);
        starts.chain(end).map(|level| level.sigma / level.alpha).collect()
    }
}
