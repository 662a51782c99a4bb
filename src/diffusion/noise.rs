//! All chance of the kitchen: noise as a function of (seed, shape), the same on every device and in every batch.

use tch::Tensor;

use super::shim;
pub use super::shim::ShimError;

/// Standard normal noise of `shape`, float32, on the CPU.
///
/// Equal bit for bit to `torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))` of Python's
/// torch 2.11: it is the same code (Mersenne Twister, Box-Muller over 16 numbers at a time). Each call has its own
/// generator, so that nothing drawn before can change it.
///
/// diffusers (`utils/torch_utils.py`, `randn_tensor`, 0.42.1) draws in the dtype of the prompt's embeddings. Its
/// bfloat16 and float16 draws are other numbers, for two reasons: small tensors take another number of steps of the
/// generator, and the uniform numbers are rounded before the logarithm. Here noise is always drawn in float32 and
/// cast by the caller, so that one seed is one picture whatever the dtype. In float32 the two are equal.
///
/// A batch is drawn picture by picture, each from its own seed (`(1, 4, height / 8, width / 8)` for SDXL).
///
/// # Errors
/// When the shape has a negative length or does not fit in memory.
pub fn randn(seed: u64, shape: &[i64]) -> Result<Tensor, ShimError> {
    shim::randn(seed, shape)
}
