//! Own certificates, an operator's, programs that sign, time-stamp authorities, and what readers make of it all.
//!
//! `openssl` stands for the rest of the world: it makes the operator's keys and certificates, signs, and stamps time.

mod operators;
mod own;
mod pictures;
mod strangers;
mod timestamps;

use std::path::Path;
use std::process::Command;

use image::{ImageFormat, Rgb, RgbImage};
use time::OffsetDateTime;

use super::*;
use crate::plan;

/// The process's clock, which c2pa goes by.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn scene() -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, ((x * 7 + y * 13) % 251) as u8]))
}

fn encoded(format: Format) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let kind = match format {
        Format::Jpeg => ImageFormat::Jpeg,
        _ => ImageFormat::Png,
    };
    scene().write_to(&mut bytes, kind).unwrap();
    bytes.into_inner()
}

fn provenance() -> Provenance {
    Provenance {
        credentials: plan::Credentials {
            title: "A title".to_owned(),
            author: "Ada Example".to_owned(),
            ..plan::Credentials::default()
        },
        model: "starter".to_owned(),
        model_sha256: Some("ab".repeat(32)),
        recipe_sha256: Some("cd".repeat(32)),
        seed: Some(7),
        character_rights: Some(plan::CharacterRights {
            rights: "Invented; depicts nobody.".to_owned(),
            licence: "CC0-1.0".to_owned(),
        }),
        prompt: Some("a secret prompt".to_owned()),
        ..Provenance::new("a test", now())
    }
}

fn claim(provenance: &Provenance) -> Claim<'_> {
    Claim {
        soft_binding: Some(SoftBinding {
            alg: "org.imgen.tile-spread.1".to_owned(),
            value_hex: "00112233aabbccdd".to_owned(),
        }),
        visible_watermark: true,
        ..Claim::new(provenance)
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let done = Command::new("openssl").args(words).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// An operator's root, intermediate and signer as openssl makes them: `root.pem`, `chain.pem`, `leaf.key` (PKCS#8).
fn operators_files(folder: &Path, leaf_days: &str, leaf_extensions: &str) {
    let key = |name: &str| {
        openssl(
            folder,
            &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name],
        );
    };
    key("root.key");
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            "root.key",
            "-subj",
            "/O=Operator/CN=Operator Root",
            "-days",
            "3650",
            "-out",
            "root.pem",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
    );
    let ca = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n";
    for (name, subject, issuer, days, extensions) in [
        ("int", "/O=Operator/CN=Operator Intermediate", "root", "1000", ca),
        ("leaf", "/O=Operator/CN=Operator Signer", "int", leaf_days, leaf_extensions),
    ] {
        let file = |ending: &str| format!("{name}.{ending}");
        key(&file("key"));
        std::fs::write(folder.join(file("ext")), extensions).unwrap();
        openssl(folder, &["req", "-new", "-key", &file("key"), "-subj", subject, "-out", &file("csr")]);
        let (ca, ca_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        openssl(
            folder,
            &[
                "x509",
                "-req",
                "-in",
                &file("csr"),
                "-CA",
                &ca,
                "-CAkey",
                &ca_key,
                "-CAcreateserial",
                "-days",
                days,
                "-sha256",
                "-extfile",
                &file("ext"),
                "-out",
                &file("pem"),
            ],
        );
    }
    let chain =
        ["leaf.pem", "int.pem"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).concat();
    std::fs::write(folder.join("chain.pem"), chain).unwrap();
}

/// What a signer's certificate needs.
const FIT: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection,1.3.6.1.4.1.62558.2.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n";

/// Settings for the operator's files in `folder`.
fn operators_config(folder: &Path) -> CredentialsConfig {
    CredentialsConfig {
        chain_file: folder.join("chain.pem"),
        key_file: folder.join("leaf.key"),
        trust_anchors_file: folder.join("root.pem"),
        ..CredentialsConfig::default()
    }
}
