//! The noise that a lone file was trained on: SDXL's own, unless the file says otherwise.

use super::super::CheckpointError;
use super::super::header::Header;
use crate::diffusion::schedulers::{BetaSchedule, PredictionType, SchedulerConfig, TimestepSpacing};

/// A tensor of no meaning but its name: the UNet predicts v (ComfyUI, `comfy/supported_models.py`, `SDXL.model_type`).
pub(super) const V_PRED: &str = "v_pred";

/// Beside [`V_PRED`]: trained with a terminal signal-to-noise ratio of zero.
pub(super) const ZTSNR: &str = "ztsnr";

/// What the metadata calls it (<https://github.com/Stability-AI/ModelSpec>, 1.0.1).
const PREDICTION_TYPE: &str = "modelspec.prediction_type";

/// `stable-diffusion-xl-base-1.0`, `scheduler/scheduler_config.json`, with what the file's marks or, without them, its
/// metadata say. With zero terminal SNR the first step is the last that was trained, as `trailing` has it and "Common
/// Diffusion Noise Schedules and Sample Steps are Flawed" (section 3.3) asks: `leading` would never begin in pure noise.
pub(super) fn config(header: &Header) -> Result<SchedulerConfig, CheckpointError> {
    let has = |name: &str| header.tensors.contains_key(name);
    let said = header.metadata.get(PREDICTION_TYPE).map(|text| text.to_lowercase());
    let prediction_type = match said.as_deref() {
        _ if has(V_PRED) => PredictionType::VPrediction,
        None | Some("" | "epsilon" | "eps") => PredictionType::Epsilon,
        Some("v" | "v_prediction" | "v-prediction" | "v_pred") => PredictionType::VPrediction,
        Some(other) => {
            return Err(CheckpointError::Config {
                path: header.path.display().to_string(),
                field: PREDICTION_TYPE.to_owned(),
                reason: format!("`{other}` is not supported, only epsilon and v"),
            });
        }
    };
    let mut config = SchedulerConfig::default();
    config.class_name = Some("EulerDiscreteScheduler".to_owned());
    config.beta_schedule = Some(BetaSchedule::ScaledLinear);
    (config.beta_start, config.beta_end) = (Some(0.00085), Some(0.012));
    config.prediction_type = prediction_type;
    config.timestep_spacing = Some(TimestepSpacing::Leading);
    config.steps_offset = 1;
    if has(ZTSNR) && prediction_type == PredictionType::VPrediction {
        config.rescale_betas_zero_snr = true;
        config.timestep_spacing = Some(TimestepSpacing::Trailing);
    }
    Ok(config)
}
