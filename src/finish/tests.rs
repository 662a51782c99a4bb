use image::{Rgb, RgbImage};

use super::{FinishError, encode, fingerprint, finish, thumbnail};
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

fn decode(bytes: &[u8], format: image::ImageFormat) -> RgbImage {
    image::load_from_memory_with_format(bytes, format).unwrap().into_rgb8()
}

/// Payloads of a JPEG's segments up to the scan, with their marker.
fn segments(jpeg: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    let mut at = 2;
    while jpeg[at + 1] != 0xda {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        found.push((jpeg[at + 1], &jpeg[at + 4..at + 2 + length]));
        at += 2 + length;
    }
    found
}

#[test]
fn jpeg_decodes_back_better_with_each_quality() {
    let picture = picture(321, 203);
    let mut last = 0.0;
    for (quality, floor_db) in
        [(1, 20.0), (30, 28.0), (75, 31.0), (89, 32.0), (90, 38.0), (95, 42.0), (100, 48.0)]
    {
        let bytes = encode(&picture, &output(Format::Jpeg, quality)).unwrap();
        let psnr = psnr_db(&picture, &decode(&bytes, image::ImageFormat::Jpeg));
        println!("quality {quality}: {psnr:.1} dB, {} bytes", bytes.len());
        assert!(psnr > floor_db, "quality {quality}: {psnr:.1} dB");
        assert!(psnr > last, "quality {quality} is no better than the one below");
        last = psnr;
    }
}

#[test]
fn jpeg_has_full_chroma_from_90_on() {
    for (quality, luma_sampling) in [(1, 0x22), (89, 0x22), (90, 0x11), (100, 0x11)] {
        let bytes = encode(&picture(40, 30), &output(Format::Jpeg, quality)).unwrap();
        let segments = segments(&bytes);
        // SOF0: precision, height, width, components, then (id, sampling, table) of each.
        let (_, frame) = segments.iter().find(|(marker, _)| *marker == 0xc0).expect("baseline");
        assert_eq!(
            (frame[5], frame[7], frame[10], frame[13]),
            (3, luma_sampling, 0x11, 0x11),
            "quality {quality}"
        );
    }
}

#[test]
fn jpeg_carries_the_srgb_profile() {
    let bytes = encode(&picture(40, 30), &output(Format::Jpeg, 80)).unwrap();
    let segments = segments(&bytes);
    let (_, profile) = segments.iter().find(|(_, payload)| payload.starts_with(b"ICC_PROFILE\0")).unwrap();
    assert_eq!(profile[12..14], [1, 1], "one of one");
    assert_eq!(&profile[14 + 36..14 + 40], b"acsp");
    assert_eq!(profile.len() - 14, usize::from(u16::from_be_bytes([profile[16], profile[17]])));
}

#[test]
fn quality_out_of_range_is_clamped() {
    let picture = picture(64, 64);
    let at = |quality| encode(&picture, &output(Format::Jpeg, quality)).unwrap();
    assert_eq!(at(0), at(1));
    assert_eq!(at(255), at(100));
}

#[test]
fn png_is_lossless_and_declares_srgb() {
    for (width, height) in [(1, 1), (321, 203), (1344, 768)] {
        let picture = picture(width, height);
        let bytes = encode(&picture, &output(Format::Png, 1)).unwrap();
        assert_eq!(decode(&bytes, image::ImageFormat::Png), picture);
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        assert!(decoder.read_info().unwrap().info().srgb.is_some());
    }
}

#[test]
fn a_size_that_jpeg_cannot_hold_is_an_error() {
    for (width, height) in [(0, 0), (65_536, 1)] {
        let answer = encode(&RgbImage::new(width, height), &output(Format::Jpeg, 80));
        assert!(matches!(answer, Err(FinishError::JpegSize { .. })), "{width}x{height}: {answer:?}");
    }
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
    for format in [Format::Jpeg, Format::Png] {
        let finished = finish(&picture, &output(format, 95)).unwrap();
        assert_eq!(finished.fingerprint, fingerprint(&picture));
        assert_eq!(finished.picture, encode(&picture, &output(format, 95)).unwrap());
        let small = image::load_from_memory(&finished.thumbnail).unwrap();
        assert_eq!((small.width(), small.height()), (512, 293));
        assert_eq!(
            image::guess_format(&finished.picture).unwrap(),
            image::guess_format(&finished.thumbnail).unwrap()
        );
    }
}
