//! Jarosz's filter (boxes, twice, nearly a tent) and the 64x64 samples behind it.

use super::Samples;

/// Side of the sample grid.
const SIDE: usize = 64;

/// Passes of the box filter.
const PASSES: usize = 2;

/// Samples of a grey picture (row by row, `rows * cols` long, both at least 5).
pub(super) fn downsample(mut grey: Vec<f32>, rows: usize, cols: usize) -> Samples {
    // At exactly 64x64 the reference samples the picture unfiltered.
    if (rows, cols) != (SIDE, SIDE) {
        let mut filtered = vec![0.0; grey.len()];
        for _ in 0..PASSES {
            for (row, out) in grey.chunks_exact(cols).zip(filtered.chunks_exact_mut(cols)) {
                box_row(row, out, window(cols));
            }
            box_columns(&filtered, &mut grey, cols, window(rows));
        }
    }
    let mut samples = [[0.0; SIDE]; SIDE];
    for (i, row) in samples.iter_mut().enumerate() {
        let y = middle(i, rows);
        for (j, sample) in row.iter_mut().enumerate() {
            *sample = grey[y * cols + middle(j, cols)];
        }
    }
    samples
}

/// Pixel under the middle of cell `at` of 64 along `length` pixels.
fn middle(at: usize, length: usize) -> usize {
    ((at as f64 + 0.5) * length as f64 / SIDE as f64) as usize
}

/// Width of the box along `length` pixels: two passes of it span one cell.
fn window(length: usize) -> usize {
    length.div_ceil(2 * SIDE)
}

/// The four phases of a moving box of `full` over `length`: it grows, grows while writing, moves, shrinks.
fn phases(length: usize, full: usize) -> [usize; 4] {
    let half = (full + 2) / 2;
    [half - 1, full - half + 1, length - full, half - 1]
}

/// Moving average along one row.
fn box_row(row: &[f32], out: &mut [f32], full: usize) {
    let [grow, fill, slide, shrink] = phases(row.len(), full);
    let (mut left, mut right, mut at) = (0, 0, 0);
    let (mut sum, mut count) = (0.0_f32, 0.0_f32);
    for _ in 0..grow {
        sum += row[right];
        count += 1.0;
        right += 1;
    }
    for _ in 0..fill {
        sum += row[right];
        count += 1.0;
        out[at] = sum / count;
        (right, at) = (right + 1, at + 1);
    }
    for _ in 0..slide {
        sum += row[right];
        sum -= row[left];
        out[at] = sum / count;
        (left, right, at) = (left + 1, right + 1, at + 1);
    }
    for _ in 0..shrink {
        sum -= row[left];
        count -= 1.0;
        out[at] = sum / count;
        (left, at) = (left + 1, at + 1);
    }
}

/// The same down every column at once, a whole row per step: each column sums in the same order, and the loop
/// over columns is one that the compiler turns into vector instructions.
fn box_columns(grey: &[f32], out: &mut [f32], cols: usize, full: usize) {
    let [grow, fill, slide, shrink] = phases(grey.len() / cols, full);
    let row = |at: usize| &grey[at * cols..(at + 1) * cols];
    let (mut left, mut right, mut at) = (0, 0, 0);
    let mut sums = vec![0.0_f32; cols];
    let mut count = 0.0_f32;
    let mut write = |at: usize, sums: &[f32], count: f32| {
        let target = &mut out[at * cols..(at + 1) * cols];
        target.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum / count);
    };
    for _ in 0..grow {
        add(&mut sums, row(right));
        count += 1.0;
        right += 1;
    }
    for _ in 0..fill {
        add(&mut sums, row(right));
        count += 1.0;
        write(at, &sums, count);
        (right, at) = (right + 1, at + 1);
    }
    for _ in 0..slide {
        add(&mut sums, row(right));
        subtract(&mut sums, row(left));
        write(at, &sums, count);
        (left, right, at) = (left + 1, right + 1, at + 1);
    }
    for _ in 0..shrink {
        subtract(&mut sums, row(left));
        count -= 1.0;
        write(at, &sums, count);
        (left, at) = (left + 1, at + 1);
    }
}

fn add(sums: &mut [f32], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

fn subtract(sums: &mut [f32], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum -= value);
}
