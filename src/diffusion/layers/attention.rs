//! Scaled dot-product attention, by the fastest way on the device.

use std::sync::OnceLock;

use tch::{Device, Kind, Tensor};

/// Queries taken at once in [`by_chunks`]: their scores stay in the second-level cache.
const CHUNK: i64 = 128;

/// Keys and values of one attention layer, each `[batch, heads, length, head_dim]`.
#[derive(Debug)]
pub(in crate::diffusion) struct KeyValue {
    pub(in crate::diffusion) key: Tensor,
    pub(in crate::diffusion) value: Tensor,
}

/// `[batch, length, PARTS * heads * head_dim]` to one `[batch, heads, length, head_dim]` a part, each contiguous.
pub(in crate::diffusion) fn split_heads<const PARTS: usize>(joined: &Tensor, heads: i64) -> [Tensor; PARTS] {
    let (batch, length) = (joined.size()[0], joined.size()[1]);
    let parts = joined.view([batch, length, PARTS as i64, heads, -1]).permute([2, 0, 3, 1, 4]).contiguous();
    std::array::from_fn(|part| parts.select(0, part as i64))
}

/// `softmax(query key' / sqrt(head_dim)) value` for `[batch, heads, length, head_dim]`, heads joined again to
/// `[batch, length, heads * head_dim]`.
///
/// libtorch's fused kernel is the best there is on CUDA, for f32, and for bf16 on CPUs with AMX (503 ms in place of 1,206 by
/// hand, 10 heads of 64 over 4096 tokens twice, on one busy core). On other CPUs it is no bf16 kernel: by hand it takes half the
/// time (127 ms in place of 267).
pub(in crate::diffusion) fn attend(query: &Tensor, keys: &KeyValue) -> Tensor {
    let by_hand = query.device() == Device::Cpu && query.kind() == Kind::BFloat16 && !has_amx();
    let heads = if by_hand {
        by_chunks(query, keys)
    } else {
        let (key, value) = (&keys.key, &keys.value);
        Tensor::scaled_dot_product_attention(query, key, value, None::<Tensor>, 0.0, false, None, false)
    };
    heads.transpose(1, 2).flatten(2, 3)
}

/// Whether this CPU multiplies tiles of bf16, which libtorch's fused kernel then does.
fn has_amx() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static FOUND: OnceLock<bool> = OnceLock::new();
        // Bit 22 of leaf 7 is AMX-BF16. The standard library does not name it yet.
        *FOUND.get_or_init(|| std::arch::x86_64::__cpuid_count(7, 0).edx & (1 << 22) != 0)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Each chunk of queries against all keys; no `length` x `length` matrix is ever whole.
fn by_chunks(query: &Tensor, keys: &KeyValue) -> Tensor {
    let size = query.size();
    let (length, head_dim) = (size[2], size[3]);
    let query = (query * (head_dim as f64).sqrt().recip()).flatten(0, 1);
    let key = keys.key.flatten(0, 1).transpose(1, 2);
    let value = keys.value.flatten(0, 1);
    let chunks: Vec<Tensor> = (0..length)
        .step_by(CHUNK as usize)
        .map(|start| {
            let scores = query.narrow(1, start, CHUNK.min(length - start)).bmm(&key);
            scores.softmax(-1, None::<Kind>).bmm(&value)
        })
        .collect();
    Tensor::cat(&chunks, 1).view(size.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::noise::randn;

    /// The two ways agree: f32 takes libtorch's kernel, and the same numbers by chunks give the same result.
    #[test]
    fn chunks_give_what_the_fused_kernel_gives() {
        for length in [1, 77, 128, 300] {
            let query = randn(1, &[2, 3, length, 16]).unwrap();
            let keys = KeyValue {
                key: randn(2, &[2, 3, 50, 16]).unwrap(),
                value: randn(3, &[2, 3, 50, 16]).unwrap(),
            };
            let fused = attend(&query, &keys);
            let by_hand = by_chunks(&query, &keys).transpose(1, 2).flatten(2, 3);
            assert_eq!(fused.size(), [2, length, 48]);
            assert!((fused - by_hand).abs().max().double_value(&[]) < 1e-6);
        }
    }
}
