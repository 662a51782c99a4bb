//! An operator's chain: key files, passwords, programs that sign, and what is wrong with each.

use std::fs;
use std::time::{Duration, Instant};

use super::*;

fn open(config: &CredentialsConfig) -> Result<Credentials, CredentialsError> {
    let data = tempfile::tempdir().unwrap();
    Credentials::open(config, data.path(), now())
}

fn refusal(config: &CredentialsConfig) -> CredentialsError {
    open(config).expect_err("this should not open")
}

#[test]
fn a_chain_and_a_key_sign() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    let config = operators_config(folder.path());
    let credentials = open(&config).unwrap();
    assert_eq!(credentials.root_pem(), None);
    let signed = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &claim(&provenance())).unwrap();
    assert_eq!(credentials.read(&signed.bytes, Format::Jpeg).state, Some(State::Trusted));
    // Without the operator's root among the anchors it is whole, and nobody's.
    let stranger = open(&CredentialsConfig { trust_anchors_file: "".into(), ..config }).unwrap();
    let report = stranger.read(&signed.bytes, Format::Jpeg);
    assert_eq!(report.state, Some(State::Valid));
    assert!(report.reasons[0].starts_with("signingCredential.untrusted"), "{:?}", report.reasons);
}

#[test]
fn an_encrypted_key_opens_with_its_password_only() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    for scheme in
        [&["-v2", "aes-256-cbc"][..], &["-scrypt"], &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"]]
    {
        let words =
            ["pkcs8", "-topk8", "-in", "leaf.key", "-out", "closed.key", "-passout", "pass:open sesame"];
        openssl(folder.path(), &[&words[..], scheme].concat());
        let with = |password: &str| CredentialsConfig {
            key_file: folder.path().join("closed.key"),
            key_password: crate::storage::Secret::new(password),
            ..operators_config(folder.path())
        };
        assert!(open(&with("open sesame")).is_ok(), "{scheme:?}");
        // Many wrong ones, because one in 256 leaves a padding that looks right.
        for i in 0..if scheme[0] == "-scrypt" { 3 } else { 300 } {
            let refused = refusal(&with(&format!("wrong {i}")));
            assert!(matches!(refused, CredentialsError::WrongPassword { .. }), "{refused}");
            assert!(!refused.to_string().contains("wrong {i}"));
        }
        assert!(matches!(refusal(&with("")), CredentialsError::PasswordNeeded { .. }));
    }
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    let config =
        CredentialsConfig { key_file: folder.path().join("int.key"), ..operators_config(folder.path()) };
    assert!(matches!(refusal(&config), CredentialsError::KeyMismatch { .. }));
    for (text, says) in
        [("", "no private key"), ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "P-256")]
    {
        fs::write(folder.path().join("bad.key"), text).unwrap();
        let config =
            CredentialsConfig { key_file: folder.path().join("bad.key"), ..operators_config(folder.path()) };
        let refused = refusal(&config).to_string();
        assert!(refused.contains(says), "{refused}");
    }
    openssl(folder.path(), &["ec", "-in", "leaf.key", "-out", "sec1.key"]);
    let config =
        CredentialsConfig { key_file: folder.path().join("sec1.key"), ..operators_config(folder.path()) };
    assert!(refusal(&config).to_string().contains("topk8"));
    openssl(
        folder.path(),
        &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "p384.key"],
    );
    let config =
        CredentialsConfig { key_file: folder.path().join("p384.key"), ..operators_config(folder.path()) };
    assert!(refusal(&config).to_string().contains("P-256"));
}

#[test]
fn certificates_that_no_validator_takes_are_refused_at_the_start() {
    let without = |what: &str, instead: &str| FIT.replace(what, instead);
    for (extensions, says) in [
        (without("emailProtection,", ""), "emailProtection"),
        (without("emailProtection", "serverAuth"), "emailProtection"),
        (without("emailProtection", "anyExtendedKeyUsage"), "not any"),
        (without("digitalSignature", "keyEncipherment"), "digitalSignature"),
        (without("CA:FALSE", "CA:TRUE"), "authority"),
        (without("extendedKeyUsage", "#"), "extended key usage"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        operators_files(folder.path(), "300", &extensions);
        let refused = refusal(&operators_config(folder.path()));
        assert!(matches!(refused, CredentialsError::Unusable { .. }), "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
    // What this room does not look for, c2pa finds when the white pixel is signed.
    let folder = tempfile::tempdir().unwrap();
    operators_files(
        folder.path(),
        "300",
        &without("authorityKeyIdentifier=keyid:always", "authorityKeyIdentifier=none"),
    );
    let refused = refusal(&operators_config(folder.path()));
    assert!(matches!(refused, CredentialsError::Signing { .. }), "{refused}");
}

#[test]
fn a_chain_out_of_order_or_unreadable_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let leaf = read("leaf.pem");
    for (chain, says) in [
        (String::new(), "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), "certificates"),
        (leaf.clone() + &read("root.pem"), "not issued by"),
        (read("int.pem") + &leaf, "not issued by"),
        (leaf.clone() + &read("int.pem") + &read("root.pem").repeat(7), "more than"),
        (read("leaf.key"), "no certificate"),
    ] {
        fs::write(folder.path().join("chain.pem"), &chain).unwrap();
        let refused = refusal(&operators_config(folder.path())).to_string();
        assert!(refused.contains(says), "{says}: {refused}");
    }
    let missing =
        CredentialsConfig { chain_file: folder.path().join("missing"), ..operators_config(folder.path()) };
    assert!(matches!(refusal(&missing), CredentialsError::File { .. }));
}

#[test]
fn an_expired_certificate_signs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "1", FIT);
    let credentials = open(&operators_config(folder.path())).unwrap();
    credentials.check(now()).unwrap();
    let later = now() + time::Duration::days(2);
    assert!(matches!(credentials.check(later).unwrap_err(), CredentialsError::Expired { .. }));
    let earlier = now() - time::Duration::days(2);
    assert!(matches!(credentials.check(earlier).unwrap_err(), CredentialsError::NotYetValid { .. }));
    // One that ended long ago does not even open.
    let then = now() - time::Duration::days(800);
    let root = private_ca::make_root("Operator", then).unwrap();
    let parsed = chain::certificates(root.chain_pem.as_bytes(), Path::new("root")).unwrap().remove(0);
    let made = private_ca::make_signer(&parsed, &root.key_pem, "Operator", then).unwrap();
    fs::write(folder.path().join("chain.pem"), made.chain_pem).unwrap();
    fs::write(folder.path().join("leaf.key"), made.key_pem).unwrap();
    let refused = refusal(&operators_config(folder.path()));
    assert!(matches!(refused, CredentialsError::Expired { .. }), "{refused}");
}

/// A program that signs with openssl, in the operator's folder.
fn command(folder: &Path, script: &str) -> CredentialsConfig {
    fs::write(folder.join("sign.sh"), script).unwrap();
    let words = ["sh".to_owned(), folder.join("sign.sh").display().to_string(), folder.display().to_string()]
        .to_vec();
    CredentialsConfig {
        key_file: "".into(),
        signer_command: Argv(words),
        signer_timeout_s: 2,
        ..operators_config(folder)
    }
}

#[test]
fn a_program_signs() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    let config = command(folder.path(), "exec openssl dgst -sha256 -sign \"$1/leaf.key\"\n");
    let credentials = open(&config).unwrap();
    let signed = credentials.sign(&encoded(Format::Png), Format::Png, &claim(&provenance())).unwrap();
    assert_eq!(credentials.read(&signed.bytes, Format::Png).state, Some(State::Trusted));
}

#[test]
fn a_program_that_does_not_is_known_for_what_it_does() {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    for (script, says, temporary) in [
        ("echo garbage\n", "no P-256 signature", false),
        ("head -c 64 /dev/zero\n", "no P-256 signature", false),
        ("cat /dev/zero\n", "", true),
        ("exit 7\n", "exit status: 7", true),
        ("sleep 30\n", "longer than 2 s", true),
        ("sleep 30 & exit 0\n", "standard output", true),
    ] {
        let begun = Instant::now();
        let refused = refusal(&command(folder.path(), script));
        assert!(matches!(refused, CredentialsError::Command { .. }), "{script}: {refused}");
        assert!(refused.to_string().contains(says), "{script}: {refused}");
        assert_eq!(refused.is_temporary(), temporary, "{script}: {refused}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{script}");
    }
    let other = command(folder.path(), "exec openssl dgst -sha256 -sign \"$1/int.key\"\n");
    assert!(matches!(refusal(&other), CredentialsError::KeyMismatch { .. }));
    let mut missing = command(folder.path(), "");
    missing.signer_command = Argv(vec!["/nowhere/sign".to_owned()]);
    assert!(refusal(&missing).to_string().contains("/nowhere/sign"));
}

#[test]
fn what_an_earlier_root_signed_stays_trusted() {
    let data = tempfile::tempdir().unwrap();
    let own = Credentials::open(&CredentialsConfig::default(), data.path(), now()).unwrap();
    let signed = own.sign(&encoded(Format::Png), Format::Png, &claim(&provenance())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    let config = operators_config(folder.path());
    let moved = Credentials::open(&config, data.path(), now()).unwrap();
    assert_eq!(moved.read(&signed.bytes, Format::Png).state, Some(State::Trusted));
    assert_eq!(open(&config).unwrap().read(&signed.bytes, Format::Png).state, Some(State::Valid));
}
