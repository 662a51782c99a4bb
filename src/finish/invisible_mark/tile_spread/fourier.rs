//! Fourier transform of a whole picture.

use realfft::RealFftPlanner;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use super::super::plane::Plane;

/// Magnitudes of a picture's lowest frequencies, each in parts of those around it.
pub(super) struct Spectrum {
    /// Sides of the transform, padded with nothing.
    full: (f32, f32),
    columns: usize,
    /// Row of frequency 0.
    middle: f32,
    magnitudes: Plane,
}

/// Magnitudes count up to so many times those around them: one line of a fence is no mark.
const CAP: f32 = 4.0;
/// What "around" means, in bins each way.
const AROUND_BINS: usize = 12;

impl Spectrum {
    /// Frequencies up to `highest`, in cycles a pixel.
    pub(super) fn of(plane: &Plane, highest: f32) -> Self {
        let (wide, high) = (good_size(plane.width), good_size(plane.height));
        let bins = |side: usize| (highest * side as f32).ceil() as usize + 2;
        let columns = bins(wide).min(wide / 2) + 1;
        let middle = bins(high).min(high / 2 - 1);
        let along = RealFftPlanner::<f32>::new().plan_fft_forward(wide);
        let (mut line, mut spectrum) = (along.make_input_vec(), along.make_output_vec());
        let mut scratch = along.make_scratch_vec();
        // One column after the other, as the second pass wants them.
        let mut turned = vec![Complex32::default(); columns * high];
        for (y, row) in plane.data.chunks_exact(plane.width).enumerate() {
            line[..plane.width].copy_from_slice(row);
            line[plane.width..].fill(0.0);
            if along.process_with_scratch(&mut line, &mut spectrum, &mut scratch).is_err() {
                // Only buffers of a wrong length are refused, and these are the plan's own.
                continue;
            }
            for (u, value) in spectrum[..columns].iter().enumerate() {
                turned[u * high + y] = *value;
            }
        }
        FftPlanner::new().plan_fft_forward(high).process(&mut turned);
        let rows = 2 * middle + 1;
        let mut data = vec![0.0; columns * rows];
        for (u, column) in turned.chunks_exact(high).enumerate() {
            for row in 0..rows {
                data[row * columns + u] = column[(row + high - middle) % high].norm();
            }
        }
        let raw = Plane { width: columns, height: rows, data };
        let around = raw.box_mean(AROUND_BINS);
        Self {
            full: (wide as f32, high as f32),
            columns,
            middle: middle as f32,
            magnitudes: raw.zip(&around, |value, around| (value / around.max(1e-12)).min(CAP)),
        }
    }

    /// The magnitude next to a frequency in cycles a pixel; about 1 where there is nothing but picture.
    pub(super) fn at(&self, fx: f32, fy: f32) -> Option<f32> {
        // Real pictures have the same magnitude at the opposite frequency.
        let (fx, fy) = if fx < 0.0 { (-fx, -fy) } else { (fx, fy) };
        let (u, v) = (fx * self.full.0 + 0.5, fy * self.full.1 + self.middle + 0.5);
        if u >= self.columns as f32 || v < 0.0 {
            return None;
        }
        self.magnitudes.data.get(v as usize * self.columns + u as usize).copied()
    }
}

/// The next even number with no prime factor above 5.
fn good_size(side: usize) -> usize {
    let smooth = |mut m: usize| {
        for p in [2, 3, 5] {
            while m.is_multiple_of(p) {
                m /= p;
            }
        }
        m == 1
    };
    (side.max(2)..).find(|&m| m.is_multiple_of(2) && smooth(m)).unwrap_or(side)
}
