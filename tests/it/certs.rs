//! `imgen certs`, as it is run.

use std::path::Path;
use std::process::{Command, Output};

fn certs(data: &Path, what: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imgen"))
        .current_dir(data)
        .env("IMGEN_DATA_DIR", data)
        .env("IMGEN_C2PA_ORGANIZATION", "Example Org")
        .args(["certs", what])
        .output()
        .unwrap()
}

fn printed(done: &Output) -> String {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout.clone()).unwrap()
}

#[test]
fn the_root_is_made_once_and_openssl_can_read_it() {
    let data = tempfile::tempdir().unwrap();
    let root = printed(&certs(data.path(), "root"));
    assert!(root.starts_with("-----BEGIN CERTIFICATE-----\n") && !root.contains("PRIVATE"), "{root}");
    assert_eq!(printed(&certs(data.path(), "root")), root);
    let path = data.path().join("root.pem");
    std::fs::write(&path, &root).unwrap();
    let signer = data.path().join("credentials/signer.pem");
    let verified = Command::new("openssl")
        .args(["verify", "-purpose", "smimesign", "-x509_strict", "-CAfile"])
        .args([&path, Path::new("-untrusted"), &signer, &signer])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let shown = printed(&certs(data.path(), "show"));
    assert!(
        shown.contains("O=Example Org, CN=Example Org image signer") && shown.matches("sha256").count() == 2,
        "{shown}"
    );
}

#[test]
fn what_cannot_sign_is_said() {
    let data = tempfile::tempdir().unwrap();
    printed(&certs(data.path(), "root"));
    std::fs::write(data.path().join("credentials/root.pem"), "broken").unwrap();
    let refused = certs(data.path(), "root");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("root.pem"), "{said}");
}
