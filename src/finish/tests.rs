use image::{Rgb, RgbImage};
use time::OffsetDateTime;

use super::decode::{DecodeLimits, decode};
use super::invisible_mark::{InvisibleMark, TileSpread};
use super::{Artwork, AvifEncoder, Task, Tools, encode, fingerprint, finish, thumbnail};
use crate::credentials::{Credentials, CredentialsConfig, Provenance, Signed, State};
use crate::plan::{self, Anchor, Format, Output, Watermark};

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
    assert_eq!(told(&drawn.thumbnail), ["c2pa.opened", "c2pa.resized.proportional", "c2pa.edited"]);
    assert_ne!(drawn.fingerprint, plain.fingerprint);
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
