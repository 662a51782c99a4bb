//! `UniPCMultistepScheduler` (diffusers 0.42.1, `schedulers/scheduling_unipc_multistep.py`): `predict_x0=True`, both
//! functions B(h), orders 1 to 3, without a `solver_p`.

use std::collections::VecDeque;

use tch::{Kind, Tensor};

use super::config::{FinalSigmasType, PredictionType};
use super::schedule::{Level, NoiseLevels, Schedule};
use super::settings::{Curve, Settings};
use super::{ScheduleError, Scheduler};
use crate::diffusion::noise::{Noise, ShimError};

/// "UniPC: A Unified Predictor-Corrector Framework": each network output first corrects the sample it was asked about,
/// then predicts the next. The sample is `alpha * x_0 + sigma * noise` of variance 1.
#[derive(Debug)]
pub(super) struct UniPCMultistepScheduler {
    schedule: Schedule,
    prediction_type: PredictionType,
    solver_order: usize,
    /// B(h) is h itself, not its exponential.
    bh1: bool,
    lower_order_final: bool,
    disable_corrector: Vec<usize>,
    /// Predictions of `x_0`, the newest first; at most `solver_order`.
    x0s: VecDeque<Tensor>,
    /// The corrected sample of the step before, and the order of its prediction.
    last: Option<(Tensor, usize)>,
}

impl UniPCMultistepScheduler {
    /// # Errors
    /// An order or solver that is not done here.
    pub(super) fn new(settings: &Settings<'_>, num_inference_steps: usize) -> Result<Self, ScheduleError> {
        let config = settings.file;
        let unsupported = |key, value: &str| ScheduleError::Unsupported { key, value: value.to_owned() };
        if !config.predict_x0 {
            return Err(unsupported("predict_x0", "false"));
        }
        if !(1..=3).contains(&config.solver_order) {
            return Err(unsupported("solver_order", &config.solver_order.to_string()));
        }
        // diffusers reads the names of its other solvers' types as its own default.
        let solver_type = config.solver_type.as_deref().unwrap_or("bh2");
        if !["bh1", "bh2", "midpoint", "heun", "logrho"].contains(&solver_type) {
            return Err(unsupported("solver_type", solver_type));
        }
        let levels = NoiseLevels::new(settings);
        let visits = levels.multistep(settings, levels.sigmas.len(), num_inference_steps, true);
        let end = match (settings.final_sigmas_type, settings.curve, visits.sigmas.last()) {
            (FinalSigmasType::SigmaMin, Curve::Karras | Curve::Exponential | Curve::Beta, Some(sigma)) => {
                *sigma as f32
            }
            (kind, _, _) => levels.final_sigma(kind),
        };
        Ok(Self {
            schedule: visits.ending_at(end),
            prediction_type: config.prediction_type,
            solver_order: config.solver_order,
            bh1: solver_type == "bh1",
            lower_order_final: config.lower_order_final,
            disable_corrector: config.disable_corrector.clone(),
            x0s: VecDeque::new(),
            last: None,
        })
    }

    /// The half that predictor and corrector share, for the step from level `from` to the next.
    fn ground(&self, from: usize, order: usize) -> Ground {
        let [s0, t] = [from, from + 1].map(|index| Level::of(self.schedule.sigmas[index]));
        let h = t.lambda - s0.lambda;
        let hh = -h;
        let h_phi_1 = hh.exp_m1();
        let b_h = if self.bh1 { hh } else { h_phi_1 };
        let mut h_phi_k = h_phi_1 / hh - 1.0;
        let mut factorial = 1.0_f32;
        let mut b = Vec::new();
        for k in 1..=order {
            b.push(h_phi_k * factorial / b_h);
            factorial *= (k + 1) as f32;
            h_phi_k = h_phi_k / hh - 1.0 / factorial;
        }
        let ratio = |back: usize| (Level::of(self.schedule.sigmas[from - back]).lambda - s0.lambda) / h;
        Ground {
            keep: t.sigma / s0.sigma,
            gain: t.alpha * h_phi_1,
            weight: t.alpha * b_h,
            ratios: (1..order).map(ratio).collect(),
            b,
        }
    }

    /// `multistep_uni_p_bh_update`: from the corrected sample of step `i` to the next.
    fn predict(&self, i: usize, sample: &Tensor, order: usize) -> Tensor {
        let ground = self.ground(i, order);
        let next = ground.first_order(sample, &self.x0s[0]);
        // Of the second order diffusers takes a simplified version.
        let rhos = if order == 2 { vec![0.5] } else { ground.rhos(order - 1) };
        match ground.differences(&self.x0s, &rhos) {
            Some(sum) => next - sum * f64::from(ground.weight),
            None => next,
        }
    }

    /// `multistep_uni_c_bh_update`: the sample of step `i` again, now that `x0` is known there.
    fn correct(&self, i: usize, x0: &Tensor, last_sample: &Tensor, order: usize) -> Tensor {
        let ground = self.ground(i - 1, order);
        let again = ground.first_order(last_sample, &self.x0s[0]);
        // Of the first order diffusers takes a simplified version.
        let rhos = if order == 1 { vec![0.5] } else { ground.rhos(order) };
        let change = (x0 - &self.x0s[0]) * f64::from(rhos[order - 1]);
        let sum = match ground.differences(&self.x0s, &rhos[..order - 1]) {
            Some(sum) => sum + change,
            None => change,
        };
        again - sum * f64::from(ground.weight)
    }
}

/// The numbers of one step, float32 as in diffusers.
struct Ground {
    /// What is left of the sample.
    keep: f32,
    /// Minus what comes of the prediction.
    gain: f32,
    /// Of the higher orders.
    weight: f32,
    /// Earlier levels' distances in steps, negative: `rks` without the last, which is 1.
    ratios: Vec<f32>,
    b: Vec<f32>,
}

impl Ground {
    fn first_order(&self, sample: &Tensor, x0: &Tensor) -> Tensor {
        sample * f64::from(self.keep) - x0 * f64::from(self.gain)
    }

    /// The weighted slopes towards earlier predictions; none at the first order.
    fn differences(&self, x0s: &VecDeque<Tensor>, rhos: &[f32]) -> Option<Tensor> {
        let earlier = x0s.iter().skip(1).zip(&self.ratios).zip(rhos);
        earlier
            .map(|((x0, ratio), rho)| (x0 - &x0s[0]) / f64::from(*ratio) * f64::from(*rho))
            .reduce(|a, b| a + b)
    }

    /// Solves the first `size` of the equations `sum over j of ratio_j^k rho_j = b_k`.
    fn rhos(&self, size: usize) -> Vec<f32> {
        let ratios: Vec<f64> =
            self.ratios.iter().map(|ratio| f64::from(*ratio)).chain([1.0]).take(size).collect();
        let mut rows: Vec<Vec<f64>> = (0..size)
            .map(|power| {
                let row = ratios.iter().map(|ratio| ratio.powi(i32::try_from(power).unwrap_or(0)));
                row.chain([f64::from(self.b[power])]).collect()
            })
            .collect();
        // Gauss and Jordan; the ratios differ, so no pivot is 0.
        for pivot in 0..size {
            let scale = rows[pivot][pivot];
            rows[pivot].iter_mut().for_each(|number| *number /= scale);
            let own = rows[pivot].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != pivot) {
                let factor = row[pivot];
                row.iter_mut().zip(&own).for_each(|(number, own)| *number -= factor * own);
            }
        }
        rows.iter().map(|row| row[size] as f32).collect()
    }
}

impl Scheduler for UniPCMultistepScheduler {
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
        _noise: &mut Noise,
    ) -> Result<Tensor, ShimError> {
        let (model_output, mut sample) = (model_output.to_kind(Kind::Float), sample.to_kind(Kind::Float));
        let level = Level::of(self.schedule.sigmas[i]);
        let x0 = self.prediction_type.of_mixed_noise(&model_output, &sample, level.alpha, level.sigma);
        if let Some((last_sample, order)) = self.last.take()
            && !self.disable_corrector.contains(&(i - 1))
        {
            sample = self.correct(i, &x0, &last_sample, order);
        }
        self.x0s.push_front(x0);
        self.x0s.truncate(self.solver_order);
        let left = self.schedule.timesteps.len() - i;
        let order = if self.lower_order_final { self.solver_order.min(left) } else { self.solver_order };
        let order = order.min(self.x0s.len());
        let next = self.predict(i, &sample, order);
        self.last = Some((sample, order));
        Ok(next)
    }
}
