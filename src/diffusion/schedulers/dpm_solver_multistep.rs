//! `DPMSolverMultistepScheduler` (diffusers 0.42.1, `schedulers/scheduling_dpmsolver_multistep.py`):
//! `algorithm_type="dpmsolver++"` and `"sde-dpmsolver++"`, `solver_type="midpoint"`, `solver_order` 1 or 2.

use tch::{Kind, Tensor};

use super::config::{BetaSchedule, FinalSigmasType, PredictionType};
use super::schedule::{Level, NoiseLevels, Schedule};
use super::settings::Settings;
use super::{ScheduleError, Scheduler};
use crate::diffusion::noise::{Noise, ShimError};

/// Fewer steps than this and `lower_order_final` applies.
const FEW_STEPS: usize = 15;

/// DPM-Solver++ with two points ("DPM-Solver++: Fast Solver for Guided Sampling", algorithm 2), or its stochastic
/// sibling. The sample is `alpha * x_0 + sigma * noise` of variance 1, so that the model's input is the sample itself.
#[derive(Debug)]
pub(super) struct DPMSolverMultistepScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    solver_order: usize,
    /// Whether each step adds noise.
    stochastic: bool,
    /// Whether the last step is of first order.
    euler_last: bool,
    /// The prediction of `x_0` one step ago.
    previous: Option<Tensor>,
}

impl DPMSolverMultistepScheduler {
    /// The sampler that was asked for decides between the two algorithms, not the file's `algorithm_type`.
    ///
    /// # Errors
    /// An algorithm, solver or order that is not done here.
    pub(super) fn new(
        settings: &Settings<'_>,
        stochastic: bool,
        num_inference_steps: usize,
    ) -> Result<Self, ScheduleError> {
        let config = settings.file;
        // diffusers reads the names of its other solvers' algorithms as its own defaults.
        let unsupported = |key, value: &str| ScheduleError::Unsupported { key, value: value.to_owned() };
        if !["dpmsolver++", "sde-dpmsolver++", "deis"].contains(&config.algorithm_type.as_str()) {
            return Err(unsupported("algorithm_type", &config.algorithm_type));
        }
        let solver_type = config.solver_type.as_deref().unwrap_or("midpoint");
        if !["midpoint", "logrho", "bh1", "bh2"].contains(&solver_type) {
            return Err(unsupported("solver_type", solver_type));
        }
        if !(1..=2).contains(&config.solver_order) {
            return Err(unsupported("solver_order", &config.solver_order.to_string()));
        }
        let levels = NoiseLevels::new(settings);
        let last = levels.unclipped(config.lambda_min_clipped);
        let rounded = settings.beta_schedule != BetaSchedule::SquaredcosCapV2;
        let schedule = levels
            .multistep(settings, last, num_inference_steps, rounded)
            .ending_at(levels.final_sigma(settings.final_sigmas_type));
        let few = schedule.timesteps.len() < FEW_STEPS;
        Ok(Self {
            schedule,
            prediction_type: config.prediction_type,
            solver_order: config.solver_order,
            stochastic,
            euler_last: config.euler_at_final
                || (config.lower_order_final && few)
                || settings.final_sigmas_type == FinalSigmasType::Zero,
            previous: None,
        })
    }
}

impl Scheduler for DPMSolverMultistepScheduler {
    fn timesteps(&self) -> &[f64] {
        &self.schedule.timesteps
    }

    fn sigmas(&self) -> &[f32] {
        &self.schedule.sigmas
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
        let (s0, t) = (Level::of(self.schedule.sigmas[i]), Level::of(self.schedule.sigmas[i + 1]));
        let x0 = self.prediction_type.of_mixed_noise(&model_output, &sample, s0.alpha, s0.sigma);
        let h = t.lambda - s0.lambda;
        // The stochastic equation forgets twice as fast, and noise makes up for it.
        let (keep, forgotten) = if self.stochastic {
            (t.sigma / s0.sigma * (-h).exp(), 1.0 - (-2.0 * h).exp())
        } else {
            (t.sigma / s0.sigma, 1.0 - (-h).exp())
        };
        let gain = t.alpha * forgotten;
        let mut next = &sample * f64::from(keep) + &x0 * f64::from(gain);

        let last = i + 1 == self.schedule.timesteps.len() && self.euler_last;
        if let Some(previous) = self.previous.take().filter(|_| self.solver_order == 2 && !last) {
            let r0 = (s0.lambda - Level::of(self.schedule.sigmas[i - 1]).lambda) / h;
            let slope = (&x0 - previous) * f64::from(1.0 / r0);
            next += slope * f64::from(0.5 * gain);
        }
        if self.stochastic {
            next += noise.like(&sample)? * f64::from(t.sigma * forgotten.sqrt());
        }
        self.previous = Some(x0);
        Ok(next)
    }
}
