//! Pixels; the only room that names tch.
//!
//! - `engine`: the owner thread and the handle to it; `owner`: what lives on it
//! - `config`, `error`: what it is told, what it answers when it cannot
//! - `checkpoint/`: folders in diffusers' layout, taken apart tensor by tensor

mod config;
mod engine;
mod error;
mod owner;

pub mod checkpoint;

pub use config::{DeviceChoice, DiffusionConfig, DtypeChoice};
pub use engine::{Engine, ModelInfo, Progress, RenderSpec};
pub use error::DiffusionError;
