//! `EulerDiscreteScheduler` (diffusers 0.42.1, `schedulers/scheduling_euler_discrete.py`), without churn.

use tch::{Kind, Tensor};

use super::Scheduler;
use super::config::{PredictionType, TimestepSpacing};
use super::schedule::{NoiseLevels, Schedule};
use super::settings::Settings;
use crate::diffusion::noise::{Noise, ShimError};

/// One Euler step of the probability-flow equation for each timestep. The sample is `x_0 + sigma * noise`.
#[derive(Debug)]
pub(super) struct EulerDiscreteScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    init_noise_sigma: f64,
}

impl EulerDiscreteScheduler {
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Self {
        let levels = NoiseLevels::new(settings);
        let visits = levels.between(settings, num_inference_steps);
        let schedule = visits.ending_at(levels.final_sigma(settings.final_sigmas_type));
        Self {
            init_noise_sigma: init_noise_sigma(settings, &schedule.sigmas),
            schedule,
            prediction_type: settings.file.prediction_type,
        }
    }
}

/// `init_noise_sigma` of every sampler whose sample is `x_0 + sigma * noise`.
pub(super) fn init_noise_sigma(settings: &Settings<'_>, sigmas: &[f32]) -> f64 {
    let max_sigma = sigmas.iter().copied().fold(0.0, f32::max);
    f64::from(match settings.timestep_spacing {
        TimestepSpacing::Linspace | TimestepSpacing::Trailing => max_sigma,
        TimestepSpacing::Leading => (max_sigma * max_sigma + 1.0).sqrt(),
    })
}

/// `scale_model_input` of the same.
pub(super) fn scale_model_input(sample: &Tensor, sigma: f32) -> Tensor {
    sample.to_kind(Kind::Float) / f64::from((sigma * sigma + 1.0).sqrt())
}

impl Scheduler for EulerDiscreteScheduler {
    fn timesteps(&self) -> &[f64] {
        &self.schedule.timesteps
    }

    fn sigmas(&self) -> &[f32] {
        &self.schedule.sigmas
    }

    fn init_noise_sigma(&self) -> f64 {
        self.init_noise_sigma
    }

    fn scale_model_input(&self, sample: &Tensor, i: usize) -> Tensor {
        scale_model_input(sample, self.schedule.sigmas[i])
    }

    fn step(
        &mut self,
        model_output: &Tensor,
        i: usize,
        sample: &Tensor,
        _noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let (sigma, next) = (self.schedule.sigmas[i], self.schedule.sigmas[i + 1]);
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let pred_original_sample = self.prediction_type.of_added_noise(&model_output, &sample, sigma);
        let derivative = (&sample - pred_original_sample) / f64::from(sigma);
        Ok(sample + derivative * f64::from(next - sigma))
    }
}
