//! The layers that every network is made of. Each holds its tensors and computes; none holds state but what it has packed.
//!
//! Pictures are `[batch, channels, height, width]` stored channels-last, sequences `[batch, length, channels]`.
//!
//! - `packed`: a linear layer's weight once more, as the CPU multiplies it
//! - `linear`, `conv`, `norm`: one layer each, loaded from a [`Scope`](super::checkpoint::Scope)
//! - `attention`: scaled dot products, by the fastest way on the device
//! - `resnet`: the residual block of UNet and autoencoder
//! - `sampling`: doubling of a picture's sides
//! - `timestep`: sinusoidal embeddings and the two-layer network over them

mod attention;
mod conv;
mod linear;
mod norm;
mod packed;
mod resnet;
mod sampling;
mod timestep;

pub(super) use attention::{KeyValue, attend, split_heads};
pub(super) use conv::{Conv2d, channels_last};
pub(super) use linear::Linear;
pub(super) use norm::{GroupNorm, LayerNorm};
pub(super) use packed::{may_pack, weights_changed};
pub(super) use resnet::ResnetBlock2D;
pub(super) use sampling::Upsample2D;
pub(super) use timestep::{TimestepEmbedding, Timesteps};
