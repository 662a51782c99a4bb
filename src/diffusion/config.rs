//! What the owner of a device is told: which device, which number format, how many threads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::complaints::Complaints;

/// Settings of the [`Engine`](super::Engine).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiffusionConfig {
    /// `auto` (a GPU if one can be used, else the CPU), `cpu`, or `cuda:N` with N from 0.
    pub device: DeviceChoice,
    /// `auto`, `f32`, `bf16` or `f16`. `auto` is bf16 on CUDA and on CPUs that multiply bf16 natively, else f32.
    pub dtype: DtypeChoice,
    /// Threads that one operator may use on the CPU; 0 takes all cores.
    pub threads: usize,
    /// Checkpoints kept in memory at most; the one unused for longest goes first. At least 1.
    pub resident_checkpoints: usize,
    /// Memory that checkpoints may take together, in MiB; 0 is half of the machine's on the CPU, and no bound on a GPU. One is
    /// kept however large it is.
    pub memory_budget_mb: u64,
    /// Seconds after which a checkpoint that nobody asked for leaves memory; 0 is never.
    pub idle_unload_s: u64,
    /// `auto` (on the CPU), `always` or `never`: whether a picture's bytes are the same whatever is drawn beside it, which
    /// leaves each to itself. In a batch a kernel may add up in another order; the record says how many were in it.
    pub deterministic: Determinism,
    /// Waiting pictures of the same shape that are denoised as one batch at most, where that is not ruled out by
    /// `deterministic`. At least 1.
    pub batch: usize,
    /// Pictures that may wait for the owner thread before a caller of `render` waits to hand one in.
    pub queue_depth: usize,
}

impl Default for DiffusionConfig {
    fn default() -> Self {
        Self {
            device: DeviceChoice::Auto,
            dtype: DtypeChoice::Auto,
            threads: 0,
            resident_checkpoints: 2,
            memory_budget_mb: 0,
            idle_unload_s: 900,
            deterministic: Determinism::Auto,
            batch: 4,
            queue_depth: 4,
        }
    }
}

impl DiffusionConfig {
    /// Adds what cannot work, whatever the machine. What depends on the machine is said by `Engine::start`.
    pub fn validate(&self, complaints: &mut Complaints) {
        if self.threads > 1024 {
            complaints.add("diffusion.threads", format!("{} is more than 1024", self.threads));
        }
        if self.resident_checkpoints == 0 {
            complaints.add("diffusion.resident_checkpoints", "must be at least 1");
        }
        if !(1..=MOST_TOGETHER).contains(&self.batch) {
            complaints.add("diffusion.batch", format!("must be 1 to {MOST_TOGETHER}"));
        }
        if self.dtype == DtypeChoice::F16 && self.device == DeviceChoice::Cpu {
            complaints.add("diffusion.dtype", F16_ON_CPU);
        }
    }
}

/// Measured: about 2 GFLOP/s, where bf16 reaches 700 on the same cores.
pub(super) const F16_ON_CPU: &str = "f16 is not offered on the CPU, which has no f16 kernels and would take hours for a picture; use bf16 or f32";

/// More would not fit on any card.
const MOST_TOGETHER: usize = 64;

/// Whether pictures are kept from being drawn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Determinism {
    #[default]
    Auto,
    Always,
    Never,
}

/// Where the networks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    #[default]
    Auto,
    Cpu,
    /// The index of the GPU, from 0.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("unknown device `{text}`; use auto, cpu or cuda:N")),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// The number format of the UNet and the text encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtypeChoice {
    #[default]
    Auto,
    F32,
    Bf16,
    F16,
}

impl FromStr for DtypeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "f16" => Ok(Self::F16),
            _ => Err(format!("unknown dtype `{text}`; use auto, f32, bf16 or f16")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_round_trip_through_their_text() {
        for text in ["auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
        assert!("gpu".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn every_complaint_is_made_at_once() {
        let config = DiffusionConfig {
            device: DeviceChoice::Cpu,
            dtype: DtypeChoice::F16,
            threads: 5000,
            resident_checkpoints: 0,
            memory_budget_mb: 1,
            idle_unload_s: 0,
            deterministic: Determinism::Never,
            batch: 0,
            queue_depth: 0,
        };
        let mut complaints = Complaints::default();
        config.validate(&mut complaints);
        assert_eq!(complaints.0.len(), 4);
    }
}
