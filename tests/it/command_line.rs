//! `imgen verify` beside a running service, and `imgen finish` on pictures that it did not draw.

use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, Rgba, RgbaImage};
use imgen::credentials::{CredentialsConfig, Reader, State};
use imgen::plan::Format;
use serde_json::{Value, json};

use crate::house::{House, root};
use crate::verify::{jpeg, made, verified};

fn finish(data: &Path, more: &[&str]) -> Output {
    finish_picture(&root().join("tests/fixtures/pdq/scene_512x293.png"), data, "out.jpg", more)
}

/// `name` is that of the finished picture, in the data folder.
fn finish_picture(picture: &Path, data: &Path, name: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imgen"))
        .arg("finish")
        .arg(picture)
        .arg("--out")
        .arg(data.join(name))
        .args(more)
        .current_dir(root())
        .env("IMGEN_DATA_DIR", data)
        .output()
        .unwrap()
}

/// The digital source types that the finished picture claims: of its creation and of its metadata.
fn claimed(data: &Path) -> [Value; 2] {
    let reader = Reader::open(&CredentialsConfig::default(), data).unwrap();
    let report = reader.read(&std::fs::read(data.join("out.jpg")).unwrap(), Format::Jpeg);
    assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
    let store = report.manifest.unwrap();
    let assertions = store["manifests"][report.manifest_id.unwrap()]["assertions"].clone();
    let of = |label: &str| {
        let found = assertions.as_array().unwrap().iter().find(|found| found["label"] == label);
        found.unwrap_or_else(|| panic!("no {label}"))["data"].clone()
    };
    let created = of("c2pa.actions.v2")["actions"][0].clone();
    assert_eq!(created["action"], "c2pa.created");
    [created["digitalSourceType"].clone(), of("c2pa.metadata")["Iptc4xmpExt:DigitalSourceType"].clone()]
}

#[test]
fn a_picture_claims_to_come_from_where_it_was_said_to() {
    let data = tempfile::tempdir().unwrap();
    for (said, due) in [
        (&[][..], "trainedAlgorithmicMedia"),
        (&["--source-type", "digitalCapture"], "digitalCapture"),
        (&["--source-type", "humanEdits"], "humanEdits"),
    ] {
        let done = finish(data.path(), said);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let due = Value::from(format!("http://cv.iptc.org/newscodes/digitalsourcetype/{due}"));
        assert_eq!(claimed(data.path()), [due.clone(), due]);
    }
    for wrong in ["photograph", "digitalcapture", ""] {
        let refused = finish(data.path(), &["--source-type", wrong]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("digitalCapture, "), "{said}");
    }
}

#[test]
fn what_cannot_be_finished_is_said_by_its_flag_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    for (flag, value) in [
        ("--quality", "0"),
        ("--quality", "-5"),
        ("--record", "xyz"),
        ("--format", "gif"),
        ("--lossless", ""),
        ("--wm-image", "/nowhere/mark.png"),
        ("--wm-position", "middle"),
        ("--wm-scale", "-1"),
        ("--wm-transparency", "101"),
        ("--wm-rotation", "361"),
        ("--wm-padding-x", "501"),
        ("--wm-padding-y", "-1"),
    ] {
        let words = [flag, value];
        let refused = finish(data.path(), if value.is_empty() { &words[..1] } else { &words });
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(flag), "{flag} {value}: {said}");
        assert!(refused.stdout.is_empty(), "{flag} {value}");
    }
    // A thumbnail that cannot be written keeps the picture back as well.
    let same = data.path().join("out.jpg");
    for place in
        ["/proc/nowhere/small.jpg", "/dev/null", data.path().to_str().unwrap(), same.to_str().unwrap()]
    {
        let refused = finish(data.path(), &["--thumbnail", place]);
        assert!(!refused.status.success(), "{place}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(place), "{refused:?}");
    }
    let left = std::fs::read_dir(data.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert_eq!(left.filter(|name| name.contains("out.jpg")).count(), 0);
}

#[test]
fn a_picture_from_elsewhere_gets_the_brand_mark_and_loses_its_transparency() {
    let data = tempfile::tempdir().unwrap();
    let picture = data.path().join("clear.png");
    RgbaImage::from_pixel(300, 200, Rgba([255, 0, 0, 0])).save(&picture).unwrap();
    let mark = data.path().join("mark.svg");
    let square = "<rect width='9' height='9' fill='#0000ff'/>";
    std::fs::write(
        &mark,
        format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>{square}</svg>"),
    )
    .unwrap();
    let config = data.path().join("imgen.toml");
    std::fs::write(&config, format!("[finish]\nbrand_mark = {:?}\n", mark.to_str().unwrap())).unwrap();
    let flags =
        ["--no-mark", "--config", config.to_str().unwrap(), "--wm-scale", "10", "--wm-position", "top-left"];
    let done = finish_picture(&picture, data.path(), "made/here/out.png", &flags);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let finished = image::open(data.path().join("made/here/out.png")).unwrap().to_rgb8();
    assert_eq!((finished[(25, 25)], finished[(150, 100)]), (Rgb([0, 0, 255]), Rgb([255; 3])));

    // Once signed, its history goes on, and is not said anew.
    let out = data.path().join("made/here/out.png");
    let refused =
        finish_picture(&out, data.path(), "again.webp", &["--no-mark", "--source-type", "digitalCapture"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--source-type"), "{refused:?}");
    let again =
        finish_picture(&data.path().join("made/here/out.png"), data.path(), "again.webp", &["--no-mark"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let reader = Reader::open(&CredentialsConfig::default(), data.path()).unwrap();
    let report = reader.read(&std::fs::read(data.path().join("again.webp")).unwrap(), Format::Webp);
    assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
    let store = report.manifest.unwrap().to_string();
    assert!(store.contains("c2pa.opened") && store.contains("parentOf"), "{store}");
}

#[test]
fn the_command_line_says_the_same_with_and_without_a_data_folder() {
    let house = House::shared();
    let made = made(&house, "jpeg", 51);
    let file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
    std::fs::write(file.path(), &made.bytes).unwrap();
    let path = file.path().to_str().unwrap();
    let told: Value = serde_json::from_str(&house.cli(&["verify", path, "--json"])).unwrap();
    let asked = verified(&house, "jpeg", &made.bytes);
    for (part, names) in [
        ("c2pa", &["present", "state", "reasons"][..]),
        ("mark", &["found", "record", "bit_errors", "confidence"]),
        ("pdq", &["hash", "quality", "matches"]),
    ] {
        let found = told[part].as_object().unwrap();
        assert_eq!(found.len(), names.len(), "{part}: {told:#}");
        for name in names {
            assert_eq!(found[*name], asked[part][*name], "{part}.{name}");
        }
    }
    assert_eq!(told.as_object().unwrap().len(), 3);
    let read = house.cli(&["verify", path]);
    assert!(
        read.starts_with("verdict   certain: record ") && read.contains("prompt    a red hoodie"),
        "{read}"
    );
    assert!(read.lines().next().is_some_and(|verdict| verdict.ends_with(" by c2pa")), "{read}");
    std::fs::write(file.path(), jpeg(&made.pixels, 80)).unwrap();
    let stripped = house.cli(&["verify", path]);
    assert!(stripped.lines().next().is_some_and(|verdict| verdict.ends_with(" by mark")), "{stripped}");
    std::fs::write(file.path(), &made.bytes).unwrap();

    // Elsewhere there is no record, no root to trust, and nothing is made.
    let nowhere = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_imgen"))
        .args(["verify", path, "--json"])
        .current_dir(root())
        .env("IMGEN_DATA_DIR", nowhere.path().join("none"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let alone: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&alone["c2pa"]["state"], &alone["pdq"]["matches"]), (&json!("Valid"), &json!([])));
    assert_eq!(alone["mark"], told["mark"]);
    assert!(!nowhere.path().join("none").exists());
}
