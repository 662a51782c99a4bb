//! The 16x16 lowest frequencies (without the constant) of the 64x64 samples.

use std::array;
use std::f64::consts::PI;
use std::sync::LazyLock;

use super::Samples;

/// Rows 1 to 16 of the 64-point DCT-II matrix. The factor is rounded to f32 before the product, as in the reference.
static MATRIX: LazyLock<[[f32; 64]; 16]> = LazyLock::new(|| {
    let scale = f64::from((2.0_f64 / 64.0).sqrt() as f32);
    array::from_fn(|i| {
        array::from_fn(|j| {
            let angle = (PI / 2.0 / 64.0) * (i + 1) as f64 * (2 * j + 1) as f64;
            (scale * angle.cos()) as f32
        })
    })
});

/// `D * samples * D^T`, 16x16, row by row. Sums run in index order, in f32.
pub(super) fn low_frequencies(samples: &Samples) -> [f32; 256] {
    let matrix = &*MATRIX;
    let mut half = [[0.0_f32; 64]; 16];
    for (row, basis) in half.iter_mut().zip(matrix) {
        for (weight, sample_row) in basis.iter().zip(samples) {
            for (sum, sample) in row.iter_mut().zip(sample_row) {
                *sum += weight * sample;
            }
        }
    }
    array::from_fn(|at| {
        let mut sum = 0.0_f32;
        for (value, weight) in half[at / 16].iter().zip(&matrix[at % 16]) {
            sum += value * weight;
        }
        sum
    })
}
