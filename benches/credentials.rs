//! Content Credentials at 1344x768: signing (with the reading back) and reading, each format, full picture and thumbnail.
//!
//! `cargo bench --bench credentials`. The fastest of 15 runs, in milliseconds, and what the manifest adds, in bytes.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use image::{Rgb, RgbImage};
use imgen::credentials::{Claim, Credentials, CredentialsConfig, Ingredient, Provenance, SoftBinding};
use imgen::finish::{encode, thumbnail};
use imgen::plan::{Format, Output};
use time::OffsetDateTime;

fn picture() -> RgbImage {
    RgbImage::from_fn(1344, 768, |x, y| {
        Rgb([(x / 6) as u8, (y / 4) as u8, ((x * 7 + y * 13) % 61 + 90) as u8])
    })
}

fn fastest_ms<T>(run: impl Fn() -> T) -> f64 {
    let timed = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..15).map(timed).fold(f64::INFINITY, f64::min)
}

fn main() {
    let data = tempfile::tempdir().expect("a folder");
    let now = OffsetDateTime::now_utc();
    let credentials =
        Credentials::open(&CredentialsConfig::default(), data.path(), now).expect("certificates");
    let picture = picture();
    let small = thumbnail(&picture).expect("a small picture");
    println!(
        "{:14} {:>9} {:>7} {:>9} {:>9} {:>16}",
        "format", "bytes", "added", "sign ms", "read ms", "thumbnail ms"
    );
    for (name, format, lossless) in [
        ("JPEG 85", Format::Jpeg, false),
        ("PNG", Format::Png, true),
        ("WebP 85", Format::Webp, false),
        ("WebP lossless", Format::Webp, true),
        ("AVIF 85", Format::Avif, false),
        ("AVIF lossless", Format::Avif, true),
    ] {
        let output = Output { format, quality: 85, lossless };
        let bytes = encode(&picture, &output).expect("a picture");
        let soft_binding =
            SoftBinding { alg: "org.imgen.bench.1".to_owned(), value_hex: "00112233aabbccdd".to_owned() };
        let provenance = Provenance { model: "starter".to_owned(), ..Provenance::new("bench", now) };
        let claim = Claim { soft_binding: Some(soft_binding), ..Claim::new(&provenance) };
        let signed = credentials.sign(&bytes, format, &claim).expect("signed");
        let sign_ms = fastest_ms(|| credentials.sign(&bytes, format, &claim).expect("signed"));
        let read_ms = fastest_ms(|| credentials.read(&signed.bytes, format));
        let rendition =
            Claim { soft_binding: None, ingredient: Some(Ingredient::FullPicture(&signed)), ..claim.clone() };
        let small = encode(&small, &output).expect("a thumbnail");
        let thumbnail_ms = fastest_ms(|| credentials.sign(&small, format, &rendition).expect("signed"));
        println!(
            "{name:14} {:9} {:7} {sign_ms:9.2} {read_ms:9.2} {thumbnail_ms:16.2}",
            bytes.len(),
            signed.bytes.len() - bytes.len()
        );
    }
}
