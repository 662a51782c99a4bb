//! Samplers: which noise levels are visited, and how a network's output moves the sample from one to the next.
//!
//! - `config`: `scheduler_config.json`
//! - `schedule`: noise levels, timesteps and sigmas, as numbers
//! - `euler_discrete`, `dpm_solver_multistep`: one algorithm each

mod config;
mod dpm_solver_multistep;
mod euler_discrete;
mod schedule;

use std::fmt;

use tch::Tensor;

pub use config::{BetaSchedule, FinalSigmasType, PredictionType, SchedulerConfig, TimestepSpacing};
pub use dpm_solver_multistep::DPMSolverMultistepScheduler;
pub use euler_discrete::EulerDiscreteScheduler;

use crate::plan::SamplerKind;

/// One run of a sampler. Steps are taken in order, `i` from 0 to `timesteps().len() - 1`.
///
/// Samples have any shape and device; a batch is many samples at the same step. All arithmetic is float32, as in
/// diffusers, whatever the network's dtype: both tensor answers are float32, to be cast for the network by the caller.
/// (diffusers rounds the sample to the network's dtype after each step; in float32 the two agree.)
///
/// An `i` out of range, or tensors that do not fit each other, panic.
pub trait Scheduler: fmt::Debug + Send {
    /// Input timesteps of the network, highest noise first.
    fn timesteps(&self) -> &[f64];

    /// Noise level before each step and after the last: one more than [`Self::timesteps`].
    fn sigmas(&self) -> &[f32];

    /// What standard normal noise is multiplied by to be the first sample.
    fn init_noise_sigma(&self) -> f64;

    /// What the network gets for this sample at step `i`.
    fn scale_model_input(&self, sample: &Tensor, i: usize) -> Tensor;

    /// The sample after step `i`, from the (guided) output of the network.
    fn step(&mut self, model_output: &Tensor, i: usize, sample: &Tensor) -> Tensor;
}

/// Why there is no such sampler.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("scheduler_config.json cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("scheduler_config.json: {key} = {value} is not supported")]
    Unsupported { key: &'static str, value: String },
    #[error("scheduler_config.json: unknown keys: {}", .0.join(", "))]
    UnknownKeys(Vec<String>),
    #[error("{asked} steps asked; from 1 to {most} are possible")]
    Steps { asked: usize, most: usize },
}

/// A sampler of `kind` for the noise that a checkpoint's `config` describes, whichever class the config names:
/// as `DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)` does. Where the config itself asks for Karras
/// sigmas, all kinds have them.
///
/// # Errors
/// A config that [`SchedulerConfig::check`] or the sampler refuses; no step, or more than were trained.
pub fn scheduler(
    kind: SamplerKind,
    config: &SchedulerConfig,
    num_inference_steps: usize,
) -> Result<Box<dyn Scheduler>, ScheduleError> {
    config.check()?;
    let most = config.trained_betas.as_ref().map_or(config.num_train_timesteps, Vec::len);
    if !(1..=most).contains(&num_inference_steps) {
        return Err(ScheduleError::Steps { asked: num_inference_steps, most });
    }
    Ok(match kind {
        SamplerKind::EulerDiscreteScheduler => {
            Box::new(EulerDiscreteScheduler::new(config, num_inference_steps))
        }
        SamplerKind::DPMSolverMultistepScheduler => {
            Box::new(DPMSolverMultistepScheduler::new(config, config.use_karras_sigmas, num_inference_steps)?)
        }
        SamplerKind::DPMSolverMultistepSchedulerKarras => {
            Box::new(DPMSolverMultistepScheduler::new(config, true, num_inference_steps)?)
        }
    })
}
