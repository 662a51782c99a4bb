//! Luma as floats, and means over boxes.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma, RgbImage};

/// One number a pixel, row by row.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) data: Vec<f32>,
}

impl Plane {
    /// Luma of BT.601, 0 to 255.
    pub(super) fn luma(picture: &RgbImage) -> Self {
        let luma = |c: &[u8]| 0.299 * f32::from(c[0]) + 0.587 * f32::from(c[1]) + 0.114 * f32::from(c[2]);
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            data: picture.as_raw().chunks_exact(3).map(luma).collect(),
        }
    }

    pub(super) fn long_side(&self) -> usize {
        self.width.max(self.height)
    }

    /// With another long side, its shape kept; for values of 0 to 255.
    pub(super) fn resized(mut self, long_side: usize) -> Self {
        let factor = long_side as f64 / self.long_side() as f64;
        let side = |px: usize| ((px as f64 * factor).round() as u32).max(1);
        let (width, height) = (side(self.width), side(self.height));
        let (w, h) = (self.width as u32, self.height as u32);
        // The resizer holds floats to 0 to 1.
        self.data.iter_mut().for_each(|value| *value /= 255.0);
        let resized = ImageBuffer::<Luma<f32>, _>::from_raw(w, h, self.data)
            .map(|buffer| resize(&buffer, width, height, FilterType::CatmullRom));
        // The buffer holds exactly width x height numbers.
        let mut data = resized.map(ImageBuffer::into_raw).unwrap_or_default();
        data.iter_mut().for_each(|value| *value *= 255.0);
        Self { width: width as usize, height: height as usize, data }
    }

    /// Half as large, each number the mean of four; an odd last row or column is left out.
    pub(super) fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut data = Vec::with_capacity(width * height);
        for two in self.data.chunks_exact(2 * self.width) {
            let (upper, lower) = two.split_at(self.width);
            let means = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            data.extend(means.map(|(a, b)| 0.25 * (a[0] + a[1] + b[0] + b[1])));
        }
        Self { width, height, data }
    }

    /// A plane of the same size, made of two.
    pub(super) fn zip(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect();
        Self { width: self.width, height: self.height, data }
    }

    /// Mean over `2 * radius + 1` pixels each way; the edges count on outside.
    pub(super) fn box_mean(&self, radius: usize) -> Self {
        let (w, h) = (self.width, self.height);
        let share = 1.0 / (2 * radius + 1) as f32;
        let reach = -(radius as isize)..=radius as isize;
        let within = |i: isize, len: usize| i.clamp(0, len as isize - 1) as usize;
        let mut rows = vec![0.0f32; w * h];
        for (line, out) in self.data.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
            let mut sum: f64 = reach.clone().map(|i| f64::from(line[within(i, w)])).sum();
            for (x, out) in out.iter_mut().enumerate() {
                *out = sum as f32 * share;
                sum +=
                    f64::from(line[(x + radius + 1).min(w - 1)]) - f64::from(line[x.saturating_sub(radius)]);
            }
        }
        let row = |y: usize| &rows[y * w..][..w];
        let mut sums = vec![0.0f64; w];
        for i in reach {
            sums.iter_mut().zip(row(within(i, h))).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        let mut data = vec![0.0f32; w * h];
        for (y, out) in data.chunks_exact_mut(w).enumerate() {
            out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = sum as f32 * share);
            let (enters, leaves) = (row((y + radius + 1).min(h - 1)), row(y.saturating_sub(radius)));
            for ((sum, &enters), &leaves) in sums.iter_mut().zip(enters).zip(leaves) {
                *sum += f64::from(enters) - f64::from(leaves);
            }
        }
        Self { width: w, height: h, data }
    }
}
