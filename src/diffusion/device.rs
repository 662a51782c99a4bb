//! Which device the networks run on, in which number format, with how many threads.

use std::fmt;

use tch::{Cuda, Device, Kind};

use super::config::{Determinism, DeviceChoice, DiffusionConfig, DtypeChoice, F16_ON_CPU};
use super::error::DiffusionError;
use super::shim;

/// Where tensors live, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) device: Device,
    /// Of the UNet and the text encoders.
    pub(super) kind: Kind,
}

impl Placement {
    /// Settles what `config` leaves open, and sets the thread count of the calling thread. It makes the process's
    /// first torch call: CUDA must be brought in before it.
    pub(super) fn settle(config: &DiffusionConfig) -> Result<Self, DiffusionError> {
        if let Err(error) = shim::bring_in_cuda() {
            tracing::debug!(%error, "libtorch has no CUDA here");
        }
        let device = match config.device {
            DeviceChoice::Cpu => Device::Cpu,
            DeviceChoice::Auto if Cuda::is_available() => Device::Cuda(0),
            DeviceChoice::Auto => Device::Cpu,
            DeviceChoice::Cuda(index) => {
                let count = if Cuda::is_available() { Cuda::device_count() } else { 0 };
                if i64::try_from(index).is_ok_and(|index| index < count) {
                    Device::Cuda(index)
                } else {
                    let asked = config.device;
                    return Err(DiffusionError::Device(format!(
                        "{asked} was asked, {count} GPUs can be used"
                    )));
                }
            }
        };
        let kind = match (config.dtype, device) {
            (DtypeChoice::F16, Device::Cpu) => return Err(DiffusionError::Device(F16_ON_CPU.into())),
            (DtypeChoice::F16, _) => Kind::Half,
            (DtypeChoice::F32, _) => Kind::Float,
            (DtypeChoice::Auto, Device::Cpu) if !multiplies_bf16() => Kind::Float,
            (DtypeChoice::Bf16 | DtypeChoice::Auto, _) => Kind::BFloat16,
        };
        // libtorch counts the machine's cores; a container may have fewer.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if config.threads == 0 { cores } else { config.threads };
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
        Ok(Self { device, kind })
    }

    /// Whether a picture's bytes may not depend on those beside it, so that none is beside it.
    pub(super) fn is_deterministic(self, config: &DiffusionConfig) -> bool {
        match config.deterministic {
            Determinism::Auto => self.device == Device::Cpu,
            Determinism::Always => true,
            Determinism::Never => false,
        }
    }

    /// Whether networks of this size are kept twice, once as they were loaded and once packed for the CPU: where that leaves
    /// them within `budget_bytes`.
    pub(super) fn packs(self, bytes: u64, budget_bytes: u64) -> bool {
        self.device == Device::Cpu && self.kind == Kind::BFloat16 && bytes.saturating_mul(2) <= budget_bytes
    }

    /// The decoder's number format. On the CPU it is always f32: it is a small part of a picture's time, and its
    /// last layers are what the eye sees. On a GPU the checkpoint decides.
    pub(super) fn decoder_kind(self, force_upcast: bool) -> Kind {
        if self.device == Device::Cpu || force_upcast { Kind::Float } else { self.kind }
    }

    /// `f32`, `bf16` or `f16`.
    pub(super) fn dtype(self) -> &'static str {
        match self.kind {
            Kind::BFloat16 => "bf16",
            Kind::Half => "f16",
            _ => "f32",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device {
            Device::Cuda(index) => write!(f, "cuda:{index}"),
            _ => f.write_str("cpu"),
        }
    }
}

/// Whether this CPU has instructions that multiply bf16. Those with AMX have these too. Without them bf16 is slower
/// than f32.
fn multiplies_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}
