//! All chance of the kitchen: noise as a function of (seed, number of the draw, shape), the same on every device and in
//! every batch.

use tch::Tensor;

use super::shim::Generator;
pub use super::shim::ShimError;

/// The noise of a batch of pictures: one stream each, from its own seed, so that none depends on those beside it.
///
/// A stream is `torch.Generator("cpu").manual_seed(seed)` of Python's torch 2.11, bit for bit: it is the same code
/// (Mersenne Twister, Box-Muller over 16 numbers at a time). As in diffusers the first draw is the initial latents,
/// and a stochastic sampler's draws go on where that ended.
///
/// diffusers (`utils/torch_utils.py`, `randn_tensor`, 0.42.1) draws in the dtype of the prompt's embeddings. Its
/// bfloat16 and float16 draws are other numbers, for two reasons: small tensors take another number of steps of the
/// generator, and the uniform numbers are rounded before the logarithm. Here noise is always drawn in float32 and
/// cast by the caller, so that one seed is one picture whatever the dtype. In float32 the two are equal.
#[derive(Debug)]
pub struct Noise {
    /// One for each picture of the batch.
    streams: Vec<Generator>,
}

impl Noise {
    /// Streams that nothing has been drawn from, one for each seed.
    ///
    /// # Errors
    /// When there is no memory for a generator.
    pub fn new(seeds: &[u64]) -> Result<Self, ShimError> {
        let streams = seeds.iter().map(|seed| Generator::new(*seed)).collect::<Result<_, _>>()?;
        Ok(Self { streams })
    }

    /// The next standard normal numbers of each stream, float32, on the CPU: `shape` is that of one picture with 1 in
    /// front (`[1, 4, height / 8, width / 8]` for SDXL), the answer has the number of pictures there.
    ///
    /// # Errors
    /// When the shape has a negative length or does not fit in memory.
    pub fn draw(&mut self, shape: &[i64]) -> Result<Tensor, ShimError> {
        let drawn =
            self.streams.iter_mut().map(|stream| stream.randn(shape)).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(&drawn, 0))
    }

    /// [`Self::draw`] in the shape and on the device of a batch of samples.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub fn like(&mut self, samples: &Tensor) -> Result<Tensor, ShimError> {
        let mut shape = samples.size();
        if let Some(pictures) = shape.first_mut() {
            *pictures = 1;
        }
        Ok(self.draw(&shape)?.to_device(samples.device()))
    }
}

/// The first draw of the stream of `seed`, of any shape.
///
/// # Errors
/// As [`Noise::draw`].
pub fn randn(seed: u64, shape: &[i64]) -> Result<Tensor, ShimError> {
    Generator::new(seed)?.randn(shape)
}
