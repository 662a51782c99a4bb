//! Every step from pixels to bytes, at 1344x768.
//!
//! `cargo bench --bench finish [-- PICTURE…]`. One thread; the fastest of 7 runs of each step, in milliseconds of the
//! wall and of the processor, and the size of what came of it. On the starter's flat art, on texture that no encoder has
//! easy, and on the pictures that are named.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use imgen::finish::visible_watermark::draw;
use imgen::finish::{Artwork, Fingerprint, encode, fingerprint, thumbnail};
use imgen::plan::{Anchor, Format, Output, Watermark};

const WIDTH: u32 = 1344;
const HEIGHT: u32 = 768;
const RUNS: u32 = 7;

/// Soft colours, fine texture and an edge, so that no encoder has it easy.
fn texture() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (u, v) = (x as f32 / 1344.0, y as f32 / 768.0);
        let texture = 12.0 * ((x * 7 + y * 13) % 17) as f32 / 17.0;
        if (u - 0.5).hypot(v - 0.5) < 0.3 {
            Rgb([230, (60.0 + 120.0 * u + texture) as u8, 40])
        } else {
            Rgb([
                (240.0 * u + texture) as u8,
                (240.0 * v + texture) as u8,
                (160.0 + 80.0 * (9.0 * u).sin()) as u8,
            ])
        }
    })
}

/// Cut to the shape of the size and scaled to it.
fn file(path: &str) -> RgbImage {
    let picture = image::open(path).expect("a picture").into_rgb8();
    let wide = (picture.height() * 7 / 4).min(picture.width());
    let high = (picture.width() * 4 / 7).min(picture.height());
    let cut = image::imageops::crop_imm(&picture, (picture.width() - wide) / 2, 0, wide, high).to_image();
    resize(&cut, WIDTH, HEIGHT, FilterType::Lanczos3)
}

/// Milliseconds of the processor that this thread has had; no step uses another. It is told at the clock's ticks only, so that one
/// short step says nothing and many say their mean.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).expect("a number") / 1e6
}

fn row<T>(step: &str, bytes: impl Fn(&T) -> usize, run: impl Fn() -> T) {
    let (mut wall_ms, mut size) = (f64::MAX, 0);
    let before = processor_ms();
    for _ in 0..RUNS {
        let start = Instant::now();
        let made = black_box(run());
        wall_ms = wall_ms.min(start.elapsed().as_secs_f64() * 1e3);
        size = bytes(&made);
    }
    let cpu_ms = (processor_ms() - before) / f64::from(RUNS);
    println!("{step:28} {wall_ms:8.2} ms {cpu_ms:8.2} CPU ms {size:10} bytes");
}

fn watermark(rotation_degrees: i16, scale_percent: u8) -> Watermark {
    Watermark {
        image_sha256: None,
        position: Anchor::BottomRight,
        scale_percent,
        opacity_percent: 80,
        rotation_degrees,
        padding_x_px: 10,
        padding_y_px: 10,
    }
}

fn watermarks(picture: &RgbImage) {
    let mut pixels = Vec::new();
    let logo = resize(picture, 600, 300, FilterType::Triangle);
    logo.write_to(&mut std::io::Cursor::new(&mut pixels), image::ImageFormat::Png).expect("a PNG");
    let shapes =
        b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 60 30'><circle cx='15' cy='15' r='14' \
        fill='#fff'/><path d='M32 2h26v26h-26z' fill='none' stroke='#fff' stroke-width='3'/></svg>";
    for (kind, bytes) in [("pixels", &pixels[..]), ("shapes", &shapes[..])] {
        row(&format!("watermark {kind}: read"), |_| bytes.len(), || Artwork::read(bytes).expect("a mark"));
        let mark = Artwork::read(bytes).expect("a mark");
        for (rotation, scale) in [(0, 5), (30, 5), (0, 50), (30, 50)] {
            row(
                &format!("watermark {kind} {scale} % {rotation} deg"),
                |made: &RgbImage| made.len(),
                || {
                    let mut marked = picture.clone();
                    draw(&mut marked, &mark, &watermark(rotation, scale)).expect("drawn");
                    marked
                },
            );
        }
    }
}

fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let mut pictures = vec![
        ("flat art".to_owned(), file(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/portrait.jpg"))),
        ("texture".to_owned(), texture()),
    ];
    pictures.extend(named.into_iter().map(|path| (path.clone(), file(&path))));
    for (name, picture) in pictures {
        println!("{name}");
        row("PDQ", |made: &Fingerprint| made.hex.len() / 2, || fingerprint(&picture));
        for format in Format::ALL {
            let lossy = [(75, false), (95, false)].into_iter().filter(|_| format != Format::Png);
            let lossless = [(95, true)].into_iter().filter(|_| format != Format::Jpeg);
            for (quality, lossless) in lossy.chain(lossless) {
                let output = Output { format, quality, lossless };
                let how = if lossless { "lossless".to_owned() } else { format!("quality {quality}") };
                let step = format!("{} {how}", format.name());
                row(&step, Vec::len, || encode(&picture, &output).expect("a file"));
            }
        }
        row(
            "thumbnail",
            |made: &RgbImage| made.as_raw().len(),
            || thumbnail(&picture).expect("a small picture"),
        );
        watermarks(&picture);
    }
}
