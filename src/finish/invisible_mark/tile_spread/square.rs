//! Fourier transforms of one tile.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::pattern::{HIGHEST, TILE_PX};

/// Columns that are kept: as far as the mark reaches, and the neighbourhood of the last.
const COLUMNS: usize = (HIGHEST * TILE_PX as f32) as usize + 1 + MARGIN + 1;
/// Bins each way of a frequency in use whose mean says how loud its neighbourhood is.
pub(super) const MARGIN: usize = 3;

/// The low frequencies of a real tile: `u` below [`COLUMNS`] and every `v`. Those opposite are their conjugates.
#[derive(Debug, Clone)]
pub(super) struct Low(Vec<Complex32>);

impl Low {
    pub(super) fn new() -> Self {
        Self(vec![Complex32::default(); COLUMNS * TILE_PX])
    }

    /// `u` at most [`MARGIN`] outside of those in use, or below 0.
    pub(super) fn at(&self, u: i32, v: i32) -> Complex32 {
        if u < 0 { self.0[place(-u, -v)].conj() } else { self.0[place(u, v)] }
    }

    /// `u` not below 0.
    pub(super) fn set(&mut self, u: i32, v: i32, value: Complex32) {
        self.0[place(u, v)] = value;
    }

    /// Of the tile turned by half.
    pub(super) fn conj(&self) -> Self {
        Self(self.0.iter().map(Complex32::conj).collect())
    }
}

fn place(u: i32, v: i32) -> usize {
    u.unsigned_abs() as usize * TILE_PX + v.rem_euclid(TILE_PX as i32) as usize
}

/// The transforms; back and forth multiply by the number of points.
pub(super) struct Square {
    rows: Arc<dyn RealToComplex<f32>>,
    rows_back: Arc<dyn ComplexToReal<f32>>,
    columns: Arc<dyn Fft<f32>>,
    columns_back: Arc<dyn Fft<f32>>,
}

impl Square {
    pub(super) fn new() -> Self {
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        Self {
            rows: real.plan_fft_forward(TILE_PX),
            rows_back: real.plan_fft_inverse(TILE_PX),
            columns: complex.plan_fft_forward(TILE_PX),
            columns_back: complex.plan_fft_inverse(TILE_PX),
        }
    }

    /// Of `TILE_PX * TILE_PX` numbers, row by row.
    pub(super) fn forward(&self, tile: &mut [f32]) -> Low {
        let mut low = Low::new();
        let (mut line, mut scratch) = (self.rows.make_output_vec(), self.rows.make_scratch_vec());
        for (y, row) in tile.chunks_exact_mut(TILE_PX).enumerate() {
            if self.rows.process_with_scratch(row, &mut line, &mut scratch).is_err() {
                // Only buffers of a wrong length are refused, and these are the plan's own.
                continue;
            }
            for (u, value) in line[..COLUMNS].iter().enumerate() {
                low.0[u * TILE_PX + y] = *value;
            }
        }
        self.columns.process(&mut low.0);
        low
    }

    pub(super) fn inverse(&self, mut low: Low) -> Vec<f32> {
        self.columns_back.process(&mut low.0);
        let mut tile = vec![0.0; TILE_PX * TILE_PX];
        let (mut line, mut scratch) = (self.rows_back.make_input_vec(), self.rows_back.make_scratch_vec());
        for (y, row) in tile.chunks_exact_mut(TILE_PX).enumerate() {
            line.fill(Complex32::default());
            for (u, value) in line[..COLUMNS].iter_mut().enumerate() {
                *value = low.0[u * TILE_PX + y];
            }
            // What has no opposite has no phase.
            line[0].im = 0.0;
            if self.rows_back.process_with_scratch(&mut line, row, &mut scratch).is_err() {
                continue;
            }
        }
        tile
    }
}
