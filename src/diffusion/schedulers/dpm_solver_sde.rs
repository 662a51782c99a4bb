//! `DPMSolverSDEScheduler` (diffusers 0.42.1, `schedulers/scheduling_dpmsolver_sde.py`), with another Brownian path. As
//! there, betas are not rescaled to zero terminal SNR.

use tch::{Kind, Tensor};

use super::config::PredictionType;
use super::euler_ancestral_discrete::up_and_down;
use super::euler_discrete::{init_noise_sigma, scale_model_input};
use super::heun_discrete::twice;
use super::schedule::{NoiseLevels, Schedule};
use super::settings::Settings;
use super::{ScheduleError, Scheduler};
use crate::diffusion::noise::{Noise, ShimError};

/// DPM-Solver++ as a stochastic equation, of one step: to the middle between two levels (in the logarithm of sigma),
/// and from the first level again with what the network says there. The sample is `x_0 + sigma * noise`.
///
/// The noise of a step and of its first half are increments of one Brownian path with sigma as its time, so that the
/// half is a part of the whole. diffusers takes the path from torchsde's tree, seeded from the global generator; here
/// each stretch between two visited sigmas is one draw of the picture's noise, in the order of the visits.
#[derive(Debug)]
pub(super) struct DPMSolverSDEScheduler {
    /// Of evaluations: all levels but the first and the last stand twice; every second timestep is a middle's.
    schedule: Schedule,
    prediction_type: PredictionType,
    init_noise_sigma: f64,
    half_done: Option<HalfDone>,
}

#[derive(Debug)]
struct HalfDone {
    /// Before the step.
    sample: Tensor,
    /// Of the Brownian path, down to the middle.
    increment: Tensor,
}

impl DPMSolverSDEScheduler {
    /// # Errors
    /// `prediction_type = sample`, which diffusers does not have here either.
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Result<Self, ScheduleError> {
        let prediction_type = settings.file.prediction_type;
        if prediction_type == PredictionType::Sample {
            return Err(ScheduleError::Unsupported { key: "prediction_type", value: "sample".to_owned() });
        }
        let levels = NoiseLevels::new(settings);
        let visits = levels.between(settings, num_inference_steps);
        let middles = visits.sigmas.windows(2).map(|pair| {
            let middle = pair[0].ln() + (pair[1].ln() - pair[0].ln()) * 0.5;
            f64::from(levels.sigma_to_t(middle.exp()) as f32)
        });
        let middles: Vec<f64> = middles.collect();
        let mut schedule = twice(visits.ending_at(0.0));
        for (place, middle) in schedule.timesteps.iter_mut().skip(1).step_by(2).zip(middles) {
            *place = middle;
        }
        Ok(Self {
            init_noise_sigma: init_noise_sigma(settings, &schedule.sigmas),
            schedule,
            prediction_type,
            half_done: None,
        })
    }

    /// Before and after the step that evaluation `i` belongs to.
    fn ends(&self, i: usize) -> (f32, f32) {
        let first = i - i % 2;
        (self.schedule.sigmas[first], self.schedule.sigmas[first + 1])
    }

    /// What the network sees at evaluation `i`.
    fn sigma_input(&self, i: usize) -> f32 {
        let (from, to) = self.ends(i);
        if i.is_multiple_of(2) { from } else { middle(from, to) }
    }
}

/// The sigma half-way in the logarithm; float32 as there.
fn middle(from: f32, to: f32) -> f32 {
    let (t, t_next) = (-from.ln(), -to.ln());
    (-(t + (t_next - t) * 0.5)).exp()
}

/// From one sigma to a lower one, with `noise` of variance 1.
fn leap(from: f32, to: f32, sample: &Tensor, pred_original_sample: &Tensor, noise: &Tensor) -> Tensor {
    let (up, down) = up_and_down(from, to);
    // expm1(t - ancestral_t) with t = -ln(sigma)
    let fraction = (down.ln() - from.ln()).exp_m1();
    sample * f64::from(down / from) - pred_original_sample * f64::from(fraction) + noise * f64::from(up)
}

impl Scheduler for DPMSolverSDEScheduler {
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
        scale_model_input(sample, self.sigma_input(i))
    }

    fn step(
        &mut self,
        model_output: &Tensor,
        i: usize,
        sample: &Tensor,
        noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let (from, to) = self.ends(i);
        let (model_output, sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let x0 = self.prediction_type.of_added_noise(&model_output, &sample, self.sigma_input(i));
        if to == 0.0 {
            let derivative = (&sample - x0) / f64::from(from);
            return Ok(sample + derivative * f64::from(to - from));
        }
        let middle = middle(from, to);
        let fresh = noise.like(&sample)?;
        let Some(HalfDone { sample, increment }) = self.half_done.take() else {
            let next = leap(from, middle, &sample, &x0, &fresh);
            self.half_done = Some(HalfDone { sample, increment: fresh * f64::from((from - middle).sqrt()) });
            return Ok(next);
        };
        let whole = increment + fresh * f64::from((middle - to).sqrt());
        Ok(leap(from, to, &sample, &x0, &(whole / f64::from((from - to).sqrt()))))
    }
}
