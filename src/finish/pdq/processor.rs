//! The samples of a picture, by what the processor can do. The only file of this room with `unsafe` in it.

#![allow(unsafe_code, reason = "code for AVX2 may be entered only where the processor was asked for it")]

use wide::f32x8;

use super::Samples;
use super::jarosz::downsample;
use super::lanes::Block;

/// 64x64 samples of a picture in packed 8-bit RGB (row by row, `rows` and `cols` both at least 5).
pub(super) fn samples(rgb: &[u8], rows: usize, cols: usize) -> Samples {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { samples_avx2(rgb, rows, cols) };
    }
    samples_anywhere(rgb, rows, cols)
}

pub(super) fn samples_anywhere(rgb: &[u8], rows: usize, cols: usize) -> Samples {
    downsample(rgb, rows, cols, |block: &Block| f32x8::transpose(*block))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn samples_avx2(rgb: &[u8], rows: usize, cols: usize) -> Samples {
    downsample(rgb, rows, cols, |block: &Block| transpose_avx2(block))
}

/// Pairs of rows, then fours, then halves change places.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn transpose_avx2(block: &Block) -> Block {
    use std::arch::x86_64::{
        __m256, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    let [a, b, c, d, e, f, g, h]: [__m256; 8] = bytemuck::cast(*block);
    let pairs = |a, b| (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let fours = |(low_a, high_a): (__m256, __m256), (low_b, high_b): (__m256, __m256)| {
        [
            _mm256_shuffle_ps::<0x44>(low_a, low_b),
            _mm256_shuffle_ps::<0xee>(low_a, low_b),
            _mm256_shuffle_ps::<0x44>(high_a, high_b),
            _mm256_shuffle_ps::<0xee>(high_a, high_b),
        ]
    };
    let (top, bottom) = (fours(pairs(a, b), pairs(c, d)), fours(pairs(e, f), pairs(g, h)));
    let transposed: [__m256; 8] = std::array::from_fn(|x| {
        let (top, bottom) = (top[x % 4], bottom[x % 4]);
        if x < 4 {
            _mm256_permute2f128_ps::<0x20>(top, bottom)
        } else {
            _mm256_permute2f128_ps::<0x31>(top, bottom)
        }
    });
    bytemuck::cast(transposed)
}
