//! What can go wrong between a plan and its pixels.

use super::checkpoint::CheckpointError;
use super::lora::LoraError;

/// Every failure of the room. Its text may name files and tensors: it is for the log, not for clients.
#[derive(Debug, thiserror::Error)]
pub enum DiffusionError {
    /// The device, number format or thread count asked for cannot be had on this machine.
    #[error("device: {0}")]
    Device(String),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Lora(#[from] LoraError),
    /// What was asked cannot be drawn by this checkpoint, such as a width its autoencoder does not divide.
    #[error("{0}")]
    Unsuitable(String),
    /// A tensor file named by the caller (initial latents) could not be read or written.
    #[error("{path}: {reason}")]
    TensorFile { path: String, reason: String },
    /// NaN or infinity where numbers were due; never shown as a black picture.
    #[error("{what} holds NaN or infinity")]
    NotFinite { what: String },
    /// `progress` returned false.
    #[error("cancelled after step {step} of {steps}")]
    Cancelled { step: u32, steps: u32 },
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// A panic under the job, mostly libtorch's own complaint; the owner thread lives on.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The owner thread has ended.
    #[error("the engine has stopped")]
    Stopped,
}

impl DiffusionError {
    /// Whether the same job could succeed on another try. Broken checkpoints and impossible sizes cannot.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Torch(_) | Self::Panicked(_) | Self::Stopped)
    }
}
