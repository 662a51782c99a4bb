//! Every format and the visible watermark, by the door and in decoders of others.

use std::process::Command;

use image::{Rgb, RgbImage};
use imgen::finish::decode::{DecodeLimits, decode};
use imgen::finish::encode;
use imgen::plan::{Format, Output};
use serde_json::{Value, json};

use crate::house::{House, curl, root};

const LIMITS: DecodeLimits = DecodeLimits { max_bytes: 1 << 26, max_pixels: 1 << 24, max_side_px: 8192 };

/// The left half is red.
const HALF_RED: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 10'>\
    <rect width='10' height='10' fill='#f00'/><rect x='10' width='10' height='10' fill='#00f'/></svg>";

fn data_uri(mime: &str, bytes: &[u8]) -> String {
    use base64::Engine;
    format!("data:{mime};base64,{}", base64::prelude::BASE64_STANDARD.encode(bytes))
}

fn picture_of(done: &Value) -> (Vec<u8>, RgbImage, Format) {
    let images = done["meta"]["images"].as_array().unwrap_or_else(|| panic!("{done}"));
    let url = images.iter().find(|image| image["type"] == "signed").unwrap()["url"].as_str().unwrap();
    let (status, bytes) = curl(url);
    assert_eq!(status, 200);
    let decoded = decode(&bytes, &LIMITS).unwrap();
    (bytes, decoded.picture, decoded.format)
}

/// Python with Pillow, from set-up's packages where they are.
fn python(script: &str, arguments: &[&std::path::Path]) -> String {
    let mut python = Command::new("python3");
    let packages = root().join(".setup/site-packages");
    if packages.is_dir() {
        python.env("PYTHONPATH", packages);
    }
    let done = python.args(["-c", script]).args(arguments).output().expect("python3 is wanted");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}(Pillow 11.3 or newer is wanted: `make setup-test` fetches it)");
    String::from_utf8(done.stdout).unwrap()
}

const COMPARE: &str = "
import sys
from PIL import Image
raw = open(sys.argv[1], 'rb').read()
for path in sys.argv[2:]:
    picture = Image.open(path)
    picture.load()
    profile = picture.info.get('icc_profile') or b''
    same = picture.mode == 'RGB' and picture.tobytes() == raw
    print(picture.format, picture.size[0], picture.size[1], same, len(profile))
";

#[test]
fn lossless_files_hold_the_same_pixels_in_pillow() {
    let picture =
        RgbImage::from_fn(333, 201, |x, y| Rgb([(x * 7 + y) as u8, (x ^ y) as u8, (x * y % 251) as u8]));
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("pixels");
    std::fs::write(&raw, picture.as_raw()).unwrap();
    let mut paths = vec![raw];
    for format in [Format::Png, Format::Webp, Format::Avif] {
        let path = folder.path().join(format!("lossless.{}", format.extension()));
        let bytes = encode(&picture, &Output { format, quality: 95, lossless: true }).unwrap();
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let paths: Vec<_> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let said = python(COMPARE, &paths);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines, ["PNG 333 201 True 0", "WEBP 333 201 True 588", "AVIF 333 201 True 0"]);
}

#[test]
fn each_format_is_drawn_named_and_served_as_itself() {
    let house = House::shared();
    for (format, extension, magic) in [
        (Format::Jpeg, ".jpg", &b"\xff\xd8\xff"[..]),
        (Format::Png, ".png", b"\x89PNG"),
        (Format::Webp, ".webp", b"RIFF"),
        (Format::Avif, ".avif", b"\0\0\0"),
    ] {
        for lossless in [false, true] {
            if lossless && format == Format::Jpeg {
                continue;
            }
            let (job, done) = house.draw(&json!({
                "prompt": "a red hoodie", "steps": 1, "strict": true,
                "format": format.name(), "lossless": lossless, "quality": 60
            }));
            assert_eq!(job["format"], format.name());
            assert_eq!(
                (&done["meta"]["format"], &done["meta"]["lossless"]),
                (&json!(format.name()), &json!(lossless))
            );
            let (bytes, picture, found) = picture_of(&done);
            assert_eq!((found, picture.dimensions()), (format, (1344, 768)));
            assert!(bytes.starts_with(magic));
            for image in done["meta"]["images"].as_array().unwrap() {
                assert!(image["filename"].as_str().unwrap().ends_with(extension), "{image}");
                let small = decode(&curl(image["url"].as_str().unwrap()).1, &LIMITS).unwrap();
                assert_eq!(small.format, format, "the thumbnail too");
            }
        }
    }
}

/// Whether a colour is nearly this one: other marks may be in the pixels too.
fn near(picture: &RgbImage, x: u32, y: u32, color: [u8; 3]) -> bool {
    picture.get_pixel(x, y).0.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 24)
}

#[test]
fn a_watermark_is_where_and_as_it_was_asked_for() {
    let house = House::shared();
    let draw = |more: Value| {
        let mut body = json!({
            "prompt": "a red hoodie", "steps": 1, "seed": 3, "format": "png", "strict": true,
            "width": 1024, "height": 1024, "wm_image": data_uri("image/svg+xml", HALF_RED)
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        picture_of(&house.draw(&body).1).1
    };
    // 205x102 at the lower right, 10 from the edges.
    let plain = draw(json!({"wm_scale": 20}));
    assert!(near(&plain, 1024 - 10 - 150, 1024 - 10 - 50, [255, 0, 0]));
    assert!(near(&plain, 1024 - 10 - 50, 1024 - 10 - 50, [0, 0, 255]));
    assert!(!near(&plain, 1024 - 5, 1024 - 5, [0, 0, 255]), "the padding is free");
    // A quarter turn clockwise puts the left half on top.
    let turned = draw(json!({"wm_scale": 20, "wm_rotation": 90, "wm_position": "top-left"}));
    assert!(near(&turned, 10 + 50, 10 + 50, [255, 0, 0]));
    assert!(near(&turned, 10 + 50, 10 + 150, [0, 0, 255]));
    let none = draw(json!({"wm_scale": 20, "wm_transparency": 0}));
    assert!(!near(&none, 1024 - 10 - 150, 1024 - 10 - 50, [255, 0, 0]));
}

#[test]
fn a_brand_mark_is_drawn_where_none_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let brand = folder.path().join("brand.svg");
    std::fs::write(&brand, HALF_RED).unwrap();
    let house = House::start(&[("IMGEN_BRAND_MARK", brand.to_str().unwrap())]);
    // What was opened at the start is what is drawn.
    std::fs::remove_file(&brand).unwrap();
    let body = json!({"prompt": "a red hoodie", "steps": 1, "format": "png", "width": 1024, "height": 1024,
        "wm_scale": 40, "wm_position": "center"});
    let (_, picture, _) = picture_of(&house.draw(&body).1);
    assert!(near(&picture, 512 - 100, 512, [255, 0, 0]) && near(&picture, 512 + 100, 512, [0, 0, 255]));
}
