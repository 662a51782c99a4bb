use image::imageops::{FilterType, crop_imm, flip_horizontal, resize, rotate90, rotate180};
use image::{Rgb, RgbImage};
use sha2::{Digest, Sha256};

use super::pattern::Pattern;
use super::{TileSpread, code};
use crate::finish::invisible_mark::{InvisibleMark, MarkError};

const PAYLOAD: u64 = 0x0123_4567_89ab_cdef;

/// Soft colours, some texture, some flat areas and hard edges.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let grain = ((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 27) as f32;
        if (u - 0.5).hypot(v - 0.5) < 0.2 {
            Rgb([230, 180, 60])
        } else if v > 0.6 {
            Rgb([(60.0 + grain) as u8, (90.0 + 60.0 * u + grain) as u8, (40.0 + grain) as u8])
        } else {
            Rgb([(200.0 * u) as u8, (160.0 + 60.0 * v) as u8, (160.0 + 60.0 * (9.0 * u).sin()) as u8])
        }
    })
}

fn marked(width: u32, height: u32) -> RgbImage {
    TileSpread::new().embed(&picture(width, height), PAYLOAD, 1.0).unwrap()
}

fn read(picture: &RgbImage) -> Option<u64> {
    TileSpread::new().detect(picture).unwrap().map(|found| found.payload)
}

#[test]
fn a_mark_is_read_at_every_size_and_hardly_changes_the_picture() {
    for size in crate::plan::SIZES {
        let (plain, marked) = (picture(size.width_px, size.height_px), marked(size.width_px, size.height_px));
        let found = TileSpread::new().detect(&marked).unwrap().unwrap();
        assert_eq!((found.payload, found.bit_errors), (PAYLOAD, 0), "{size:?}");
        assert!(
            (found.scale - 1.0).abs() < 0.01 && found.degrees.abs() < 0.2 && !found.mirrored,
            "{found:?}"
        );
        let squares =
            plain.as_raw().iter().zip(marked.as_raw()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        let psnr_db = 10.0 * (255.0f64.powi(2) * plain.as_raw().len() as f64 / squares.sum::<f64>()).log10();
        assert!(psnr_db > 44.0, "{psnr_db}");
    }
}

#[test]
fn it_survives_what_happens_to_pictures() {
    let marked = marked(1344, 768);
    assert_eq!(read(&resize(&marked, 672, 384, FilterType::CatmullRom)), Some(PAYLOAD), "halved");
    assert_eq!(read(&resize(&marked, 1008, 576, FilterType::Triangle)), Some(PAYLOAD), "three quarters");
    assert_eq!(read(&resize(&marked, 1747, 998, FilterType::CatmullRom)), Some(PAYLOAD), "enlarged");
    assert_eq!(read(&resize(&marked, 1024, 768, FilterType::CatmullRom)), Some(PAYLOAD), "pressed");
    assert_eq!(read(&crop_imm(&marked, 131, 71, 1075, 614).to_image()), Some(PAYLOAD), "cropped");
    assert_eq!(read(&flip_horizontal(&marked)), Some(PAYLOAD), "mirrored");
    assert_eq!(read(&rotate90(&marked)), Some(PAYLOAD), "on its side");
    assert_eq!(read(&rotate180(&marked)), Some(PAYLOAD), "on its head");
}

#[test]
fn a_larger_picture_is_marked_as_coarsely_as_it_is_shown() {
    let marked = marked(2688, 1536);
    assert_eq!(read(&marked), Some(PAYLOAD));
    assert_eq!(read(&resize(&marked, 1344, 768, FilterType::CatmullRom)), Some(PAYLOAD));
}

#[test]
fn nothing_is_read_where_nothing_is() {
    assert_eq!(read(&picture(1344, 768)), None);
    assert_eq!(read(&RgbImage::from_pixel(640, 480, Rgb([255, 255, 255]))), None);
    assert_eq!(read(&RgbImage::new(16, 16)), None);
    assert_eq!(read(&RgbImage::new(0, 0)), None);
}

#[test]
fn a_small_picture_is_refused() {
    let refused = TileSpread::new().embed(&RgbImage::new(127, 900), PAYLOAD, 1.0);
    assert_eq!(refused, Err(MarkError::TooSmall { width_px: 127, height_px: 900, needed_px: 128 }));
}

/// Marks out in the world can be read only as long as this holds.
#[test]
fn the_pattern_is_what_it_always_was() {
    let pattern = Pattern::new(code::CODED_BITS);
    let mut hash = Sha256::new();
    for harmonic in pattern.pilots.iter().chain(&pattern.carriers) {
        hash.update(harmonic.u.to_le_bytes());
        hash.update(harmonic.v.to_le_bytes());
        hash.update(harmonic.phase.to_le_bytes());
    }
    for bit in &pattern.bit_of {
        hash.update(bit.to_le_bytes());
    }
    assert_eq!((pattern.pilots.len(), pattern.carriers.len()), (96, 1544));
    assert_eq!(
        hex::encode(hash.finalize()),
        "84ec9df5de06ee2ab9409dc194def2301225c6b661453524501b38966f60af65"
    );
}
