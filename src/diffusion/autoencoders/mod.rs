//! Latents to pixels: `AutoencoderKL`, of which only the decoder is run.
//!
//! - `config`: the fields of its `config.json`
//! - `autoencoder_kl`: the whole; `decoder`: the network; `mid_attention`: its one attention layer
//! - `encoder_names`: the tensors of the encoder, known so that unknown ones are noticed

mod autoencoder_kl;
mod config;
mod decoder;
mod encoder_names;
mod mid_attention;
mod tiles;

pub(super) use autoencoder_kl::AutoencoderKL;
