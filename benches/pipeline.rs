//! Everything between pixels and signed bytes at 1344x768, end to end and step by step: the hands of `benches/pipeline.py`.
//!
//! `cargo bench --bench pipeline -- --data FOLDER --watermark FILE [--runs N] PICTURE…`. Certificates are in FOLDER, made
//! there where there are none. One thread. Prints one JSON object: for each format, and for the steps that come before any
//! format, the median over pictures and runs in milliseconds of the wall and of the processor. An encoder's steps work on
//! what the step before made, as in [`finish`], which is timed as a whole beside them.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench prints its figures and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::RgbImage;
use imgen::credentials::{
    Claim, Credentials, CredentialsConfig, Ingredient, Provenance, Signed, SoftBinding,
};
use imgen::finish::decode::{DecodeLimits, decode};
use imgen::finish::invisible_mark::{InvisibleMark, TileSpread};
use imgen::finish::visible_watermark::draw;
use imgen::finish::{Artwork, AvifEncoder, Task, Tools, encode, fingerprint, finish, thumbnail};
use imgen::plan::{self, Anchor, Format, Output, Watermark};
use serde_json::{Value, json};
use time::OffsetDateTime;

const PAYLOAD: u64 = 0x0123_4567_89ab_cdef;
const PAYLOAD_HEX: &str = "0123456789abcdef";
const LIMITS: DecodeLimits =
    DecodeLimits { max_bytes: 256 << 20, max_pixels: 120_000_000, max_side_px: 32_768 };
/// What thumbnails are encoded with when the picture has more.
const THUMBNAIL_QUALITY: u8 = 85;
const QUALITY: u8 = 95;
/// Where the steps are counted that no format has a part in.
const EVERY_FORMAT: &str = "every format";

/// Names as `pipeline.py` has them.
const OUTPUTS: [(&str, Format, bool); 6] = [
    ("JPEG 95", Format::Jpeg, false),
    ("PNG", Format::Png, true),
    ("WebP 95", Format::Webp, false),
    ("WebP lossless", Format::Webp, true),
    ("AVIF 95", Format::Avif, false),
    ("AVIF lossless", Format::Avif, true),
];

/// Time that the processor has spent on this process, in milliseconds.
#[expect(unsafe_code, reason = "the standard library has no clock for this")]
fn spent_ms() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to `time`, which lives.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Milliseconds of the wall and of the processor, and bytes, of each run of each step of each format.
#[derive(Default)]
struct Laps(BTreeMap<&'static str, BTreeMap<&'static str, Vec<[f64; 3]>>>);

impl Laps {
    fn time<T>(&mut self, format: &'static str, step: &'static str, run: impl FnOnce() -> T) -> T {
        let (begun, before_ms) = (Instant::now(), spent_ms());
        let made = black_box(run());
        let lap = [begun.elapsed().as_secs_f64() * 1e3, spent_ms() - before_ms, 0.0];
        self.0.entry(format).or_default().entry(step).or_default().push(lap);
        made
    }

    /// How large the file is that the last run of a step made.
    fn size(&mut self, format: &'static str, step: &'static str, bytes: usize) {
        if let Some(lap) = self.0.entry(format).or_default().entry(step).or_default().last_mut() {
            lap[2] = bytes as f64;
        }
    }

    fn medians(&self) -> Value {
        let steps = |steps: &BTreeMap<&'static str, Vec<[f64; 3]>>| -> Value {
            steps.iter().map(|(step, laps)| ((*step).to_owned(), median(laps))).collect()
        };
        self.0.iter().map(|(format, of)| ((*format).to_owned(), steps(of))).collect()
    }
}

fn median(laps: &[[f64; 3]]) -> Value {
    let [wall_ms, cpu_ms, bytes] = [0, 1, 2].map(|column| {
        let mut values: Vec<f64> = laps.iter().map(|lap| lap[column]).collect();
        values.sort_by(f64::total_cmp);
        f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
    });
    json!({ "wall_ms": wall_ms, "cpu_ms": cpu_ms, "bytes": bytes })
}

/// What every picture is finished with.
struct Bench {
    artwork: Artwork,
    watermark: Watermark,
    mark: TileSpread,
    credentials: Credentials,
    provenance: Provenance,
    laps: Laps,
}

impl Bench {
    fn new(data: &Path, watermark: &Path) -> Self {
        let now = OffsetDateTime::now_utc();
        let bytes = std::fs::read(watermark).expect("a watermark");
        Self {
            artwork: Artwork::read(&bytes).expect("a watermark"),
            watermark: Watermark {
                image_sha256: None,
                position: Anchor::BottomRight,
                scale_percent: 20,
                opacity_percent: 80,
                rotation_degrees: 0,
                padding_x_px: 10,
                padding_y_px: 10,
            },
            mark: TileSpread::new(),
            credentials: Credentials::open(&CredentialsConfig::default(), data, now).expect("certificates"),
            provenance: Provenance {
                credentials: plan::Credentials { title: "A title".to_owned(), ..Default::default() },
                model: "starter".to_owned(),
                ..Provenance::new("bench", now)
            },
            laps: Laps::default(),
        }
    }

    fn picture(&mut self, picture: &RgbImage) {
        let mut drawn = picture.clone();
        let (artwork, watermark) = (&self.artwork, &self.watermark);
        self.laps
            .time(EVERY_FORMAT, "visible watermark", || draw(&mut drawn, artwork, watermark).expect("drawn"));
        let mark = &self.mark;
        let marked = self.laps.time(EVERY_FORMAT, "invisible mark", || {
            mark.embed(&drawn, PAYLOAD, 1.0).expect("a picture large enough")
        });
        self.laps.time(EVERY_FORMAT, "PDQ", || fingerprint(&marked));
        for (name, format, lossless) in OUTPUTS {
            let output = Output { format, quality: QUALITY, lossless };
            self.whole(name, picture, &output);
            self.steps(name, &marked, &output);
        }
    }

    fn whole(&mut self, name: &'static str, picture: &RgbImage, output: &Output) {
        let task = Task {
            visible_mark: Some((&self.artwork, &self.watermark)),
            output,
            payload: PAYLOAD,
            provenance: &self.provenance,
        };
        let tools =
            Tools { mark: Some(&self.mark), credentials: Some(&self.credentials), avif: AvifEncoder::Aom };
        let picture = picture.clone();
        let finished =
            self.laps.time(name, "end to end", || finish(picture, &task, tools).expect("finished"));
        assert!(finished.mark.is_some(), "the mark was not read back");
        self.laps.size(name, "end to end", finished.picture.bytes.len());
    }

    fn steps(&mut self, name: &'static str, marked: &RgbImage, output: &Output) {
        let bytes = self.laps.time(name, "encode", || encode(marked, output).expect("encoded"));
        self.laps.size(name, "encode", bytes.len());
        let soft_binding = SoftBinding { alg: self.mark.alg().to_owned(), value_hex: PAYLOAD_HEX.to_owned() };
        let claim = Claim {
            visible_watermark: true,
            soft_binding: Some(soft_binding),
            ..Claim::new(&self.provenance)
        };
        let credentials = &self.credentials;
        let sign = |bytes: &[u8], claim: &Claim<'_>| -> Signed {
            credentials.sign(bytes, output.format, claim).expect("signed")
        };
        let signed = self.laps.time(name, "sign", || sign(&bytes, &claim));
        let mark = &self.mark;
        let read = self.laps.time(name, "read the mark back", || {
            let picture = decode(&signed.bytes, &LIMITS).expect("our own file").picture;
            mark.detect(&picture).expect("a look")
        });
        assert!(read.is_some_and(|found| found.payload == PAYLOAD), "the mark was not read back");
        let small = Output { quality: QUALITY.min(THUMBNAIL_QUALITY), ..output.clone() };
        let of = Claim { soft_binding: None, ingredient: Some(Ingredient::FullPicture(&signed)), ..claim };
        let thumbnail = self.laps.time(name, "thumbnail", || {
            let small_picture = thumbnail(marked).expect("a small picture");
            sign(&encode(&small_picture, &small).expect("encoded"), &of)
        });
        self.laps.size(name, "thumbnail", thumbnail.bytes.len());
    }
}

/// What stands on the command line.
struct Asked {
    data: PathBuf,
    watermark: PathBuf,
    runs: usize,
    pictures: Vec<PathBuf>,
}

fn asked() -> Asked {
    let (mut data, mut watermark, mut runs, mut pictures) = (None, None, 1, Vec::new());
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--data" => data = words.next().map(PathBuf::from),
            "--watermark" => watermark = words.next().map(PathBuf::from),
            "--runs" => runs = words.next().and_then(|count| count.parse().ok()).expect("--runs N"),
            option if option.starts_with('-') => panic!("{option} is not known"),
            picture => pictures.push(picture.into()),
        }
    }
    Asked {
        data: data.expect("--data FOLDER"),
        watermark: watermark.expect("--watermark FILE"),
        runs,
        pictures,
    }
}

fn main() {
    let asked = asked();
    let mut bench = Bench::new(&asked.data, &asked.watermark);
    for path in &asked.pictures {
        let picture = image::open(path).expect("a picture").into_rgb8();
        assert_eq!(picture.dimensions(), (1344, 768), "{} has another size", path.display());
        for _ in 0..asked.runs {
            bench.picture(&picture);
        }
    }
    println!("{}", bench.laps.medians());
}
