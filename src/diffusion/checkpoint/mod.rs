//! Checkpoints, opened and taken apart tensor by tensor: folders in diffusers' layout, and single files.
//!
//! - `source`: where each network of a pipeline comes from
//! - `model_index`: which networks the folder has, by their diffusers names
//! - `config_file`: a `config.json` whose fields are taken one by one; what is left is an error
//! - `files`: which safetensors files hold a network
//! - `header`: names, shapes and places of a file's tensors, checked; `entry`: one tensor, not read yet
//! - `kinds`: what a file is that is not supported
//! - `single_file/`: the layout of the original SDXL code, and its key maps
//! - `weights`: the tensors of a network, taken by name and shape; what is left is an error
//! - `digest`: one hash for all the weights; `digests`: each file's, taken once
//! - `error`: why a checkpoint cannot be used

mod config_file;
mod digest;
mod digests;
mod entry;
mod error;
mod files;
mod header;
mod kinds;
mod model_index;
mod single_file;
mod source;
mod weights;

pub(super) use digest::with_weights_sha256;
pub use digest::{FileDigest, weights_sha256};
pub use digests::Digests;
pub use error::CheckpointError;

pub(super) use config_file::ConfigFile;
pub(super) use model_index::ModelIndex;
pub(super) use source::{Checkpoint, ModelFiles, tokenizer};
pub(super) use weights::live::{LiveWeights, relay};
pub(super) use weights::{Scope, Weights};
