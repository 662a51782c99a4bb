//! Marks set and read, many pictures at once: the hands of `benches/marks.py`.
//!
//! `cargo bench --bench marks -- embed SCHEME OUTDIR FILES…` marks pictures; `… -- detect SCHEME FILES…` reads them; `… --
//! unmarked FILES…` looks for marks where there are none. A line of JSON a picture, with milliseconds of one core.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench prints what it found and stops at the first surprise"
)]

use std::path::Path;
use std::time::Instant;

use bwm::{
    ColorMode, ImageBufferRef, PixelFormat, RobustnessProfile, ThreadConfig, WatermarkConfig, WatermarkKey,
    WatermarkStrength, embed_payload, extract_payload,
};
use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal, rotate90};
use imgen::finish::invisible_mark::{InvisibleMark, TileSpread};
use imgen::finish::{EASY_ERRORS, STRENGTHS};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A picture's own payload, from the first part of its name: what is read must be what was set, in each.
fn payload(path: &Path) -> u64 {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
    let hash = Sha256::digest(stem.split('@').next().expect("a first part"));
    hash.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte))
}

/// What is compared: our own scheme, and the crate `bwm`, which carries 32 bits.
enum Scheme {
    Ours(TileSpread),
    Bwm(WatermarkConfig),
}

fn buffer(picture: &RgbImage) -> ImageBufferRef<'_> {
    let (width, height) = picture.dimensions();
    let stride = width as usize * 3;
    ImageBufferRef { data: picture.as_raw(), width, height, stride, pixel_format: PixelFormat::Rgb8 }
}

impl Scheme {
    fn named(name: &str) -> Self {
        match name {
            "imgen" => Self::Ours(TileSpread::new()),
            "bwm" => Self::Bwm(WatermarkConfig {
                key: WatermarkKey::from_bytes([7; 32]),
                strength: WatermarkStrength::High,
                robustness: RobustnessProfile::Balanced,
                color_mode: ColorMode::LumaOnly,
                threads: ThreadConfig::Single,
            }),
            _ => panic!("there is no scheme {name}"),
        }
    }

    fn embed(&self, picture: &RgbImage, payload: u64) -> RgbImage {
        match self {
            // As strong as the service would make it.
            Self::Ours(scheme) => {
                let mut marked = picture.clone();
                for strength in STRENGTHS {
                    marked = scheme.embed(picture, payload, strength).expect("a mark");
                    let found =
                        scheme.detect(&marked).expect("a look").filter(|found| found.payload == payload);
                    let wrong = found.map(|found| f64::from(found.bit_errors) / f64::from(found.coded_bits));
                    if wrong.is_some_and(|share| share <= EASY_ERRORS) {
                        break;
                    }
                }
                marked
            }
            Self::Bwm(config) => {
                let bytes = &payload.to_be_bytes()[..4];
                let marked = embed_payload(buffer(picture), bytes, config).expect("a mark");
                RgbImage::from_raw(picture.width(), picture.height(), marked.data).expect("a picture")
            }
        }
    }

    /// Whether the payload is read, exactly; and the share of coded bits that were read wrong, where that is known.
    fn reads(&self, picture: &RgbImage, payload: u64) -> (bool, Option<f64>) {
        match self {
            Self::Ours(scheme) => {
                let found = scheme.detect(picture).expect("a look").filter(|found| found.payload == payload);
                let wrong = found.map(|found| f64::from(found.bit_errors) / f64::from(found.coded_bits));
                (wrong.is_some(), wrong)
            }
            Self::Bwm(config) => {
                let read = extract_payload(buffer(picture), config);
                (read.is_ok_and(|bytes| bytes == payload.to_be_bytes()[..4]), None)
            }
        }
    }
}

/// Peak signal-to-noise ratio over all channels, in decibels.
fn psnr_db(one: &RgbImage, two: &RgbImage) -> f64 {
    let squares = one.as_raw().iter().zip(two.as_raw()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    10.0 * (255.0_f64.powi(2) * one.as_raw().len() as f64 / squares.sum::<f64>()).log10()
}

fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let made = run();
    (begun.elapsed().as_secs_f64() * 1e3, made)
}

fn open(path: &str) -> RgbImage {
    image::open(path).expect("a picture").to_rgb8()
}

/// A picture and nine others made of it.
fn variants(picture: &RgbImage) -> Vec<RgbImage> {
    let (w, h) = (picture.width() / 2, picture.height() / 2);
    let corners = [(0, 0), (w, 0), (0, h), (w, h), (w / 2, h / 2)];
    let mut all = vec![picture.clone(), flip_horizontal(picture), rotate90(picture)];
    all.extend(corners.map(|(x, y)| crop_imm(picture, x, y, w, h).to_image()));
    all.push(crop_imm(picture, w / 4, h / 4, 3 * w / 2, 3 * h / 2).to_image());
    all.push(crop_imm(picture, 0, 0, w, 2 * h).to_image());
    all
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["embed", scheme, folder, files @ ..] => {
            let scheme = Scheme::named(scheme);
            for file in files {
                let (path, picture) = (Path::new(file), open(file));
                let (ms, marked) = timed(|| scheme.embed(&picture, payload(path)));
                let to = Path::new(folder).join(path.file_name().expect("a name"));
                marked.save(to).expect("a file");
                println!("{}", json!({"file": file, "psnr_db": psnr_db(&picture, &marked), "ms": ms}));
            }
        }
        ["detect", scheme, files @ ..] => {
            let scheme = Scheme::named(scheme);
            for file in files {
                let picture = open(file);
                let (ms, (found, wrong)) = timed(|| scheme.reads(&picture, payload(Path::new(file))));
                println!("{}", json!({"file": file, "found": found, "wrong": wrong, "ms": ms}));
            }
        }
        ["unmarked", files @ ..] => {
            let scheme = TileSpread::new();
            for file in files {
                for (index, picture) in variants(&open(file)).iter().enumerate() {
                    let (ms, found) = timed(|| scheme.detect(picture).expect("a look"));
                    let found = found.map(|found| found.payload);
                    println!("{}", json!({"file": file, "variant": index, "found": found, "ms": ms}));
                }
            }
        }
        _ => panic!("embed SCHEME OUTDIR FILES…, detect SCHEME FILES… or unmarked FILES…"),
    }
}
