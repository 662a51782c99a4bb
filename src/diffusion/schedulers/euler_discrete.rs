//! `EulerDiscreteScheduler` (diffusers 0.42.1, `schedulers/scheduling_euler_discrete.py`), without churn.

use tch::{Kind, Tensor};

use super::Scheduler;
use super::config::{PredictionType, SchedulerConfig, TimestepSpacing};
use super::schedule::{NoiseLevels, Schedule, karras, leading, linspace, trailing};

/// One Euler step of the probability-flow equation for each timestep. The sample is `x_0 + sigma * noise`.
#[derive(Debug)]
pub struct EulerDiscreteScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    init_noise_sigma: f64,
}

impl EulerDiscreteScheduler {
    /// `set_timesteps(num_inference_steps)` of a scheduler made from `config`, which was checked.
    pub fn new(config: &SchedulerConfig, num_inference_steps: usize) -> Self {
        let schedule = schedule(config, num_inference_steps);
        let max_sigma = schedule.sigmas.iter().copied().fold(0.0, f32::max);
        let init_noise_sigma = match config.timestep_spacing {
            TimestepSpacing::Linspace | TimestepSpacing::Trailing => max_sigma,
            TimestepSpacing::Leading => (max_sigma * max_sigma + 1.0).sqrt(),
        };
        Self {
            schedule,
            prediction_type: config.prediction_type,
            init_noise_sigma: f64::from(init_noise_sigma),
        }
    }
}

fn schedule(config: &SchedulerConfig, count: usize) -> Schedule {
    let levels = NoiseLevels::new(config);
    let trained = levels.sigmas.len();
    let mut timesteps = match config.timestep_spacing {
        TimestepSpacing::Linspace => {
            let up = linspace(0.0, (trained - 1) as f64, count);
            up.into_iter().rev().map(|t| f64::from(t as f32)).collect()
        }
        TimestepSpacing::Leading => leading(trained / count, 0, count, config.steps_offset),
        TimestepSpacing::Trailing => trailing(trained, trained, count),
    };
    let mut sigmas: Vec<f64> = timesteps.iter().map(|t| levels.sigma_at(*t)).collect();
    if config.use_karras_sigmas {
        let sigma_min = config.sigma_min.unwrap_or(sigmas[count - 1]);
        let sigma_max = config.sigma_max.unwrap_or(sigmas[0]);
        sigmas = karras(sigma_min, sigma_max, count);
        timesteps = sigmas.iter().map(|sigma| f64::from(levels.sigma_to_t(*sigma) as f32)).collect();
    }
    let mut sigmas: Vec<f32> = sigmas.into_iter().map(|sigma| sigma as f32).collect();
    sigmas.push(levels.final_sigma(config.final_sigmas_type));
    Schedule { timesteps, sigmas }
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
        let sigma = self.schedule.sigmas[i];
        sample.to_kind(Kind::Float) / f64::from((sigma * sigma + 1.0).sqrt())
    }

    fn step(&mut self, model_output: &Tensor, i: usize, sample: &Tensor) -> Tensor {
        let (sigma, next) = (self.schedule.sigmas[i], self.schedule.sigmas[i + 1]);
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let variance = sigma * sigma + 1.0;
        let pred_original_sample = match self.prediction_type {
            PredictionType::Epsilon => &sample - model_output * f64::from(sigma),
            PredictionType::VPrediction => {
                model_output * f64::from(-sigma / variance.sqrt()) + &sample / f64::from(variance)
            }
            PredictionType::Sample => model_output,
        };
        let derivative = (&sample - pred_original_sample) / f64::from(sigma);
        sample + derivative * f64::from(next - sigma)
    }
}
