//! Rows side by side: the transposition that brings them there and back, eight by eight.

use wide::f32x8;

/// Rows that are summed side by side.
pub(super) const LANES: usize = 8;

/// As many values of as many rows.
pub(super) type Block = [f32x8; LANES];

/// `LANES` rows, one after the other, as columns of `LANES` values. `rows` holds `columns.len()` values a row, a multiple of `LANES`.
#[inline(always)]
pub(super) fn to_columns(rows: &[f32], columns: &mut [f32x8], transpose: impl Fn(&Block) -> Block) {
    let wide = columns.len();
    let rows: [&[[f32; LANES]]; LANES] = std::array::from_fn(|row| rows[row * wide..][..wide].as_chunks().0);
    for (at, block) in columns.as_chunks_mut().0.iter_mut().enumerate() {
        *block = transpose(&std::array::from_fn(|row| f32x8::from(rows[row][at])));
    }
}

/// The way back.
#[inline(always)]
pub(super) fn to_rows(columns: &[f32x8], rows: &mut [f32], transpose: impl Fn(&Block) -> Block) {
    let wide = columns.len();
    for (at, block) in columns.as_chunks().0.iter().enumerate() {
        for (row, values) in transpose(block).iter().enumerate() {
            rows[row * wide + at * LANES..][..LANES].copy_from_slice(values.as_array());
        }
    }
}
