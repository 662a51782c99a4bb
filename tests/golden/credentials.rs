//! Signed pictures of every format, beside c2pa-python, whose core is newer than the crate here; and the public rubric.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use image::RgbImage;
use imgen::credentials::{
    Claim, Credentials, CredentialsConfig, Ingredient, Provenance, Signed, SoftBinding, State,
};
use imgen::finish::{encode, thumbnail};
use imgen::plan::{self, Format, Output};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::fixtures;

/// Every format, lossy and lossless where it can be.
const OUTPUTS: [(&str, Format, u8, bool); 6] = [
    ("jpeg-85", Format::Jpeg, 85, false),
    ("png", Format::Png, 100, true),
    ("webp-80", Format::Webp, 80, false),
    ("webp-lossless", Format::Webp, 100, true),
    ("avif-60", Format::Avif, 60, false),
    ("avif-lossless", Format::Avif, 100, true),
];

/// What `tests/fixtures/credentials/read_all.py` says of a folder.
#[derive(Debug, Deserialize)]
struct Answer {
    core: String,
    pictures: BTreeMap<String, Picture>,
}

#[derive(Debug, Deserialize)]
struct Picture {
    /// State and failures without any anchor.
    alone: (String, Vec<String>),
    /// The same with our root as anchor.
    anchored: (String, Vec<String>),
    /// What the rubric objects to.
    objections: Value,
    /// Statements of the rubric that do not notice their violation.
    blind: Vec<String>,
    statements: usize,
    /// Positions of the picture where a changed byte went unnoticed.
    missed: Vec<usize>,
}

fn scene() -> RgbImage {
    image::open(fixtures::path("pdq/scene_1344x768.png")).unwrap().to_rgb8()
}

fn provenance(nth: usize) -> Provenance {
    Provenance {
        credentials: plan::Credentials {
            title: "A scene".to_owned(),
            author: "Ada Example".to_owned(),
            description: "made for a test".to_owned(),
            vendor: "Example Vendor".to_owned(),
            ..plan::Credentials::default()
        },
        model: "starter".to_owned(),
        model_sha256: Some("ab".repeat(32)),
        recipe_sha256: Some("cd".repeat(32)),
        seed: Some(7),
        prompt: Some("never to be seen".to_owned()),
        ..Provenance::new(format!("golden/{nth}"), OffsetDateTime::now_utc())
    }
}

fn open(data: &Path) -> Credentials {
    Credentials::open(&CredentialsConfig::default(), data, OffsetDateTime::now_utc()).unwrap()
}

/// A picture and its thumbnail, signed.
fn both(credentials: &Credentials, picture: &RgbImage, nth: usize) -> [Signed; 2] {
    let (_, format, quality, lossless) = OUTPUTS[nth];
    let output = Output { format, quality, lossless };
    let provenance = provenance(nth);
    let soft_binding =
        SoftBinding { alg: "org.imgen.tile-spread.1".to_owned(), value_hex: "00112233aabbccdd".to_owned() };
    let claim =
        Claim { soft_binding: Some(soft_binding), visible_watermark: true, ..Claim::new(&provenance) };
    let full = credentials.sign(&encode(picture, &output).unwrap(), format, &claim).unwrap();
    let small = Claim { ingredient: Some(Ingredient::FullPicture(&full)), ..Claim::new(&provenance) };
    let thumbnail = encode(&thumbnail(picture).unwrap(), &output).unwrap();
    let thumbnail = credentials.sign(&thumbnail, format, &small).unwrap();
    [full, thumbnail]
}

/// Python with c2pa-python 0.38.1: what set-up unpacked, or what is installed.
fn ask_python(folder: &Path) -> Answer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    let packages = root.join(".setup/site-packages");
    if packages.is_dir() {
        python.env("PYTHONPATH", packages);
    }
    let done = python.arg(fixtures::path("credentials/read_all.py")).arg(folder).output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "c2pa-python is wanted (`make setup-test` fetches it): {error}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn c2pa_python_trusts_every_format_and_its_thumbnails_and_the_rubric_has_no_objection() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let credentials = open(data.path());
    std::fs::write(folder.path().join("root.pem"), credentials.root_pem().unwrap()).unwrap();
    let picture = scene();
    for (nth, (name, format, ..)) in OUTPUTS.iter().enumerate() {
        for (signed, part) in both(&credentials, &picture, nth).iter().zip(["full", "thumbnail"]) {
            let file = format!("{name}-{part}.{}", format.extension());
            std::fs::write(folder.path().join(file), &signed.bytes).unwrap();
        }
    }
    let answer = ask_python(folder.path());
    assert_eq!(answer.core, "0.91.3");
    assert_eq!(answer.pictures.len(), 2 * OUTPUTS.len());
    for (name, picture) in answer.pictures {
        assert_eq!(
            picture.alone,
            ("Valid".to_owned(), vec!["signingCredential.untrusted".to_owned()]),
            "{name}"
        );
        assert_eq!(picture.anchored, ("Trusted".to_owned(), vec![]), "{name}");
        assert_eq!(picture.missed, Vec::<usize>::new(), "{name}: a changed byte went unnoticed");
        assert_eq!(picture.objections, serde_json::json!({}), "{name}");
        assert_eq!(picture.blind, Vec::<String>::new(), "{name}: statements that notice nothing");
        assert_eq!(picture.statements, 25);
    }
}

#[test]
fn a_changed_byte_of_any_format_is_noticed() {
    let data = tempfile::tempdir().unwrap();
    let credentials = open(data.path());
    let picture = thumbnail(&scene()).unwrap();
    for (nth, (name, format, ..)) in OUTPUTS.iter().enumerate() {
        for signed in both(&credentials, &picture, nth) {
            assert_eq!(credentials.read(&signed.bytes, *format).state, Some(State::Trusted), "{name}");
            let begin = signed.bytes.windows(64).position(|part| signed.manifest.starts_with(part)).unwrap();
            let inside = begin..begin + signed.manifest.len();
            let step = 997.min(signed.bytes.len() / 60);
            for position in (0..signed.bytes.len()).step_by(step).filter(|at| !inside.contains(at)) {
                let mut changed = signed.bytes.clone();
                changed[position] ^= 1 << (position % 8);
                let state = credentials.read(&changed, *format).state;
                assert!(!matches!(state, Some(State::Trusted | State::Valid)), "{name}: byte {position}");
            }
        }
    }
}
