//! What the tests of this room share.

use image::{Rgb, RgbImage};

/// Soft colours and hard edges, so that chroma subsampling shows.
pub(super) fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        if (u - 0.5).hypot(v - 0.5) < 0.3 {
            Rgb([230, (60.0 + 120.0 * u) as u8, 40])
        } else {
            Rgb([(255.0 * u) as u8, (255.0 * v) as u8, (160.0 + 80.0 * (9.0 * u).sin()) as u8])
        }
    })
}

/// How alike two pictures are; 40 and more is hard to see.
pub(super) fn psnr_db(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let square = |(x, y): (&u8, &u8)| (f64::from(*x) - f64::from(*y)).powi(2);
    let mse = a.as_raw().iter().zip(b.as_raw()).map(square).sum::<f64>() / a.as_raw().len() as f64;
    10.0 * (255.0_f64.powi(2) / mse).log10()
}
