use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::data_layer::Found;
use super::*;
use crate::finish::testing::psnr_db;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trustmark").join(name)
}

fn bits_of(text: &str) -> Vec<bool> {
    text.bytes().map(|byte| byte == b'1').collect()
}

fn packet_of(text: &str) -> [bool; SECRET_BITS] {
    bits_of(text).try_into().unwrap()
}

struct Golden {
    schema: Schema,
    payload: Vec<bool>,
    packet: [bool; SECRET_BITS],
    flipped: Vec<[bool; SECRET_BITS]>,
}

fn goldens() -> Vec<Golden> {
    let text = std::fs::read_to_string(fixture("data_layer.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cases = file["cases"].as_array().unwrap();
    cases
        .iter()
        .map(|case| Golden {
            schema: Schema::ALL[case["mode"].as_u64().unwrap() as usize],
            payload: bits_of(&text(&case["payload"])),
            packet: packet_of(&text(&case["packet"])),
            flipped: case["flipped"]
                .as_array()
                .unwrap()
                .iter()
                .map(|flipped| packet_of(&text(flipped)))
                .collect(),
        })
        .collect()
}

#[test]
fn packets_are_the_references_bit_for_bit() {
    let goldens = goldens();
    assert_eq!(goldens.len(), 48);
    for golden in goldens {
        assert_eq!(golden.payload.len(), golden.schema.capacity());
        assert_eq!(encode(golden.schema, &golden.payload), golden.packet, "{:?}", golden.schema);
        let read =
            |packet| decode(packet).map(|Found { schema, data, bit_errors }| (schema, data, bit_errors));
        assert_eq!(read(&golden.packet), Some((golden.schema, golden.payload.clone(), 0)));
        assert_eq!(golden.flipped.len(), golden.schema.corrects());
        for (count, flipped) in (1..).zip(&golden.flipped) {
            assert_eq!(read(flipped), Some((golden.schema, golden.payload.clone(), count)));
        }
    }
}

#[test]
fn capacities_are_those_that_trustmark_publishes() {
    assert_eq!(Schema::ALL.map(Schema::capacity), [40, 61, 68, 75]);
}

/// Short and long payloads are filled up and cut off, as the reference does.
#[test]
fn a_payload_of_another_length_is_fitted() {
    let short = encode(Schema::Bch5, &[true; 10]);
    assert_eq!(decode(&short).unwrap().data[..12], [&[true; 10][..], &[false; 2]].concat());
    assert_eq!(encode(Schema::Bch5, &[true; 99]), encode(Schema::Bch5, &[true; 61]));
}

fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// One more wrong bit than can be put right is never read as if nothing were wrong, and bits of chance are read about as
/// seldom as the codes are sparse.
#[test]
fn too_many_wrong_bits_are_not_taken_for_few() {
    let mut state = 5;
    let mut taken = 0;
    for golden in goldens() {
        let mut bad = golden.packet;
        let mut places: Vec<usize> = (0..96).collect();
        for _ in 0..=golden.schema.corrects() {
            let at = places.swap_remove(draw(&mut state) as usize % places.len());
            bad[at] ^= true;
        }
        if let Some(found) = decode(&bad) {
            assert_ne!(found.data, golden.payload);
            taken += 1;
        }
    }
    assert!(taken < 10, "{taken} of 48");
    let random = |state: &mut u64| std::array::from_fn(|_| draw(state) % 2 == 1);
    let passed =
        (0..20_000).filter_map(|_| decode(&random(&mut state))).filter(|found| found.schema == SCHEMA);
    let of_ours = passed.filter(|found| !found.data[64..].contains(&true)).count();
    // 20,000 x 1/4 (schema) x 1.3 % (within four bits of a word) x 1/16 (zeros at the end): about 4.
    assert!(of_ours < 20, "{of_ours}");
}

fn config(encoder: &str, decoder: &str) -> TrustMarkConfig {
    let sha256 = |path: &Path| hex::encode(Sha256::digest(std::fs::read(path).unwrap()));
    let (encoder, decoder) = (fixture(encoder), fixture(decoder));
    TrustMarkConfig {
        encoder_sha256: sha256(&encoder),
        decoder_sha256: sha256(&decoder).to_uppercase(),
        encoder,
        decoder,
        ..TrustMarkConfig::default()
    }
}

fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        if (u - 0.5).hypot(v - 0.5) < 0.25 {
            Rgb([220, (60.0 + 120.0 * u) as u8, 60])
        } else {
            Rgb([(40.0 + 170.0 * u) as u8, (30.0 + 190.0 * v) as u8, (120.0 + 60.0 * (5.0 * u).sin()) as u8])
        }
    })
}

#[test]
fn a_payload_goes_through_both_networks_and_through_a_jpeg() {
    let mark = TrustMark::open(&config("encoder.onnx", "decoder.onnx")).unwrap();
    assert_eq!(mark.alg(), "com.adobe.trustmark.Q");
    for (size, payload) in [((1344, 768), 0x0123_4567_89ab_cdef), ((832, 1216), u64::MAX), ((600, 250), 1)] {
        let picture = scene(size.0, size.1);
        let marked = mark.embed(&picture, payload, 1.0).unwrap();
        assert_eq!(marked.dimensions(), picture.dimensions());
        let psnr = psnr_db(&picture, &marked);
        assert!((34.0..60.0).contains(&psnr), "{psnr:.1} dB");
        let found = mark.detect(&marked).unwrap().unwrap_or_else(|| panic!("{size:?}: nothing found"));
        assert_eq!((found.payload, found.coded_bits), (payload, 96), "{size:?}");
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&marked).unwrap();
        let again = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(mark.detect(&again).unwrap().map(|found| found.payload), Some(payload), "{size:?}");
        assert_eq!(mark.detect(&picture).unwrap(), None, "nothing was in it");
        let stronger = mark.embed(&picture, payload, 2.0).unwrap();
        assert!(psnr_db(&picture, &stronger) < psnr - 3.0);
    }
}

#[test]
fn only_the_middle_of_a_long_picture_is_touched() {
    let mark = TrustMark::open(&config("encoder.onnx", "decoder.onnx")).unwrap();
    let picture = scene(600, 250);
    let marked = mark.embed(&picture, 7, 1.0).unwrap();
    let touched: Vec<u32> = marked
        .enumerate_pixels()
        .filter(|(x, y, pixel)| picture.get_pixel(*x, *y) != *pixel)
        .map(|(x, _, _)| x)
        .collect();
    assert!(touched.iter().all(|x| (175..425).contains(x)));
    assert_eq!(Region::of(&picture, Variant::Q), Region { left: 175, top: 0, width: 250, height: 250 });
    assert_eq!(Region::of(&scene(500, 250), Variant::Q), Region { left: 0, top: 0, width: 500, height: 250 });
    assert_eq!(
        Region::of(&scene(500, 250), Variant::P),
        Region { left: 125, top: 0, width: 250, height: 250 }
    );
}

#[test]
fn small_pictures_hold_none() {
    let mark = TrustMark::open(&config("encoder.onnx", "decoder.onnx")).unwrap();
    assert!(matches!(mark.embed(&scene(127, 500), 7, 1.0), Err(MarkError::TooSmall { needed_px: 128, .. })));
    assert_eq!(mark.detect(&scene(63, 63)).unwrap(), None);
}

#[test]
fn other_files_are_refused_at_the_start() {
    let good = config("encoder.onnx", "decoder.onnx");
    let opened = |config: TrustMarkConfig| TrustMark::open(&config).unwrap_err();
    let other = TrustMarkConfig { encoder_sha256: "0".repeat(64), ..good.clone() };
    assert!(matches!(opened(other), OnnxError::Other { .. }));
    let missing = TrustMarkConfig { decoder: "/nowhere".into(), ..good.clone() };
    assert!(matches!(opened(missing), OnnxError::File { .. }));
    assert!(matches!(opened(config("decoder.onnx", "decoder.onnx")), OnnxError::Network { .. }));
    assert!(matches!(opened(config("data_layer.json", "decoder.onnx")), OnnxError::Network { .. }));
    // A decoder of 245 is not one of 224.
    let small = TrustMarkConfig { variant: Variant::P, ..good.clone() };
    assert!(matches!(opened(small), OnnxError::Network { .. }));

    let mut complaints = crate::config::complaints::Complaints::default();
    good.validate("mark.trustmark", &mut complaints);
    assert!(complaints.is_empty());
    TrustMarkConfig::default().validate("mark.trustmark", &mut complaints);
    let places: Vec<_> = complaints.0.iter().map(|complaint| complaint.place.as_str()).collect();
    assert_eq!(
        places,
        ["encoder", "decoder", "encoder_sha256", "decoder_sha256"]
            .map(|field| format!("mark.trustmark.{field}"))
    );
}
