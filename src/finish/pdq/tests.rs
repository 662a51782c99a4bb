use std::path::Path;

use image::RgbImage;

use super::luma::luma;
use super::{BadHash, Hash256, MIN_SIDE_PX, hash_rgb, processor};
use crate::finish::decode::{DecodeLimits, decode};
use crate::plan::{Format, Output};

/// Pictures with Meta's hash and quality; `make_pdq.py` beside them makes all of it.
fn golden() -> Vec<(String, RgbImage, Hash256, u8)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pdq");
    let table = std::fs::read_to_string(folder.join("pdq.txt")).unwrap();
    let row = |line: &str| {
        let [name, hash, quality] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let picture = image::open(folder.join(format!("{name}.png"))).unwrap().into_rgb8();
        (name.to_owned(), picture, hash.parse().unwrap(), quality.parse().unwrap())
    };
    table.lines().map(row).collect()
}

#[test]
fn equal_to_the_reference_bit_for_bit() {
    let golden = golden();
    assert!(golden.len() >= 20);
    for (name, picture, hash, quality) in golden {
        assert_eq!(hash_rgb(&picture), (hash, quality), "{name}");
        let (rows, cols) = (picture.height() as usize, picture.width() as usize);
        if rows >= MIN_SIDE_PX && cols >= MIN_SIDE_PX {
            let anywhere = processor::samples_anywhere(picture.as_raw(), rows, cols);
            assert_eq!(processor::samples(picture.as_raw(), rows, cols), anywhere, "{name}");
        }
    }
}

/// The reference's sum, in f64 and then rounded, of each of the 2^24 colours.
#[test]
fn grey_is_the_references_for_every_colour() {
    let byte = |at: u32, shift: u32| (at >> shift) as u8;
    let mut grey = [0.0];
    for colour in 0..1_u32 << 24 {
        let rgb = [byte(colour, 16), byte(colour, 8), byte(colour, 0)];
        luma(&rgb, &mut grey);
        let [r, g, b] = rgb.map(f64::from);
        assert_eq!(grey[0], (0.299 * r + 0.587 * g + 0.114 * b) as f32, "{rgb:?}");
    }
}

#[test]
fn a_picture_without_pixels_has_no_hash() {
    assert_eq!(hash_rgb(&RgbImage::new(0, 0)), (Hash256::default(), 0));
}

#[test]
fn copies_are_near_and_others_far() {
    let golden = golden();
    let find = |wanted: &str| &golden.iter().find(|row| row.0 == wanted).unwrap().1;
    let distance = |a: &RgbImage, b: &RgbImage| hash_rgb(a).0.distance(&hash_rgb(b).0);
    for name in ["scene_768x1344", "scene_1024x1024", "soft_257x191"] {
        let picture = find(name);
        let output = Output { format: Format::Jpeg, quality: 50, lossless: false };
        let bytes = crate::finish::encode(picture, &output).unwrap();
        let copy = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let apart = distance(picture, &copy);
        assert!(apart <= super::MATCH_DISTANCE, "{name}: {apart}");
        let apart = distance(picture, find("noise_128x128"));
        assert!(apart > 80, "{name}: {apart}");
    }
}

/// What a stranger computes of a delivered file is near what is stored of its pixels: within 10 bits where the hash says
/// enough (quality 80 and more, at a size that is delivered), and a match in any case.
#[test]
fn an_encoded_picture_keeps_its_hash() {
    let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
    let (mut tried, mut telling) = (0, 0);
    for (name, picture, hash, quality) in golden() {
        // Noise, rings and checkers average out to grey, so that their hashes are of rounding.
        if !["scene", "soft_257"].iter().any(|kind| name.starts_with(kind)) {
            continue;
        }
        let tells = quality >= 80 && picture.width().min(picture.height()) >= 512;
        let most = if tells { 10 } else { super::MATCH_DISTANCE };
        for format in [Format::Jpeg, Format::Png, Format::Webp, Format::Avif] {
            for quality in [80, 95] {
                let output = Output { format, quality, lossless: false };
                let bytes = crate::finish::encode(&picture, &output).unwrap();
                let apart = hash_rgb(&decode(&bytes, &limits).unwrap().picture).0.distance(&hash);
                assert!(apart <= most, "{name} as {} of quality {quality}: {apart}", format.name());
                tried += 1;
                telling += u32::from(tells);
            }
        }
    }
    assert_eq!((tried, telling), (40, 8));
}

#[test]
fn text_and_bits_agree() {
    let text = "8000000000000000000000000000000000000000000000000000000000000001";
    let hash: Hash256 = text.parse().unwrap();
    assert_eq!(hash, Hash256::from_bits(|at| at == 0 || at == 255));
    assert_eq!(hash.to_string(), text);
    assert_eq!(hash.distance(&Hash256::default()), 2);
    assert_eq!(Hash256::from_bits(|_| true).distance(&Hash256::default()), 256);
    for bad in ["", &text[1..], &format!("{text}0"), &text.replace('8', "g")] {
        assert_eq!(bad.parse::<Hash256>(), Err(BadHash), "{bad:?}");
    }
}
