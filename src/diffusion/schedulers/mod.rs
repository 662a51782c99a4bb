//! Samplers: which noise levels are visited, and how a network's output moves the sample from one to the next.
//!
//! - `config`: `scheduler_config.json`; `settings`: what one sampler makes of it
//! - `schedule`: noise levels, timesteps and sigmas, as numbers; `spacings`, `beta_quantile`: where they lie
//! - `prediction`: what a network's output means
//! - `euler_discrete`, `euler_ancestral_discrete`, `heun_discrete`, `dpm_solver_multistep`, `dpm_solver_sde`,
//!   `unipc_multistep`, `ddim`, `lcm`: one algorithm each

mod beta_quantile;
mod config;
mod ddim;
mod dpm_solver_multistep;
mod dpm_solver_sde;
mod euler_ancestral_discrete;
mod euler_discrete;
mod heun_discrete;
mod lcm;
mod prediction;
mod schedule;
mod settings;
mod spacings;
mod unipc_multistep;

use std::fmt;

use tch::Tensor;

pub use config::{BetaSchedule, FinalSigmasType, PredictionType, SchedulerConfig, TimestepSpacing};

use self::ddim::DDIMScheduler;
use self::dpm_solver_multistep::DPMSolverMultistepScheduler;
use self::dpm_solver_sde::DPMSolverSDEScheduler;
use self::euler_ancestral_discrete::EulerAncestralDiscreteScheduler;
use self::euler_discrete::EulerDiscreteScheduler;
use self::heun_discrete::HeunDiscreteScheduler;
use self::lcm::LCMScheduler;
use self::settings::Settings;
use self::unipc_multistep::UniPCMultistepScheduler;
use super::noise::{Noise, ShimError};
use crate::plan::{Algorithm, SamplerKind};

/// One run of a sampler. The network is evaluated once for each of [`Self::timesteps`], in order: `i` from 0 to
/// `timesteps().len() - 1`.
///
/// Samples have any shape and device; a batch is many samples at the same step. All arithmetic is float32, as in
/// diffusers, whatever the network's dtype: both tensor answers are float32, to be cast for the network by the caller.
/// (diffusers rounds the sample to the network's dtype after each step; in float32 the two agree.)
///
/// An `i` out of range, or tensors that do not fit each other, panic.
pub trait Scheduler: fmt::Debug + Send {
    /// Input timesteps of the network, highest noise first.
    fn timesteps(&self) -> &[f64];

    /// Noise level before each evaluation and after the last: one more than [`Self::timesteps`].
    fn sigmas(&self) -> &[f32];

    /// Evaluations in a step but the last, which has one.
    fn order(&self) -> usize {
        1
    }

    /// What standard normal noise is multiplied by to be the first sample.
    fn init_noise_sigma(&self) -> f64;

    /// What the network gets for this sample at evaluation `i`.
    fn scale_model_input(&self, sample: &Tensor, i: usize) -> Tensor;

    /// The sample after evaluation `i`, from the (guided) output of the network. A stochastic sampler takes from `noise`,
    /// which has a stream for each sample.
    ///
    /// # Errors
    /// When noise cannot be drawn.
    fn step(
        &mut self,
        model_output: &Tensor,
        i: usize,
        sample: &Tensor,
        noise: &mut Noise,
    ) -> Result<Tensor, ShimError>;
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
/// as `DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)` does, with the argument that the spacing stands
/// for. Where the config itself asks for a curve, those that have one in diffusers follow it.
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
    let settings = &Settings::new(config, kind);
    Ok(match kind.algorithm {
        Algorithm::EulerDiscrete => Box::new(EulerDiscreteScheduler::new(settings, num_inference_steps)),
        Algorithm::EulerAncestralDiscrete => {
            Box::new(EulerAncestralDiscreteScheduler::new(settings, num_inference_steps)?)
        }
        Algorithm::HeunDiscrete => Box::new(HeunDiscreteScheduler::new(settings, num_inference_steps)),
        Algorithm::DPMSolverMultistep => {
            Box::new(DPMSolverMultistepScheduler::new(settings, false, num_inference_steps)?)
        }
        Algorithm::DPMSolverMultistepSDE => {
            Box::new(DPMSolverMultistepScheduler::new(settings, true, num_inference_steps)?)
        }
        Algorithm::DPMSolverSDE => Box::new(DPMSolverSDEScheduler::new(settings, num_inference_steps)?),
        Algorithm::UniPCMultistep => Box::new(UniPCMultistepScheduler::new(settings, num_inference_steps)?),
        Algorithm::DDIM => Box::new(DDIMScheduler::new(settings, num_inference_steps)),
        Algorithm::LCM => Box::new(LCMScheduler::new(settings, num_inference_steps)?),
    })
}
