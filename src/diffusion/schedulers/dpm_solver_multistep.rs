//! `DPMSolverMultistepScheduler` (diffusers 0.42.1, `schedulers/scheduling_dpmsolver_multistep.py`):
//! `algorithm_type="dpmsolver++"`, `solver_type="midpoint"`, `solver_order` 1 or 2.

use tch::{Kind, Tensor};

use super::config::{FinalSigmasType, PredictionType, SchedulerConfig, TimestepSpacing};
use super::schedule::{NoiseLevels, Schedule, karras, leading, linspace, trailing};
use super::{ScheduleError, Scheduler};

/// Fewer steps than this and `lower_order_final` applies.
const FEW_STEPS: usize = 15;

/// DPM-Solver++ with two points ("DPM-Solver++: Fast Solver for Guided Sampling", algorithm 2). The sample is
/// `alpha * x_0 + sigma * noise` of variance 1, so that the model's input is the sample itself.
#[derive(Debug)]
pub struct DPMSolverMultistepScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    solver_order: usize,
    /// Whether the last step is of first order.
    euler_last: bool,
    /// The prediction of `x_0` one step ago.
    previous: Option<Tensor>,
}

impl DPMSolverMultistepScheduler {
    /// `set_timesteps(num_inference_steps)` of a scheduler made from `config`, which was checked.
    ///
    /// # Errors
    /// An algorithm, solver or order that is not done here.
    pub fn new(
        config: &SchedulerConfig,
        use_karras_sigmas: bool,
        num_inference_steps: usize,
    ) -> Result<Self, ScheduleError> {
        // diffusers reads the names of its other solvers' algorithms as its own defaults.
        let unsupported = |key, value: &str| ScheduleError::Unsupported { key, value: value.to_owned() };
        if !["dpmsolver++", "deis"].contains(&config.algorithm_type.as_str()) {
            return Err(unsupported("algorithm_type", &config.algorithm_type));
        }
        if !["midpoint", "logrho", "bh1", "bh2"].contains(&config.solver_type.as_str()) {
            return Err(unsupported("solver_type", &config.solver_type));
        }
        if !(1..=2).contains(&config.solver_order) {
            return Err(unsupported("solver_order", &config.solver_order.to_string()));
        }
        let schedule = schedule(config, use_karras_sigmas, num_inference_steps);
        let few = schedule.timesteps.len() < FEW_STEPS;
        Ok(Self {
            schedule,
            prediction_type: config.prediction_type,
            solver_order: config.solver_order,
            euler_last: config.euler_at_final
                || (config.lower_order_final && few)
                || config.final_sigmas_type == FinalSigmasType::Zero,
            previous: None,
        })
    }

    fn predict_x0(&self, model_output: Tensor, i: usize, sample: &Tensor) -> Tensor {
        let level = Level::of(self.schedule.sigmas[i]);
        match self.prediction_type {
            PredictionType::Epsilon => {
                (sample - model_output * f64::from(level.sigma)) / f64::from(level.alpha)
            }
            PredictionType::VPrediction => {
                sample * f64::from(level.alpha) - model_output * f64::from(level.sigma)
            }
            PredictionType::Sample => model_output,
        }
    }
}

fn schedule(config: &SchedulerConfig, use_karras_sigmas: bool, count: usize) -> Schedule {
    let levels = NoiseLevels::new(config);
    let trained = levels.sigmas.len();
    let last = levels.unclipped(config.lambda_min_clipped);
    let (timesteps, sigmas) = if use_karras_sigmas {
        let sigma_min = config.sigma_min.unwrap_or(f64::from(levels.sigmas[0]));
        let sigma_max = config.sigma_max.unwrap_or(f64::from(levels.sigmas[trained - 1]));
        let sigmas = karras(sigma_min, sigma_max, count);
        let whole = config.beta_schedule != super::config::BetaSchedule::SquaredcosCapV2;
        let timestep = |sigma: &f64| {
            let t = levels.sigma_to_t(*sigma);
            if whole { t.round_ties_even() } else { t.trunc() }
        };
        (sigmas.iter().map(timestep).collect(), sigmas)
    } else {
        let timesteps: Vec<f64> = match config.timestep_spacing {
            TimestepSpacing::Linspace => {
                let up = linspace(0.0, last as f64 - 1.0, count + 1);
                up.into_iter().skip(1).rev().map(f64::round_ties_even).collect()
            }
            TimestepSpacing::Leading => leading(last / (count + 1), 1, count, config.steps_offset),
            TimestepSpacing::Trailing => trailing(last, trained, count),
        };
        let sigmas = timesteps.iter().map(|t| levels.sigma_at(*t)).collect();
        (timesteps, sigmas)
    };
    let mut sigmas: Vec<f32> = sigmas.into_iter().map(|sigma| sigma as f32).collect();
    sigmas.push(levels.final_sigma(config.final_sigmas_type));
    Schedule { timesteps, sigmas }
}

/// A noise level split so that the variance is 1 (`_sigma_to_alpha_sigma_t`); float32 as in diffusers.
struct Level {
    alpha: f32,
    sigma: f32,
    /// Half the logarithm of the signal-to-noise ratio; infinite without noise.
    lambda: f32,
}

impl Level {
    fn of(sigma: f32) -> Self {
        let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
        let sigma = sigma * alpha;
        Self { alpha, sigma, lambda: alpha.ln() - sigma.ln() }
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

    fn step(&mut self, model_output: &Tensor, i: usize, sample: &Tensor) -> Tensor {
        let sample = sample.to_kind(Kind::Float);
        let x0 = self.predict_x0(model_output.to_kind(Kind::Float), i, &sample);
        let (s0, t) = (Level::of(self.schedule.sigmas[i]), Level::of(self.schedule.sigmas[i + 1]));
        let h = t.lambda - s0.lambda;
        let gain = t.alpha * ((-h).exp() - 1.0);
        let mut next = sample * f64::from(t.sigma / s0.sigma) - &x0 * f64::from(gain);

        let last = i + 1 == self.schedule.timesteps.len() && self.euler_last;
        if let Some(previous) = self.previous.take().filter(|_| self.solver_order == 2 && !last) {
            let r0 = (s0.lambda - Level::of(self.schedule.sigmas[i - 1]).lambda) / h;
            let slope = (&x0 - previous) * f64::from(1.0 / r0);
            next -= slope * f64::from(0.5 * gain);
        }
        self.previous = Some(x0);
        next
    }
}
