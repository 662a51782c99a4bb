//! `scheduler_config.json`, with the defaults of diffusers' constructors.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::ScheduleError;

/// What a checkpoint says about its sampler: the arguments of the schedulers of diffusers 0.42.1 that are done here.
///
/// One config serves all: as with `DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)`, a key that the
/// asked class lacks is passed over and a key that the file lacks has that class's default. Where the classes do not
/// agree on a default it is `None` here, and `settings` knows theirs.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct SchedulerConfig {
    /// The class that the checkpoint names.
    #[serde(rename = "_class_name")]
    pub class_name: Option<String>,
    /// Number of noise levels the model was trained with.
    pub num_train_timesteps: usize,
    pub beta_start: Option<f64>,
    pub beta_end: Option<f64>,
    pub beta_schedule: Option<BetaSchedule>,
    /// Instead of the three above.
    pub trained_betas: Option<Vec<f64>>,
    pub prediction_type: PredictionType,
    pub timestep_spacing: Option<TimestepSpacing>,
    /// Added to each timestep under `leading`.
    pub steps_offset: i64,
    pub rescale_betas_zero_snr: bool,
    pub final_sigmas_type: FinalSigmasType,
    #[serde(deserialize_with = "null_is_false")]
    pub use_karras_sigmas: bool,
    #[serde(deserialize_with = "null_is_false")]
    pub use_exponential_sigmas: bool,
    #[serde(deserialize_with = "null_is_false")]
    pub use_beta_sigmas: bool,
    /// Ends of the Karras, exponential and beta curves; otherwise the schedule's own.
    pub sigma_min: Option<f64>,
    pub sigma_max: Option<f64>,
    /// DPM-Solver: 1 or 2. UniPC: 1 to 3.
    pub solver_order: usize,
    pub algorithm_type: String,
    pub solver_type: Option<String>,
    /// DPM-Solver: first order in the last of fewer than 15 steps. UniPC: lower orders towards the end.
    pub lower_order_final: bool,
    pub euler_at_final: bool,
    /// DPM-Solver: noise levels with a smaller log(alpha / sigma) are left out; `None` is minus infinity.
    pub lambda_min_clipped: Option<f64>,
    /// UniPC: the steps after which nothing is corrected.
    pub disable_corrector: Vec<usize>,
    /// UniPC: whether it works on the prediction of `x_0`; it must.
    pub predict_x0: bool,
    /// DDIM, LCM, Heun: whether the prediction of `x_0` is cut to plus or minus `clip_sample_range`.
    pub clip_sample: Option<bool>,
    pub clip_sample_range: f64,
    /// DDIM: whether the last step ends without noise rather than at the first trained level.
    pub set_alpha_to_one: bool,
    /// LCM: into how many steps the training was cut.
    pub original_inference_steps: usize,
    /// LCM: how fast the boundary condition is left.
    pub timestep_scaling: f64,
    interpolation_type: String,
    timestep_type: String,
    #[serde(deserialize_with = "null_is_false")]
    use_lu_lambdas: bool,
    #[serde(deserialize_with = "null_is_false")]
    use_flow_sigmas: bool,
    use_dynamic_shifting: bool,
    thresholding: bool,
    variance_type: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// How noise grows with the timestep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum BetaSchedule {
    #[serde(rename = "linear")]
    Linear,
    /// Linear in the square root: Stable Diffusion's.
    #[serde(rename = "scaled_linear")]
    ScaledLinear,
    /// The cosine of "Improved DDPM".
    #[serde(rename = "squaredcos_cap_v2")]
    SquaredcosCapV2,
}

/// What the network's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionType {
    Epsilon,
    VPrediction,
    #[serde(alias = "original_sample")]
    Sample,
}

/// Which of the trained timesteps are visited ("Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestepSpacing {
    Linspace,
    Leading,
    Trailing,
}

/// Where the last step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalSigmasType {
    Zero,
    SigmaMin,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            class_name: None,
            num_train_timesteps: 1000,
            beta_start: None,
            beta_end: None,
            beta_schedule: None,
            trained_betas: None,
            prediction_type: PredictionType::Epsilon,
            timestep_spacing: None,
            steps_offset: 0,
            rescale_betas_zero_snr: false,
            final_sigmas_type: FinalSigmasType::Zero,
            use_karras_sigmas: false,
            use_exponential_sigmas: false,
            use_beta_sigmas: false,
            sigma_min: None,
            sigma_max: None,
            solver_order: 2,
            algorithm_type: "dpmsolver++".to_owned(),
            solver_type: None,
            lower_order_final: true,
            euler_at_final: false,
            lambda_min_clipped: None,
            disable_corrector: Vec::new(),
            predict_x0: true,
            clip_sample: None,
            clip_sample_range: 1.0,
            set_alpha_to_one: true,
            original_inference_steps: 50,
            timestep_scaling: 10.0,
            interpolation_type: "linear".to_owned(),
            timestep_type: "discrete".to_owned(),
            use_lu_lambdas: false,
            use_flow_sigmas: false,
            use_dynamic_shifting: false,
            thresholding: false,
            variance_type: None,
            rest: BTreeMap::new(),
        }
    }
}

/// Keys that mean nothing to the samplers here, as other classes wrote them. The noise of DPM++ SDE is the picture's.
const HARMLESS: [&str; 11] = [
    "_diffusers_version",
    "_use_default_values",
    "dynamic_thresholding_ratio",
    "flow_shift",
    "lower_order_second",
    "noise_sampler_seed",
    "sample_max_value",
    "shift_terminal",
    "skip_prk_steps",
    "solver_p",
    "time_shift_type",
];

/// Classes whose config describes the same noise (diffusers `KarrasDiffusionSchedulers`, and LCM's).
const KARRAS_DIFFUSION_SCHEDULERS: [&str; 16] = [
    "DDIMScheduler",
    "DDPMScheduler",
    "PNDMScheduler",
    "LMSDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "DEISMultistepScheduler",
    "UniPCMultistepScheduler",
    "DPMSolverSDEScheduler",
    "EDMEulerScheduler",
    "LCMScheduler",
];

impl SchedulerConfig {
    /// Reads the text of a `scheduler_config.json`.
    ///
    /// Python writes `lambda_min_clipped` as `-Infinity`, which is not JSON; it is read as `None`.
    ///
    /// # Errors
    /// Text that is no such object, and everything that [`Self::check`] refuses.
    pub fn from_json(text: &str) -> Result<Self, ScheduleError> {
        let config: Self = serde_json::from_str(&text.replace(": -Infinity", ": null"))?;
        config.check()?;
        Ok(config)
    }

    /// Refuses what would change the picture and is not done here.
    ///
    /// # Errors
    /// A class of another kind of noise, a setting that is not supported, keys nobody knows (all of them).
    pub fn check(&self) -> Result<(), ScheduleError> {
        if let Some(name) = &self.class_name
            && !KARRAS_DIFFUSION_SCHEDULERS.contains(&name.as_str())
        {
            return Err(ScheduleError::Unsupported { key: "_class_name", value: name.clone() });
        }
        let unknown: Vec<_> =
            self.rest.keys().filter(|key| !HARMLESS.contains(&key.as_str())).cloned().collect();
        if !unknown.is_empty() {
            return Err(ScheduleError::UnknownKeys(unknown));
        }
        let switches = [
            ("use_lu_lambdas", self.use_lu_lambdas),
            ("use_flow_sigmas", self.use_flow_sigmas),
            ("use_dynamic_shifting", self.use_dynamic_shifting),
            ("thresholding", self.thresholding),
        ];
        if let Some((key, _)) = switches.into_iter().find(|(_, on)| *on) {
            return Err(ScheduleError::Unsupported { key, value: "true".to_owned() });
        }
        let curves = [self.use_karras_sigmas, self.use_exponential_sigmas, self.use_beta_sigmas];
        if curves.into_iter().filter(|on| *on).count() > 1 {
            let value = "true beside another of its kind".to_owned();
            return Err(ScheduleError::Unsupported { key: "use_..._sigmas", value });
        }
        let words = [
            ("interpolation_type", Some(&self.interpolation_type), "linear"),
            ("timestep_type", Some(&self.timestep_type), "discrete"),
            ("variance_type", self.variance_type.as_ref(), "fixed_small"),
        ];
        for (key, value, only) in words {
            if let Some(value) = value.filter(|value| *value != only) {
                return Err(ScheduleError::Unsupported { key, value: value.clone() });
            }
        }
        let betas = self.trained_betas.as_ref().map_or(self.num_train_timesteps, Vec::len);
        if betas < 2 {
            return Err(ScheduleError::Unsupported { key: "num_train_timesteps", value: betas.to_string() });
        }
        Ok(())
    }
}

/// diffusers' optional switches may be `null`.
fn null_is_false<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or(false))
}
