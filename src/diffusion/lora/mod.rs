//! Small files that change what the networks draw, merged into their weights and taken out again to the bit.
//!
//! - `file`: a safetensors file of which nothing is believed; `keys`, `metadata`: what its names and notes mean;
//!   `parts`: its tensors for one module; `lora_file`: all of it, as deltas by module
//! - `delta/`: one kind of delta a file
//! - `names`: a checkpoint's modules by every name they go by
//! - `stack`: what is merged now; `shelf`: files that were read
//! - `error`: why a file cannot be used

mod delta;
mod error;
mod file;
mod keys;
mod lora_file;
mod metadata;
mod names;
mod parts;
mod shelf;
mod stack;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::Serialize;

pub use error::LoraError;
pub(super) use shelf::{ChosenLora, LoraShelf};
pub(super) use stack::LoraStack;

/// A LoRA that a picture is to be drawn with.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraChoice {
    pub path: PathBuf,
    /// Strength in the UNet; 1 is as trained, 0 is none, below 0 is the opposite.
    pub weight: f64,
    /// Strength in both text encoders.
    pub te_weight: f64,
    /// What its SHA-256 must be, 64 hexadecimal digits; `None` for whatever it is.
    pub sha256: Option<String>,
}

impl LoraChoice {
    /// The same strength everywhere, of any file.
    pub fn new(path: impl Into<PathBuf>, weight: f64) -> Self {
        Self { path: path.into(), weight, te_weight: weight, sha256: None }
    }
}

/// A LoRA that a picture was drawn with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AppliedLora {
    /// Of the file, 64 hexadecimal digits.
    pub sha256: String,
    pub weight: f64,
    pub te_weight: f64,
}
