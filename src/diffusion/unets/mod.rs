//! The network that predicts noise: `UNet2DConditionModel` as SDXL configures it.
//!
//! - `config`: the fields of its `config.json`
//! - `unet_2d_condition`: the whole; `prepared`: what does not depend on the latents, computed once per picture
//! - `blocks`: down, middle and up blocks; `resnet`, `transformer_2d`: what they are made of

mod blocks;
mod config;
mod prepared;
mod transformer_2d;
mod unet_2d_condition;

pub(super) use prepared::AddedCondKwargs;
pub(super) use unet_2d_condition::UNet2DConditionModel;
