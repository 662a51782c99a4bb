use image::{Rgb, RgbImage};

use super::decode::{DecodeLimits, decode};
use super::{encode, fingerprint, finish, thumbnail};
use crate::plan::{Format, Output};

fn output(format: Format, quality: u8) -> Output {
    Output { format, quality, lossless: false }
}

/// Soft colours and hard edges, so that chroma subsampling shows.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        if (u - 0.5).hypot(v - 0.5) < 0.3 {
            Rgb([230, (60.0 + 120.0 * u) as u8, 40])
        } else {
            Rgb([(255.0 * u) as u8, (255.0 * v) as u8, (160.0 + 80.0 * (9.0 * u).sin()) as u8])
        }
    })
}

fn psnr_db(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let square = |(x, y): (&u8, &u8)| (f64::from(*x) - f64::from(*y)).powi(2);
    let mse = a.as_raw().iter().zip(b.as_raw()).map(square).sum::<f64>() / a.as_raw().len() as f64;
    10.0 * (255.0_f64.powi(2) / mse).log10()
}

#[test]
fn a_thumbnail_keeps_the_shape() {
    for (size, small) in [
        ((1344, 768), (512, 293)),
        ((768, 1344), (293, 512)),
        ((1024, 1024), (512, 512)),
        ((1216, 832), (512, 350)),
        ((512, 300), (512, 300)),
        ((40, 30), (40, 30)),
        ((2000, 1), (512, 1)),
    ] {
        assert_eq!(thumbnail(&RgbImage::new(size.0, size.1)).dimensions(), small, "{size:?}");
    }
}

#[test]
fn a_thumbnail_looks_like_the_picture() {
    let small = thumbnail(&picture(1344, 768));
    let drawn_small = picture(512, 293);
    let psnr = psnr_db(&small, &drawn_small);
    assert!(psnr > 27.0, "{psnr:.1} dB");
}

#[test]
fn everything_at_once() {
    let picture = picture(1344, 768);
    for format in Format::ALL {
        let finished = finish(picture.clone(), None, &output(format, 95)).unwrap();
        assert_eq!(finished.fingerprint, fingerprint(&picture));
        assert_eq!(finished.picture, encode(&picture, &output(format, 95)).unwrap());
        let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
        let small = decode(&finished.thumbnail, &limits).unwrap();
        assert_eq!((small.format, small.picture.dimensions()), (format, (512, 293)));
        assert_eq!(decode(&finished.picture, &limits).unwrap().format, format);
    }
}
