//! Every step from pixels to bytes, at 1344x768.
//!
//! `cargo bench --bench finish`. One thread; the fastest of 15 runs of each step, in milliseconds, and the size of what came of it.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use image::{Rgb, RgbImage};
use imgen::finish::{Fingerprint, encode, fingerprint, thumbnail};
use imgen::plan::{Format, Output};

/// Soft colours, fine texture and an edge, so that no encoder has it easy.
fn picture() -> RgbImage {
    RgbImage::from_fn(1344, 768, |x, y| {
        let (u, v) = (x as f32 / 1344.0, y as f32 / 768.0);
        let texture = 12.0 * ((x * 7 + y * 13) % 17) as f32 / 17.0;
        if (u - 0.5).hypot(v - 0.5) < 0.3 {
            Rgb([230, (60.0 + 120.0 * u + texture) as u8, 40])
        } else {
            Rgb([
                (240.0 * u + texture) as u8,
                (240.0 * v + texture) as u8,
                (160.0 + 80.0 * (9.0 * u).sin()) as u8,
            ])
        }
    })
}

fn row<T>(step: &str, bytes: impl Fn(&T) -> usize, run: impl Fn() -> T) {
    let timed = || {
        let start = Instant::now();
        let made = black_box(run());
        (start.elapsed().as_secs_f64() * 1e3, made)
    };
    let mut runs: Vec<(f64, T)> = (0..15).map(|_| timed()).collect();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (fastest_ms, made) = &runs[0];
    println!("{step:24} {fastest_ms:8.2} ms {:10} bytes", bytes(made));
}

fn main() {
    let picture = picture();
    row("PDQ", |made: &Fingerprint| made.hex.len() / 2, || fingerprint(&picture));
    for quality in [75, 85, 95] {
        let output = Output { format: Format::Jpeg, quality, lossless: false };
        row(&format!("JPEG quality {quality}"), Vec::len, || encode(&picture, &output).expect("a JPEG"));
    }
    let output = Output { format: Format::Png, quality: 95, lossless: true };
    row("PNG", Vec::len, || encode(&picture, &output).expect("a PNG"));
    row("thumbnail", |made: &RgbImage| made.as_raw().len(), || thumbnail(&picture));
}
