use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{ImageDecoder, Rgb, RgbImage};

use super::{AvifEncoder, FinishError, SRGB_ICC, encode, encode_with};
use crate::finish::decode::{DecodeLimits, decode};
use crate::finish::testing::{picture, psnr_db};
use crate::plan::{Format, Output};

const NO_LIMITS: DecodeLimits =
    DecodeLimits { max_bytes: usize::MAX, max_pixels: u64::MAX, max_side_px: u32::MAX };

fn output(format: Format, quality: u8) -> Output {
    Output { format, quality, lossless: false }
}

fn lossless(format: Format) -> Output {
    Output { format, quality: 1, lossless: true }
}

/// What a decoder of this house sees; `tests/it/formats.rs` asks others.
fn seen(bytes: &[u8]) -> RgbImage {
    decode(bytes, &NO_LIMITS).unwrap().picture
}

/// Every value of every channel, and no two neighbours alike: nothing that could be lost is missing.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |_, _| {
        Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    })
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
fn each_quality_is_better_and_larger_than_the_one_below() {
    let picture = picture(321, 203);
    for (format, floors_db) in [
        (Format::Jpeg, [20.0, 28.0, 31.0, 32.0, 38.0, 42.0, 48.0]),
        (Format::Webp, [26.0, 30.0, 33.0, 34.0, 34.0, 34.2, 34.3]),
        (Format::Avif, [22.0, 30.0, 33.0, 34.0, 38.0, 42.0, 46.0]),
    ] {
        let mut last = (0.0, 0);
        for (quality, floor_db) in [1, 30, 75, 89, 90, 95, 100].into_iter().zip(floors_db) {
            let bytes = encode(&picture, &output(format, quality)).unwrap();
            let psnr = psnr_db(&picture, &seen(&bytes));
            println!("{} {quality}: {psnr:.1} dB, {} bytes", format.name(), bytes.len());
            assert!(psnr > floor_db, "{format:?} {quality}: {psnr:.1} dB");
            assert!(psnr > last.0, "{format:?} {quality} is no better than the one below");
            assert!(bytes.len() > last.1, "{format:?} {quality} is no larger than the one below");
            last = (psnr, bytes.len());
        }
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
    for format in Format::ALL {
        let at = |quality| encode(&picture, &output(format, quality)).unwrap();
        assert_eq!(at(0), at(1), "{format:?}");
        assert_eq!(at(255), at(100), "{format:?}");
    }
}

#[test]
fn png_is_lossless_and_declares_srgb() {
    for (width, height) in [(1, 1), (321, 203), (1344, 768)] {
        let picture = picture(width, height);
        let bytes = encode(&picture, &output(Format::Png, 1)).unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().into_rgb8(), picture);
        let decoder = png::Decoder::new(Cursor::new(bytes));
        assert!(decoder.read_info().unwrap().info().srgb.is_some());
    }
}

#[test]
fn lossless_is_bit_equal() {
    for format in [Format::Png, Format::Webp, Format::Avif] {
        for (width, height) in [(1, 1), (1, 9), (17, 1), (64, 64), (321, 203)] {
            for picture in [picture(width, height), noise(width, height)] {
                let bytes = encode(&picture, &lossless(format)).unwrap();
                assert!(seen(&bytes) == picture, "{format:?} {width}x{height}");
            }
        }
        assert!(seen(&encode(&picture(1344, 768), &lossless(format)).unwrap()) == picture(1344, 768));
    }
}

#[test]
fn odd_sizes_keep_their_size() {
    for format in Format::ALL {
        for (width, height) in [(1, 1), (1, 2), (3, 1), (7, 5), (65, 63)] {
            for quality in [50, 95] {
                let bytes = encode(&picture(width, height), &output(format, quality)).unwrap();
                assert_eq!(seen(&bytes).dimensions(), (width, height), "{format:?}");
            }
        }
    }
}

#[test]
fn a_webp_carries_the_srgb_profile_in_the_extended_container() {
    for (output, kind) in [(output(Format::Webp, 80), b"VP8 "), (lossless(Format::Webp), b"VP8L")] {
        for (width, height) in [(1, 1), (321, 203)] {
            let bytes = encode(&picture(width, height), &output).unwrap();
            assert_eq!(&bytes[..4], b"RIFF");
            assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
            assert_eq!(bytes[8..20], *b"WEBPVP8X\x0a\0\0\0");
            assert_eq!(bytes[20..24], [0x20, 0, 0, 0], "a profile, and no transparency or animation");
            let side = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], 0]) + 1;
            assert_eq!((side(24), side(27)), (width, height));
            let after = 30 + 8 + SRGB_ICC.len();
            assert_eq!(bytes[after..after + 4], *kind);
            let mut decoder = WebPDecoder::new(Cursor::new(&bytes)).unwrap();
            assert_eq!(decoder.icc_profile().unwrap().unwrap(), SRGB_ICC);
        }
    }
}

#[test]
fn an_avif_declares_srgb() {
    // The colour box (ISO/IEC 23008-12): BT.709 primaries, sRGB transfer, the matrix, full range.
    for (output, matrix) in
        [(output(Format::Avif, 50), 6), (output(Format::Avif, 95), 6), (lossless(Format::Avif), 0)]
    {
        let bytes = encode(&picture(64, 48), &output).unwrap();
        let at = bytes.windows(8).position(|window| window == b"colrnclx").unwrap() + 8;
        assert_eq!(bytes[at..at + 7], [0, 1, 0, 13, 0, matrix, 0x80]);
        assert_eq!(bytes[4..12], *b"ftypavif");
    }
}

#[test]
fn a_size_that_a_format_cannot_hold_is_an_error() {
    for (format, sizes) in [
        (Format::Jpeg, [(0, 0), (65_536, 1), (1, 65_536)]),
        (Format::Webp, [(0, 0), (16_384, 1), (1, 16_384)]),
        (Format::Avif, [(0, 0), (65_537, 1), (1, 65_537)]),
    ] {
        for (width, height) in sizes {
            for lossless in [false, true] {
                let answer = encode(&RgbImage::new(width, height), &Output { format, quality: 80, lossless });
                assert!(matches!(answer, Err(FinishError::Size { .. })), "{format:?} {width}x{height}");
            }
        }
    }
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    let picture = picture(200, 120);
    for format in Format::ALL {
        for lossless in [false, true] {
            let output = Output { format, quality: 95, lossless };
            assert_eq!(encode(&picture, &output).unwrap(), encode(&picture, &output).unwrap());
        }
    }
}

#[test]
fn rav1e_writes_what_libaom_reads() {
    let picture = picture(200, 120);
    let bytes = encode_with(&picture, &output(Format::Avif, 90), AvifEncoder::Rav1e).unwrap();
    assert_ne!(bytes, encode(&picture, &output(Format::Avif, 90)).unwrap());
    let psnr = psnr_db(&seen(&bytes), &picture);
    assert!(psnr > 35.0, "{psnr:.1} dB");
    let empty = encode_with(&RgbImage::new(0, 9), &output(Format::Avif, 90), AvifEncoder::Rav1e);
    assert!(matches!(empty, Err(FinishError::Size { .. })));
}
