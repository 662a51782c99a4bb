//! Folders in diffusers' layout, opened and taken apart tensor by tensor.
//!
//! - `model_index`: which networks the folder has, by their diffusers names
//! - `config_file`: a `config.json` whose fields are taken one by one; what is left is an error
//! - `files`: which safetensors files hold a network
//! - `weights`: the tensors of a network, taken by name and shape; what is left is an error
//! - `digest`: one hash for all the weights
//! - `error`: why a checkpoint cannot be used

mod config_file;
mod digest;
mod error;
mod files;
mod model_index;
mod weights;

pub use digest::weights_sha256;
pub(super) use digest::with_weights_sha256;
pub use error::CheckpointError;

pub(super) use config_file::ConfigFile;
pub(super) use model_index::ModelIndex;
pub(super) use weights::live::{LiveWeights, relay};
pub(super) use weights::{Scope, Weights};
