//! PDQ, Meta's perceptual hash: 256 bits, bit for bit those of the reference in C++.
//!
//! Source: `facebook/ThreatExchange`, `pdq/cpp` and the paper "The TMK+PDQF Video-Hashing Algorithm and the PDQ
//! Image-Hashing Algorithm". Arithmetic is f32 in the reference's order, so sums round alike. [`hash_rgb`] holds the steps:
//! - `luma`: grey from RGB
//! - `jarosz`: two passes of a box filter, then 64x64 samples; `lanes` brings eight rows beside each other for it, and
//!   `processor` picks the fastest code that runs here
//! - `gradient`: quality, from how much those samples differ
//! - `dct`: the 16x16 low frequencies
//! - `median`: what each frequency is compared with
//! - `hash256`: the bits, and the distance of two hashes

mod dct;
mod gradient;
mod hash256;
mod jarosz;
mod lanes;
mod luma;
mod median;
mod processor;

use image::RgbImage;

pub use hash256::{BadHash, Hash256};

/// Two pictures at most this many bits apart are taken for copies (the reference's recommendation).
pub const MATCH_DISTANCE: u32 = 31;

/// Hashes of a lower quality are not to be matched (the reference's recommendation).
pub const MIN_QUALITY: u8 = 50;

/// Pictures with a side below this have no hash (`MIN_HASHABLE_DIM`).
const MIN_SIDE_PX: usize = 5;

/// 64x64 grey samples, row by row.
type Samples = [[f32; 64]; 64];

/// Hash and quality (0 to 100). A side below 5 pixels gives zero for both, as in the reference.
pub fn hash_rgb(picture: &RgbImage) -> (Hash256, u8) {
    let (cols, rows) = (picture.width() as usize, picture.height() as usize);
    if rows < MIN_SIDE_PX || cols < MIN_SIDE_PX {
        return (Hash256::default(), 0);
    }
    let samples = processor::samples(picture.as_raw(), rows, cols);
    let quality = gradient::quality(&samples);
    let frequencies = dct::low_frequencies(&samples);
    let median = median::torben(&frequencies);
    (Hash256::from_bits(|at| frequencies[at] > median), quality)
}

#[cfg(test)]
mod tests;
