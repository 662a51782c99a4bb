//! What one sampler makes of a checkpoint's config.

use super::config::{BetaSchedule, FinalSigmasType, SchedulerConfig, TimestepSpacing};
use crate::plan::{Algorithm, SamplerKind, Spacing};

/// A config as the class of an algorithm reads it, with the spacing that was asked for.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    /// The keys whose default is the same in every class.
    pub(super) file: &'a SchedulerConfig,
    pub(super) beta_start: f64,
    pub(super) beta_end: f64,
    pub(super) beta_schedule: BetaSchedule,
    pub(super) rescale_betas_zero_snr: bool,
    pub(super) timestep_spacing: TimestepSpacing,
    pub(super) curve: Curve,
    /// The lowest and the highest sigma of the curve; otherwise the schedule's own.
    pub(super) curve_ends: [Option<f64>; 2],
    /// Whether the steps themselves were asked for, by a timestep spacing or a curve, and not left to the checkpoint.
    pub(super) spacing_is_asked: bool,
    pub(super) final_sigmas_type: FinalSigmasType,
    /// How far from 0 the prediction of `x_0` may be, if it is clipped.
    pub(super) clip_sample: Option<f64>,
}

/// How sigmas lie between the highest and the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    /// As the timesteps have them.
    Timesteps,
    Karras,
    Exponential,
    Beta,
}

impl<'a> Settings<'a> {
    pub(super) fn new(file: &'a SchedulerConfig, kind: SamplerKind) -> Self {
        use Algorithm::{
            DDIM, DPMSolverMultistep, DPMSolverMultistepSDE, DPMSolverSDE, EulerAncestralDiscrete,
            EulerDiscrete, HeunDiscrete, LCM, UniPCMultistep,
        };
        let SamplerKind { algorithm, spacing } = kind;
        let (beta_start, beta_end) = if matches!(algorithm, HeunDiscrete | DPMSolverSDE | LCM) {
            (0.00085, 0.012)
        } else {
            (0.0001, 0.02)
        };
        let beta_schedule = if algorithm == LCM { BetaSchedule::ScaledLinear } else { BetaSchedule::Linear };
        let spaced = if matches!(algorithm, DDIM | LCM) {
            TimestepSpacing::Leading
        } else {
            TimestepSpacing::Linspace
        };
        let timestep_spacing = match spacing {
            Spacing::Trailing => TimestepSpacing::Trailing,
            Spacing::Linspace => TimestepSpacing::Linspace,
            Spacing::Leading => TimestepSpacing::Leading,
            Spacing::Own | Spacing::Karras | Spacing::Exponential | Spacing::Beta => {
                file.timestep_spacing.unwrap_or(spaced)
            }
        };
        // Not arguments of the other classes, which pass them over.
        let has_curves = !matches!(algorithm, EulerAncestralDiscrete | DDIM | LCM);
        let has_rescale = !matches!(algorithm, HeunDiscrete | DPMSolverSDE);
        let has_final_sigmas =
            matches!(algorithm, EulerDiscrete | DPMSolverMultistep | DPMSolverMultistepSDE | UniPCMultistep);
        let curve = match spacing {
            Spacing::Karras => Curve::Karras,
            Spacing::Exponential => Curve::Exponential,
            Spacing::Beta => Curve::Beta,
            Spacing::Own if has_curves => own_curve(file),
            Spacing::Own | Spacing::Trailing | Spacing::Linspace | Spacing::Leading => Curve::Timesteps,
        };
        Self {
            file,
            beta_start: file.beta_start.unwrap_or(beta_start),
            beta_end: file.beta_end.unwrap_or(beta_end),
            beta_schedule: file.beta_schedule.unwrap_or(beta_schedule),
            rescale_betas_zero_snr: has_rescale && file.rescale_betas_zero_snr,
            timestep_spacing,
            curve,
            // `DPMSolverSDEScheduler._convert_to_karras` alone does not look at them.
            curve_ends: if algorithm == DPMSolverSDE && curve == Curve::Karras {
                [None; 2]
            } else {
                [file.sigma_min, file.sigma_max]
            },
            spacing_is_asked: spacing != Spacing::Own,
            final_sigmas_type: if has_final_sigmas { file.final_sigmas_type } else { FinalSigmasType::Zero },
            clip_sample: file.clip_sample.unwrap_or(algorithm == DDIM).then_some(file.clip_sample_range),
        }
    }
}

fn own_curve(file: &SchedulerConfig) -> Curve {
    if file.use_karras_sigmas {
        Curve::Karras
    } else if file.use_exponential_sigmas {
        Curve::Exponential
    } else if file.use_beta_sigmas {
        Curve::Beta
    } else {
        Curve::Timesteps
    }
}
