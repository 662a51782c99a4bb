//! Folders in diffusers' layout, opened and taken apart tensor by tensor.

mod error;

pub use error::CheckpointError;
