//! RFC 3161: an authority made with openssl behind a small server, and every way in which one can fail.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// What the authority does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Honest,
    /// Answers an earlier request again.
    Replay,
    Refuse,
    Redirect,
    Garbage,
    Endless,
    Hang,
}

struct Authority {
    folder: tempfile::TempDir,
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Authority {
    fn start(manner: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        operators_files(
            folder.path(),
            "300",
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n",
        );
        fs::write(
            folder.path().join("tsa.cnf"),
            "[tsa]\ndefault_tsa = t\n[t]\ndir = .\nserial = ./serial\ncrypto_device = builtin\nsigner_digest = sha256\n\
             default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = no\n\
             ess_cert_id_chain = no\ness_cert_id_alg = sha256\n",
        )
        .unwrap();
        fs::write(folder.path().join("serial"), "01\n").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsa", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let (place, count, own) = (folder.path().to_owned(), asked.clone(), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                // A client that has had enough closes; that is its right.
                let _ = serve(stream, &place, manner, &own);
            }
        });
        Self { folder, url, asked }
    }

    fn config(&self, signer: &Path) -> CredentialsConfig {
        let both = ["root.pem"].map(|name| fs::read_to_string(signer.join(name)).unwrap()).concat()
            + &fs::read_to_string(self.folder.path().join("root.pem")).unwrap();
        fs::write(self.folder.path().join("anchors.pem"), both).unwrap();
        CredentialsConfig {
            timestamp_url: self.url.clone(),
            timestamp_timeout_s: 1,
            trust_anchors_file: self.folder.path().join("anchors.pem"),
            ..operators_config(signer)
        }
    }
}

fn serve(mut stream: TcpStream, folder: &Path, manner: Manner, own: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let body_at = loop {
        let got = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..got]);
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head
                .split("content-length:")
                .nth(1)
                .and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                break end + 4;
            }
        }
        if got == 0 {
            return Ok(());
        }
    };
    let mut answer = |head: &str, body: &[u8]| {
        write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
        stream.write_all(body)
    };
    let stamped = "200 OK\r\nContent-Type: application/timestamp-reply";
    match manner {
        Manner::Honest | Manner::Replay => {
            let kept = folder.join("reply.tsr");
            if manner == Manner::Honest || !kept.exists() {
                fs::write(folder.join("query.tsq"), &request[body_at..])?;
                openssl(
                    folder,
                    &[
                        "ts",
                        "-reply",
                        "-config",
                        "tsa.cnf",
                        "-queryfile",
                        "query.tsq",
                        "-signer",
                        "leaf.pem",
                        "-inkey",
                        "leaf.key",
                        "-chain",
                        "int.pem",
                        "-out",
                        "reply.tsr",
                    ],
                );
            }
            answer(stamped, &fs::read(kept)?)
        }
        Manner::Refuse => answer("503 Service Unavailable", b"later"),
        Manner::Redirect => answer(&format!("302 Found\r\nLocation: {own}/elsewhere"), b""),
        Manner::Garbage => answer(stamped, b"this is no time-stamp"),
        Manner::Endless => answer(stamped, &vec![0x30; 1 << 20]),
        Manner::Hang => {
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
    }
}

fn signer() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    operators_files(folder.path(), "300", FIT);
    folder
}

fn sign(config: &CredentialsConfig) -> (Result<Signed, CredentialsError>, Credentials) {
    let data = tempfile::tempdir().unwrap();
    let credentials = Credentials::open(config, data.path(), now()).unwrap();
    (credentials.sign(&encoded(Format::Png), Format::Png, &claim(&provenance())), credentials)
}

#[test]
fn an_honest_authoritys_stamp_is_in_the_picture_and_holds() {
    let (authority, signer) = (Authority::start(Manner::Honest), signer());
    let (signed, credentials) = sign(&authority.config(signer.path()));
    assert_eq!(authority.asked.load(Ordering::Relaxed), 1, "once a picture, not for the trial at the start");
    let report = credentials.read(&signed.unwrap().bytes, Format::Png);
    assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
    let manifest = report.manifest.unwrap();
    let active = &manifest["manifests"][report.manifest_id.unwrap()];
    assert!(active["signature_info"]["time"].is_string(), "{}", active["signature_info"]);
    let success = manifest["validation_results"]["activeManifest"]["success"].to_string();
    assert!(success.contains("timeStamp.validated"), "{success}");
    assert!(success.contains("timeStamp.trusted"), "{success}");
}

#[test]
fn a_stamp_of_an_authority_that_nobody_trusts_is_said_to_be_one_and_does_no_harm() {
    let authority = Authority::start(Manner::Honest);
    let own = CredentialsConfig { timestamp_url: authority.url.clone(), ..CredentialsConfig::default() };
    let (signed, credentials) = sign(&own);
    let report = credentials.read(&signed.unwrap().bytes, Format::Png);
    assert_eq!(report.state, Some(State::Trusted), "{:?}", report.reasons);
    let said = report.reasons.iter().any(|reason| reason.starts_with("timeStamp.untrusted"));
    assert!(said, "{:?}", report.reasons);
}

#[test]
fn an_authority_that_fails_stops_the_picture_or_is_done_without() {
    let signer = signer();
    for manner in [Manner::Refuse, Manner::Redirect, Manner::Garbage, Manner::Endless, Manner::Hang] {
        let authority = Authority::start(manner);
        let required = authority.config(signer.path());
        let begun = Instant::now();
        let refused = sign(&required).0.expect_err("no picture without its stamp");
        assert!(matches!(refused, CredentialsError::Timestamp { .. }), "{manner:?}: {refused}");
        assert!(refused.is_temporary());
        assert!(begun.elapsed() < Duration::from_secs(4), "{manner:?}: {:?}", begun.elapsed());
        assert_eq!(authority.asked.load(Ordering::Relaxed), 1, "{manner:?}");
        let config = CredentialsConfig { timestamp_policy: TimestampPolicy::BestEffort, ..required };
        let (signed, credentials) = sign(&config);
        let report = credentials.read(&signed.unwrap().bytes, Format::Png);
        assert_eq!(report.state, Some(State::Trusted), "{manner:?}: {:?}", report.reasons);
    }
}

#[test]
fn an_authority_that_is_not_there_obeys_the_policy_too() {
    let signer = signer();
    let authority = Authority::start(Manner::Honest);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config =
        CredentialsConfig { timestamp_url: format!("http://{port}/"), ..authority.config(signer.path()) };
    assert!(matches!(sign(&config).0.unwrap_err(), CredentialsError::Timestamp { .. }));
    let config = CredentialsConfig { timestamp_policy: TimestampPolicy::BestEffort, ..config };
    sign(&config).0.unwrap();
}

#[test]
fn an_answer_to_another_request_is_no_answer() {
    let (authority, signer) = (Authority::start(Manner::Replay), signer());
    let config = authority.config(signer.path());
    sign(&config).0.unwrap();
    let refused = sign(&config).0.unwrap_err();
    assert!(matches!(refused, CredentialsError::Timestamp { .. }), "{refused}");
}
