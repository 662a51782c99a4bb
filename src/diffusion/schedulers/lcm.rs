//! `LCMScheduler` (diffusers 0.42.1, `schedulers/scheduling_lcm.py`). Where a spacing was asked for its timesteps are
//! given in place of its own, as `set_timesteps(timesteps=...)` takes them.

use tch::{Kind, Tensor};

use super::config::PredictionType;
use super::ddim::{along_curve, at, whole_timesteps};
use super::schedule::{Level, alphas_cumprod};
use super::settings::{Curve, Settings};
use super::spacings::linspace;
use super::{ScheduleError, Scheduler};
use crate::diffusion::noise::{Noise, ShimError};

/// `sigma_data` of the boundary condition.
const SIGMA_DATA: f64 = 0.5;

/// "Latent Consistency Models", algorithm 3: the whole way to `x_0` in each step, and noise up to the next level but in
/// the last. The sample is `alpha * x_0 + sigma * noise` of variance 1.
#[derive(Debug)]
pub(super) struct LCMScheduler {
    timesteps: Vec<f64>,
    /// Before and after each step.
    steps: Vec<(Level, Level)>,
    sigmas: Vec<f32>,
    prediction_type: PredictionType,
    clip_sample: Option<f64>,
    timestep_scaling: f64,
}

impl LCMScheduler {
    /// # Errors
    /// Without a spacing of its own: more steps than the training had, or than there are timesteps.
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Result<Self, ScheduleError> {
        let trained: Vec<Level> = alphas_cumprod(settings).into_iter().map(Level::of_alpha_cumprod).collect();
        let timesteps = if settings.curve != Curve::Timesteps {
            along_curve(settings, num_inference_steps).timesteps
        } else if settings.spacing_is_asked {
            whole_timesteps(settings, trained.len(), num_inference_steps)
        } else {
            distilled_timesteps(settings.file.original_inference_steps, trained.len(), num_inference_steps)?
        };
        let starts: Vec<Level> = timesteps.iter().map(|t| at(&trained, *t)).collect();
        let ends = starts.iter().copied().skip(1).chain([Level::of(0.0)]);
        let steps: Vec<_> = starts.iter().copied().zip(ends).collect();
        Ok(Self {
            sigmas: Level::sigmas(&steps),
            timesteps,
            steps,
            prediction_type: settings.file.prediction_type,
            clip_sample: settings.clip_sample,
            timestep_scaling: settings.file.timestep_scaling,
        })
    }
}

/// Evenly spaced among those that the training visited.
fn distilled_timesteps(original: usize, trained: usize, count: usize) -> Result<Vec<f64>, ScheduleError> {
    if !(1..=trained).contains(&original) {
        let value = original.to_string();
        return Err(ScheduleError::Unsupported { key: "original_inference_steps", value });
    }
    if count > original {
        return Err(ScheduleError::Steps { asked: count, most: original });
    }
    let stride = trained / original;
    let visited: Vec<f64> = (1..=original).rev().map(|step| (step * stride) as f64 - 1.0).collect();
    let places = linspace(0.0, original as f64, count + 1);
    Ok(places.into_iter().take(count).map(|place| visited[place.floor() as usize]).collect())
}

impl Scheduler for LCMScheduler {
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
        noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let (Level { alpha, sigma, .. }, end) = self.steps[i];
        let mut x0 = self.prediction_type.of_mixed_noise(&model_output, &sample, alpha, sigma);
        if let Some(range) = self.clip_sample {
            x0 = x0.clamp(-range, range);
        }
        let scaled = self.timesteps[i] * self.timestep_scaling;
        let spread = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        let (c_skip, c_out) = (SIGMA_DATA * SIGMA_DATA / spread, scaled / spread.sqrt());
        let denoised = x0 * c_out + &sample * c_skip;
        if i + 1 == self.timesteps.len() {
            return Ok(denoised);
        }
        let fresh = noise.like(&sample)? * f64::from(end.sigma);
        Ok(denoised * f64::from(end.alpha) + fresh)
    }
}
