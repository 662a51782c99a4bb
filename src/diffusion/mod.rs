//! Pixels; the only room that names tch.
//!
//! - `engine`: the owner thread and the handle to it; `owner`: what lives on it; `residents`: what stays there;
//!   `together`: how many pictures are one batch
//! - `config`, `error`: what it is told, what it answers when it cannot; `render`: one picture's order
//! - `device`: device, number format and threads
//! - `pipeline`: the numbered recipe of a picture; `conditioning`, `guidance`, `image_io`: its parts
//! - `checkpoint/`: folders in diffusers' layout and single files, taken apart tensor by tensor
//! - `layers/`: what the networks are made of
//! - `lora/`: files that change the networks, merged into their weights and taken out again
//! - `text_encoders/`, `unets/`, `autoencoders/`: the networks
//! - `memory`: how much of it there is
//! - `noise`: chance, as a function of (seed, shape)
//! - `schedulers/`: one sampling algorithm a file
//! - `shim`: what tch does not wrap; this room's only unsafe code
//! - `tokenizer/`: text to token ids

mod autoencoders;
mod conditioning;
mod config;
mod device;
mod drawing;
mod engine;
mod error;
mod guidance;
mod image_io;
mod layers;
mod lora;
mod memory;
mod owner;
mod pipeline;
mod render;
mod residents;
mod text_encoders;
mod together;
mod unets;

pub mod checkpoint;
pub mod noise;
pub mod schedulers;
pub mod shim;
pub mod tokenizer;

#[cfg(test)]
mod tests;

pub use checkpoint::{Digests, FileDigest, weights_sha256};
pub use config::{Determinism, DeviceChoice, DiffusionConfig, DtypeChoice};
pub use engine::{Engine, ModelInfo, Progress, RenderSpec, Wanted};
pub use error::DiffusionError;
pub use lora::{AppliedLora, LoraChoice, LoraError};
pub use render::{RenderOptions, Rendered, Timings};
