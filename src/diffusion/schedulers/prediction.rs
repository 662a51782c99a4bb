//! What a network's output says of the picture without noise.

use tch::Tensor;

use super::config::PredictionType;

impl PredictionType {
    /// `pred_original_sample` of the samplers whose sample is `x_0 + sigma * noise`
    /// (`schedulers/scheduling_euler_discrete.py`, `step`).
    pub(super) fn of_added_noise(self, model_output: &Tensor, sample: &Tensor, sigma: f32) -> Tensor {
        let variance = sigma * sigma + 1.0;
        match self {
            Self::Epsilon => sample - model_output * f64::from(sigma),
            Self::VPrediction => {
                model_output * f64::from(-sigma / variance.sqrt()) + sample / f64::from(variance)
            }
            Self::Sample => model_output.shallow_clone(),
        }
    }

    /// The same of those whose sample is `alpha * x_0 + sigma * noise`, of variance 1
    /// (`schedulers/scheduling_dpmsolver_multistep.py`, `convert_model_output`).
    pub(super) fn of_mixed_noise(
        self,
        model_output: &Tensor,
        sample: &Tensor,
        alpha: f32,
        sigma: f32,
    ) -> Tensor {
        let (alpha, sigma) = (f64::from(alpha), f64::from(sigma));
        match self {
            Self::Epsilon => (sample - model_output * sigma) / alpha,
            Self::VPrediction => sample * alpha - model_output * sigma,
            Self::Sample => model_output.shallow_clone(),
        }
    }
}
