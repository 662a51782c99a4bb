use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use time::OffsetDateTime;

use super::decode::{DecodeLimits, decode};
use super::invisible_mark::{Detection, InvisibleMark, MarkError, TileSpread};
use super::testing::{picture, psnr_db};
use super::{Artwork, AvifEncoder, STRENGTHS, Task, Tools, encode, fingerprint, finish, thumbnail};
use crate::credentials::{Credentials, CredentialsConfig, Provenance, Signed, State};
use crate::plan::{self, Anchor, Format, Output, Watermark};

fn output(format: Format, quality: u8) -> Output {
    Output { format, quality, lossless: false }
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
        ((2000, 0), (2000, 0)),
    ] {
        assert_eq!(thumbnail(&RgbImage::new(size.0, size.1)).unwrap().dimensions(), small, "{size:?}");
    }
}

#[test]
fn a_thumbnail_looks_like_the_picture() {
    let small = thumbnail(&picture(1344, 768)).unwrap();
    let drawn_small = picture(512, 293);
    let psnr = psnr_db(&small, &drawn_small);
    assert!(psnr > 27.0, "{psnr:.1} dB");
}

/// Fine texture tells one filter from another: the nearest one in `image`, Catmull and Rom's, is under 40 dB away.
#[test]
fn a_thumbnail_is_the_lanczos_of_the_crate_image() {
    for (width, height) in [(1344, 768), (768, 1344), (1300, 9), (513, 400)] {
        let mut large = picture(width, height);
        for (x, y, pixel) in large.enumerate_pixels_mut() {
            let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 26;
            pixel.0 = pixel.0.map(|value| value.saturating_add(grain as u8));
        }
        let small = thumbnail(&large).unwrap();
        let slowly = |filter| psnr_db(&small, &resize(&large, small.width(), small.height(), filter));
        let (same, other) = (slowly(FilterType::Lanczos3), slowly(FilterType::CatmullRom));
        println!("{width}x{height}: {same:.1} dB, another filter {other:.1}");
        assert!(same > 50.0 && other < same - 6.0, "{width}x{height}: {same:.1} dB, {other:.1}");
    }
}

fn provenance() -> Provenance {
    Provenance {
        credentials: plan::Credentials { title: "A disc".to_owned(), ..plan::Credentials::default() },
        model: "eros".to_owned(),
        model_sha256: Some("5a".repeat(32)),
        recipe_sha256: Some("a5".repeat(32)),
        seed: Some(7),
        ..Provenance::new("test/0", OffsetDateTime::from_unix_timestamp(1_743_278_570).unwrap())
    }
}

#[test]
fn what_cannot_hold_a_mark_says_so_and_what_was_left_out_is() {
    let output = output(Format::Jpeg, 1);
    let task = Task { visible_mark: None, output: &output, payload: 7, provenance: &provenance() };
    let scheme = TileSpread::new();
    let unsigned = finish(
        picture(300, 200),
        &task,
        Tools { mark: Some(&scheme), credentials: None, avif: AvifEncoder::Aom },
    )
    .unwrap();
    assert_eq!(unsigned.mark, None);
    assert!(unsigned.picture.manifest.is_empty() && unsigned.thumbnail.manifest_id.is_empty());
    let plain =
        finish(picture(300, 200), &task, Tools { mark: None, credentials: None, avif: AvifEncoder::Aom })
            .unwrap();
    assert_eq!(plain.picture.bytes, unsigned.picture.bytes, "no half a mark is left in it");
    assert_eq!(plain.picture.bytes, encode(&picture(300, 200), &output).unwrap());
}

/// Names of the actions that a signed picture tells of itself, in order.
fn actions(credentials: &Credentials, signed: &Signed, format: Format) -> Vec<String> {
    let report = credentials.read(&signed.bytes, format);
    let store = report.manifest.unwrap();
    let assertions = &store["manifests"][report.manifest_id.as_ref().unwrap()]["assertions"];
    let found = assertions.as_array().unwrap().iter().find(|found| found["label"] == "c2pa.actions.v2");
    let list = found.unwrap()["data"]["actions"].as_array().unwrap().clone();
    list.iter().map(|action| action["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_visible_mark_is_drawn_and_told_and_without_one_neither() {
    let folder = tempfile::tempdir().unwrap();
    let credentials =
        Credentials::open(&CredentialsConfig::default(), folder.path(), OffsetDateTime::now_utc()).unwrap();
    let tools = Tools { mark: None, credentials: Some(&credentials), avif: AvifEncoder::Aom };
    let artwork = Artwork::read(
        b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='9' height='9' fill='#fff'/></svg>",
    )
    .unwrap();
    let watermark = Watermark {
        image_sha256: None,
        position: Anchor::TopLeft,
        scale_percent: 10,
        opacity_percent: 100,
        rotation_degrees: 0,
        padding_x_px: 0,
        padding_y_px: 0,
    };
    let output = output(Format::Png, 95);
    let finished = |visible_mark| {
        let task = Task { visible_mark, output: &output, payload: 7, provenance: &provenance() };
        finish(picture(300, 200), &task, tools).unwrap()
    };
    let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
    let pixels = |signed: &Signed| decode(&signed.bytes, &limits).unwrap().picture;
    let told = |signed: &Signed| actions(&credentials, signed, Format::Png);

    let plain = finished(None);
    assert_eq!(pixels(&plain.picture), picture(300, 200), "not a pixel was touched");
    assert_eq!(told(&plain.picture), ["c2pa.created"]);
    assert_eq!(told(&plain.thumbnail), ["c2pa.opened", "c2pa.resized.proportional"]);

    let drawn = finished(Some((&artwork, &watermark)));
    assert_eq!(pixels(&drawn.picture)[(15, 15)], Rgb([255; 3]));
    assert_eq!(pixels(&drawn.picture)[(31, 31)], picture(300, 200)[(31, 31)]);
    assert_eq!(told(&drawn.picture), ["c2pa.created", "c2pa.edited"]);
    assert_eq!(
        told(&drawn.thumbnail),
        ["c2pa.opened", "c2pa.resized.proportional"],
        "the edit is the picture's"
    );
    assert_ne!(drawn.fingerprint, plain.fingerprint);

    let clear = Watermark { opacity_percent: 0, ..watermark.clone() };
    let unseen = finished(Some((&artwork, &clear)));
    assert_eq!(pixels(&unseen.picture), picture(300, 200), "not a pixel was touched");
    assert_eq!(told(&unseen.picture), ["c2pa.created"]);
}

#[test]
fn everything_at_once() {
    let picture = picture(1344, 768);
    let folder = tempfile::tempdir().unwrap();
    let credentials =
        Credentials::open(&CredentialsConfig::default(), folder.path(), OffsetDateTime::now_utc()).unwrap();
    let scheme = TileSpread::new();
    let tools = Tools { mark: Some(&scheme), credentials: Some(&credentials), avif: AvifEncoder::Aom };
    for format in Format::ALL {
        let output = output(format, 95);
        let task = Task { visible_mark: None, output: &output, payload: 7, provenance: &provenance() };
        let finished = finish(picture.clone(), &task, tools).unwrap();
        let mark = finished.mark.unwrap();
        assert_eq!((mark.alg, mark.strength), (scheme.alg(), 1.0));
        let report = credentials.read(&finished.picture.bytes, format);
        assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
        let report = credentials.read(&finished.thumbnail.bytes, format);
        assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
        let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
        let small = decode(&finished.thumbnail.bytes, &limits).unwrap();
        assert_eq!((small.format, small.picture.dimensions()), (format, (512, 293)));
        let large = decode(&finished.picture.bytes, &limits).unwrap();
        assert_eq!(large.format, format);
        assert_eq!(scheme.detect(&large.picture).unwrap().unwrap().payload, 7);
        // Of the marked pixels, not of those that came in.
        if format == Format::Png {
            assert_eq!(finished.fingerprint, fingerprint(&large.picture));
        }
    }
}

/// A mark that is read as it is told to be: coded bits that are read wrong at each strength, `None` where nothing is read.
/// It leaves the strength in the first pixel, so that a test can see which picture went out.
#[derive(Debug)]
struct Fickle([Option<u32>; 3]);

const CODED_BITS: u32 = 100;

impl InvisibleMark for Fickle {
    fn alg(&self) -> &'static str {
        "test.fickle"
    }

    fn embed(&self, picture: &RgbImage, _: u64, strength: f32) -> Result<RgbImage, MarkError> {
        let mut marked = picture.clone();
        marked.put_pixel(0, 0, Rgb([(strength * 10.0).round() as u8; 3]));
        Ok(marked)
    }

    fn detect(&self, picture: &RgbImage) -> Result<Option<Detection>, MarkError> {
        let at = STRENGTHS.iter().position(|strength| (strength * 10.0).round() as u8 == picture[(0, 0)][0]);
        let bit_errors = at.and_then(|at| self.0[at]);
        Ok(bit_errors.map(|bit_errors| Detection {
            payload: 7,
            bit_errors,
            coded_bits: CODED_BITS,
            confidence: 1.0,
            scale: 1.0,
            degrees: 0.0,
            mirrored: false,
        }))
    }
}

#[test]
fn what_is_published_is_what_was_read_and_nothing_else_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let credentials =
        Credentials::open(&CredentialsConfig::default(), folder.path(), OffsetDateTime::now_utc()).unwrap();
    let output = output(Format::Png, 95);
    let provenance = provenance();
    let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
    // Easily read; read with ease only when stronger; best in the middle; read once; never.
    for (errors, sent) in [
        ([Some(0), Some(0), Some(0)], Some((1.0, 0))),
        ([Some(20), Some(5), Some(0)], Some((1.4, 5))),
        ([Some(20), Some(9), Some(12)], Some((1.4, 9))),
        ([None, None, Some(30)], Some((2.0, 30))),
        ([None, None, None], None),
    ] {
        for payload in [7, 8] {
            let mark = Fickle(errors);
            let task = Task { visible_mark: None, output: &output, payload, provenance: &provenance };
            let tools = Tools { mark: Some(&mark), credentials: Some(&credentials), avif: AvifEncoder::Aom };
            let finished = finish(picture(300, 200), &task, tools).unwrap();
            // Another payload than was set is no mark.
            let sent = sent.filter(|_| payload == 7);
            let read = finished.mark.as_ref().map(|mark| (mark.strength, mark.bit_errors));
            assert_eq!(read, sent, "{errors:?}");
            let seen = decode(&finished.picture.bytes, &limits).unwrap().picture;
            assert_eq!(finished.fingerprint, fingerprint(&seen), "{errors:?}");
            match sent {
                Some((strength, _)) => assert_eq!(seen[(0, 0)][0], (strength * 10.0_f32).round() as u8),
                None => assert!(seen == picture(300, 200), "no half a mark is left in it"),
            }
            let report = credentials.read(&finished.picture.bytes, Format::Png);
            assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
            let manifest = report.manifest.unwrap().to_string();
            assert_eq!(manifest.contains("test.fickle"), sent.is_some(), "{errors:?}: {manifest}");
            assert_eq!(manifest.contains("c2pa.watermarked"), sent.is_some(), "{errors:?}: {manifest}");
        }
    }
}
