//! Pixels; the only room that names tch.
//!
//! - `engine`: the owner thread and the handle to it; `owner`: what lives on it
//! - `config`, `error`: what it is told, what it answers when it cannot
//! - `checkpoint/`: folders in diffusers' layout, taken apart tensor by tensor
//! - `noise`: chance, as a function of (seed, shape)
//! - `schedulers/`: one sampling algorithm a file
//! - `shim`: what tch does not wrap; the only unsafe code
//! - `tokenizer/`: text to token ids

mod config;
mod engine;
mod error;
mod owner;

pub mod checkpoint;
pub mod noise;
pub mod schedulers;
pub mod shim;
pub mod tokenizer;

pub use config::{DeviceChoice, DiffusionConfig, DtypeChoice};
pub use engine::{Engine, ModelInfo, Progress, RenderSpec};
pub use error::DiffusionError;
