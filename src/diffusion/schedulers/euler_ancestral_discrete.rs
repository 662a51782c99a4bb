//! `EulerAncestralDiscreteScheduler` (diffusers 0.42.1, `schedulers/scheduling_euler_ancestral_discrete.py`).

use tch::{Kind, Tensor};

use super::config::PredictionType;
use super::euler_discrete::{init_noise_sigma, scale_model_input};
use super::schedule::{NoiseLevels, Schedule};
use super::settings::Settings;
use super::{ScheduleError, Scheduler};
use crate::diffusion::noise::{Noise, ShimError};

/// An Euler step to a lower level than the next, and fresh noise up to it. The sample is `x_0 + sigma * noise`.
#[derive(Debug)]
pub(super) struct EulerAncestralDiscreteScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    init_noise_sigma: f64,
}

impl EulerAncestralDiscreteScheduler {
    /// # Errors
    /// `prediction_type = sample`, which diffusers does not have here either.
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Result<Self, ScheduleError> {
        let prediction_type = settings.file.prediction_type;
        if prediction_type == PredictionType::Sample {
            return Err(ScheduleError::Unsupported { key: "prediction_type", value: "sample".to_owned() });
        }
        let schedule = NoiseLevels::new(settings).between(settings, num_inference_steps).ending_at(0.0);
        Ok(Self { init_noise_sigma: init_noise_sigma(settings, &schedule.sigmas), schedule, prediction_type })
    }
}

/// How much noise is put back on the way from one sigma to the next, and what is left below it: the two add up to the
/// next one in variance.
pub(super) fn up_and_down(from: f32, to: f32) -> (f32, f32) {
    let up = (to * to * (from * from - to * to) / (from * from)).sqrt();
    (up, (to * to - up * up).sqrt())
}

impl Scheduler for EulerAncestralDiscreteScheduler {
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
        noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let sigma = self.schedule.sigmas[i];
        let (up, down) = up_and_down(sigma, self.schedule.sigmas[i + 1]);
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let pred_original_sample = self.prediction_type.of_added_noise(&model_output, &sample, sigma);
        let derivative = (&sample - pred_original_sample) / f64::from(sigma);
        let fresh = noise.like(&sample)? * f64::from(up);
        Ok(sample + derivative * f64::from(down - sigma) + fresh)
    }
}
