//! `HeunDiscreteScheduler` (diffusers 0.42.1, `schedulers/scheduling_heun_discrete.py`), without churn. Neither here nor
//! there does it rescale the betas to zero terminal SNR.

use std::iter::repeat_n;

use tch::{Kind, Tensor};

use super::Scheduler;
use super::config::PredictionType;
use super::euler_discrete::{init_noise_sigma, scale_model_input};
use super::schedule::{NoiseLevels, Schedule};
use super::settings::Settings;
use crate::diffusion::noise::{Noise, ShimError};

/// An Euler step, then the same step again with the mean of the slopes at its two ends; the last is Euler's alone. The
/// sample is `x_0 + sigma * noise`.
#[derive(Debug)]
pub(super) struct HeunDiscreteScheduler {
    /// Of evaluations: all levels but the first and the last stand twice.
    schedule: Schedule,
    prediction_type: PredictionType,
    clip_sample: Option<f64>,
    init_noise_sigma: f64,
    /// The sample before the step that is half done, and its slope there.
    half_done: Option<(Tensor, Tensor)>,
}

impl HeunDiscreteScheduler {
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Self {
        let visits = NoiseLevels::new(settings).between(settings, num_inference_steps);
        let schedule = twice(visits.ending_at(0.0));
        Self {
            init_noise_sigma: init_noise_sigma(settings, &schedule.sigmas),
            schedule,
            prediction_type: settings.file.prediction_type,
            clip_sample: settings.clip_sample,
            half_done: None,
        }
    }
}

/// Every timestep but the first twice, and every sigma but the first and the last.
pub(super) fn twice(schedule: Schedule) -> Schedule {
    let Schedule { timesteps, sigmas } = schedule;
    let last = timesteps.len();
    let times = |index: usize| if index == 0 || index == last { 1 } else { 2 };
    Schedule {
        timesteps: timesteps.into_iter().enumerate().flat_map(|(i, t)| repeat_n(t, times(i))).collect(),
        sigmas: sigmas.into_iter().enumerate().flat_map(|(i, sigma)| repeat_n(sigma, times(i))).collect(),
    }
}

impl Scheduler for HeunDiscreteScheduler {
    fn timesteps(&self) -> &[f64] {
        &self.schedule.timesteps
    }

    fn sigmas(&self) -> &[f32] {
        &self.schedule.sigmas
    }

    fn order(&self) -> usize {
        2
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
        let sigmas = &self.schedule.sigmas;
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let mut pred_original_sample = self.prediction_type.of_added_noise(&model_output, &sample, sigmas[i]);
        if let Some(range) = self.clip_sample {
            pred_original_sample = pred_original_sample.clamp(-range, range);
        }
        let derivative = (&sample - pred_original_sample) / f64::from(sigmas[i]);
        if let Some((sample, first)) = self.half_done.take() {
            let dt = sigmas[i] - sigmas[i - 1];
            return Ok(sample + (first + derivative) / 2.0 * f64::from(dt));
        }
        let dt = sigmas[i + 1] - sigmas[i];
        let next = &sample + &derivative * f64::from(dt);
        self.half_done = (i + 1 < self.schedule.timesteps.len()).then_some((sample, derivative));
        Ok(next)
    }
}
