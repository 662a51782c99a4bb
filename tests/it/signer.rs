//! An operator's signing program: what it signs is delivered, and when it fails nothing is.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::house::{House, curl};
use crate::verify::verified;

/// The parts of a PEM file whose label contains `label`.
fn parts(pem: &str, label: &str) -> String {
    pem.split_inclusive("-----END ")
        .flat_map(|text| text.split("-----BEGIN ").skip(1))
        .filter_map(|part| {
            part.split_once("-----").map(|(name, body)| (name, body.trim_end_matches("-----END ")))
        })
        .filter(|(name, _)| name.contains(label))
        .map(|(name, body)| format!("-----BEGIN {name}-----{body}-----END {name}-----\n"))
        .collect()
}

/// The key and the chain that a service makes for itself, as an operator's files, and a program that signs with them until a
/// file named `broken` lies beside it.
fn operators_files(folder: &Path) {
    let made = Command::new(env!("CARGO_BIN_EXE_imgen"))
        .current_dir(folder)
        .env("IMGEN_DATA_DIR", folder)
        .args(["certs", "root"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let signer = fs::read_to_string(folder.join("credentials/signer.pem")).unwrap();
    fs::write(folder.join("leaf.key"), parts(&signer, "PRIVATE KEY")).unwrap();
    fs::write(folder.join("chain.pem"), parts(&signer, "CERTIFICATE")).unwrap();
    let script = "[ ! -e \"$1/broken\" ] && exec openssl dgst -sha256 -sign \"$1/leaf.key\"\n";
    fs::write(folder.join("sign.sh"), script).unwrap();
}

#[test]
fn a_program_that_stops_signing_stops_delivery() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let house = House::start(&[
        ("IMGEN_C2PA_CHAIN", &path("chain.pem")),
        ("IMGEN_C2PA_SIGNER", &format!("sh {} {}", path("sign.sh"), folder.path().display())),
    ]);
    let wish = json!({"prompt": "a red hoodie", "steps": 1, "format": "png"});
    let (_, done) = house.draw(&wish);
    assert_eq!(done["status"], "COMPLETED", "{done}");
    let (status, bytes) = curl(done["meta"]["images"][0]["url"].as_str().unwrap());
    assert_eq!(status, 200);
    assert_eq!(
        verified(&house, "png", &bytes)["c2pa"]["state"],
        "Valid",
        "its root is not among the anchors"
    );

    fs::write(path("broken"), "").unwrap();
    let (_, failed) = house.draw(&wish);
    assert_eq!(failed["status"], "FAILED", "{failed}");
    assert!(!failed.to_string().contains("http"), "{failed}");
}
