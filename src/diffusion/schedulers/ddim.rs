//! `DDIMScheduler` (diffusers 0.42.1, `schedulers/scheduling_ddim.py`), `eta=0`.
//!
//! diffusers has no curves of sigma for it. With one it is what it says of `DPMSolverMultistepScheduler` with
//! `solver_order=1`: "equivalent to DDIM".

use tch::{Kind, Tensor};

use super::Scheduler;
use super::config::{BetaSchedule, PredictionType, TimestepSpacing};
use super::schedule::{Level, NoiseLevels, Visits, alphas_cumprod};
use super::settings::{Curve, Settings};
use super::spacings::{leading, linspace, trailing};
use crate::diffusion::noise::{Noise, ShimError};

/// "Denoising Diffusion Implicit Models", formula 12. The sample is `alpha * x_0 + sigma * noise` of variance 1.
#[derive(Debug)]
pub(super) struct DDIMScheduler {
    timesteps: Vec<f64>,
    /// Before and after each step. A step's end need not be the next one's start: diffusers goes down by the whole part
    /// of `num_train_timesteps / num_inference_steps`.
    steps: Vec<(Level, Level)>,
    sigmas: Vec<f32>,
    prediction_type: PredictionType,
    clip_sample: Option<f64>,
}

impl DDIMScheduler {
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Self {
        let trained: Vec<Level> = alphas_cumprod(settings).into_iter().map(Level::of_alpha_cumprod).collect();
        let last = if settings.file.set_alpha_to_one { Level::of(0.0) } else { trained[0] };
        let (timesteps, steps): (_, Vec<_>) = if settings.curve == Curve::Timesteps {
            let timesteps = whole_timesteps(settings, trained.len(), num_inference_steps);
            let stride = (trained.len() / num_inference_steps) as f64;
            let end = |t: f64| if t >= stride { at(&trained, t - stride) } else { last };
            let steps = timesteps.iter().map(|t| (at(&trained, *t), end(*t))).collect();
            (timesteps, steps)
        } else {
            let visits = along_curve(settings, num_inference_steps);
            let starts: Vec<Level> = visits.sigmas.iter().map(|sigma| Level::of(*sigma as f32)).collect();
            let ends = starts.iter().copied().skip(1).chain([last]);
            (visits.timesteps, starts.iter().copied().zip(ends).collect())
        };
        Self {
            sigmas: Level::sigmas(&steps),
            timesteps,
            steps,
            prediction_type: settings.file.prediction_type,
            clip_sample: settings.clip_sample,
        }
    }
}

/// `set_timesteps`, without a curve.
pub(super) fn whole_timesteps(settings: &Settings<'_>, trained: usize, count: usize) -> Vec<f64> {
    match settings.timestep_spacing {
        TimestepSpacing::Linspace => {
            let up = linspace(0.0, (trained - 1) as f64, count);
            up.into_iter().rev().map(f64::round_ties_even).collect()
        }
        TimestepSpacing::Leading => leading(trained / count, 0, count, settings.file.steps_offset),
        TimestepSpacing::Trailing => trailing(trained, trained, count),
    }
}

/// The visits of `DPMSolverMultistepScheduler`.
pub(super) fn along_curve(settings: &Settings<'_>, count: usize) -> Visits {
    let levels = NoiseLevels::new(settings);
    let rounded = settings.beta_schedule != BetaSchedule::SquaredcosCapV2;
    levels.multistep(settings, levels.sigmas.len(), count, rounded)
}

/// A trained level; an offset may lead beyond the highest.
pub(super) fn at(trained: &[Level], timestep: f64) -> Level {
    trained[(timestep as usize).min(trained.len() - 1)]
}

impl Scheduler for DDIMScheduler {
    fn timesteps(&self) -> &[f64] {
        &self.timesteps
    }

    fn sigmas(&self) -> &[f32] {
        &self.sigmas
    }

    fn init_noise_sigma(&self) -> f64 {
        1.0
    }

    fn scale_model_input(&self, sample: &Tensor, _i: usize) -> Tensor {
        sample.to_kind(Kind::Float)
    }

    fn step(
        &mut self,
        model_output: &Tensor,
        i: usize,
        sample: &Tensor,
        _noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let (Level { alpha, sigma, .. }, end) = self.steps[i];
        let mut x0 = self.prediction_type.of_mixed_noise(&model_output, &sample, alpha, sigma);
        let pred_epsilon = match self.prediction_type {
            PredictionType::Epsilon => model_output,
            PredictionType::VPrediction => model_output * f64::from(alpha) + sample * f64::from(sigma),
            PredictionType::Sample => (sample - &x0 * f64::from(alpha)) / f64::from(sigma),
        };
        if let Some(range) = self.clip_sample {
            x0 = x0.clamp(-range, range);
        }
        Ok(x0 * f64::from(end.alpha) + pred_epsilon * f64::from(end.sigma))
    }
}
