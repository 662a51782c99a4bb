//! Numbers as sinusoids, and the small network over them (`diffusers/models/embeddings.py`, 0.42.1).

use tch::{Kind, Tensor};

use super::Linear;
use crate::diffusion::checkpoint::{CheckpointError, Scope};

/// The longest wavelength, in steps (`get_timestep_embedding`, `max_period`).
const MAX_PERIOD: f64 = 10_000.0;

/// `get_timestep_embedding`.
#[derive(Debug, Clone, Copy)]
pub(in crate::diffusion) struct Timesteps {
    /// Length of one embedding.
    pub(in crate::diffusion) num_channels: i64,
    /// Cosines first.
    pub(in crate::diffusion) flip_sin_to_cos: bool,
    /// `downscale_freq_shift`
    pub(in crate::diffusion) freq_shift: f64,
}

impl Timesteps {
    /// `[n]` to `[n, num_channels]`, computed in f32 whatever the network's number format.
    pub(in crate::diffusion) fn forward(&self, timesteps: &Tensor) -> Tensor {
        let half = self.num_channels / 2;
        let options = (Kind::Float, timesteps.device());
        let exponent = Tensor::arange(half, options) * -MAX_PERIOD.ln() / (half as f64 - self.freq_shift);
        let angle = timesteps.to_kind(Kind::Float).unsqueeze(-1) * exponent.exp().unsqueeze(0);
        let (sin, cos) = (angle.sin(), angle.cos());
        let both = if self.flip_sin_to_cos { [cos, sin] } else { [sin, cos] };
        Tensor::cat(&both, -1).constant_pad_nd([0, self.num_channels % 2])
    }
}

/// Linear, SiLU, linear.
#[derive(Debug)]
pub(in crate::diffusion) struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

impl TimestepEmbedding {
    pub(in crate::diffusion) fn load(
        scope: &mut Scope<'_>,
        in_channels: i64,
        time_embed_dim: i64,
    ) -> Result<Self, CheckpointError> {
        Ok(Self {
            linear_1: Linear::load(&mut scope.at("linear_1"), in_channels, time_embed_dim)?,
            linear_2: Linear::load(&mut scope.at("linear_2"), time_embed_dim, time_embed_dim)?,
        })
    }

    /// `[n, in_channels]` to `[n, time_embed_dim]`
    pub(in crate::diffusion) fn forward(&self, sample: &Tensor) -> Tensor {
        self.linear_2.forward(&self.linear_1.forward(sample).silu())
    }
}
