//! Files from anywhere: an answer every time, in bounded time, and never more than they earn.

use std::time::{Duration, Instant};

use super::*;

fn opened() -> (tempfile::TempDir, Credentials) {
    let data = tempfile::tempdir().unwrap();
    let credentials = Credentials::open(&CredentialsConfig::default(), data.path(), now()).unwrap();
    (data, credentials)
}

/// Puts a manifest store of any kind into a picture.
fn with_store(format: Format, store: &[u8]) -> Vec<u8> {
    c2pa::jumbf_io::save_jumbf_to_memory(format.content_type(), &encoded(format), store).unwrap()
}

#[test]
fn a_picture_without_a_manifest_has_none() {
    let (_data, credentials) = opened();
    for format in [Format::Jpeg, Format::Png] {
        let report = credentials.read(&encoded(format), format);
        let C2paReport { present, state, reasons, manifest_id, store_sha256, manifest } = report;
        assert!(!present && reasons.is_empty(), "{reasons:?}");
        assert_eq!((state, manifest_id, store_sha256, manifest), (None, None, None, None));
    }
}

#[test]
fn what_is_no_such_picture_is_said_to_be_none() {
    let (_data, credentials) = opened();
    for bytes in [&b""[..], b"%PDF-1.7", b"\0\0\0\x18ftypmp42", b"<svg/>", &encoded(Format::Png)] {
        let report = credentials.read(bytes, Format::Jpeg);
        assert!(!report.present && report.reasons == ["this is no image/jpeg"], "{report:?}");
    }
}

#[test]
fn a_signature_of_somebody_unknown_is_valid_and_no_more() {
    let (_data, credentials) = opened();
    let (_other, stranger) = opened();
    let signed = stranger.sign(&encoded(Format::Png), Format::Png, &claim(&provenance())).unwrap();
    let report = credentials.read(&signed.bytes, Format::Png);
    assert_eq!(report.state, Some(State::Valid));
    assert!(
        report.reasons.iter().any(|reason| reason.starts_with("signingCredential.untrusted")),
        "{:?}",
        report.reasons
    );
}

#[test]
fn a_manifest_of_another_picture_is_invalid() {
    let (_data, credentials) = opened();
    let signed = credentials.sign(&encoded(Format::Jpeg), Format::Jpeg, &claim(&provenance())).unwrap();
    for format in [Format::Jpeg, Format::Png] {
        let report = credentials.read(&with_store(format, &signed.manifest), format);
        // In its own picture it is at home again.
        let expected = if format == Format::Jpeg { State::Trusted } else { State::Invalid };
        assert_eq!(report.state, Some(expected), "{format:?}: {:?}", report.reasons);
    }
}

#[test]
fn stores_that_are_no_manifest_are_refused_in_no_time() {
    let (_data, credentials) = opened();
    let boxed = |kind: &[u8; 4], inside: &[u8]| {
        [&u32::try_from(inside.len() + 8).unwrap().to_be_bytes()[..], kind, inside].concat()
    };
    let deep = (0..2000).fold(Vec::new(), |inside, _| boxed(b"jumb", &inside));
    let wide = boxed(b"jumb", &boxed(b"free", b"").repeat(100_000));
    let described =
        [b"\0\0\0\x20jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0".as_slice(), &[0; 4]].concat();
    for store in [
        vec![],
        vec![0; 40],
        b"garbage that is longer than a header".to_vec(),
        deep,
        wide,
        boxed(b"jumb", &described),
    ] {
        let bytes = with_store(Format::Png, &store);
        let begun = Instant::now();
        let report = credentials.read(&bytes, Format::Png);
        assert!(!matches!(report.state, Some(State::Trusted | State::Valid)), "{report:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        credentials.read_manifest(&store);
    }
}

#[test]
fn broken_files_never_pass_and_never_panic_out() {
    let (_data, credentials) = opened();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for format in [Format::Jpeg, Format::Png] {
        let signed = credentials.sign(&encoded(format), format, &claim(&provenance())).unwrap();
        let at = signed.bytes.windows(64).position(|window| signed.manifest.starts_with(window)).unwrap();
        for _ in 0..400 {
            let mut bytes = signed.bytes.clone();
            for _ in 0..=chance(3) {
                // Most of the blows go to the manifest, where the parsers are.
                let position =
                    if chance(4) > 0 { at + chance(signed.manifest.len()) } else { chance(bytes.len()) };
                bytes[position] = chance(256) as u8;
            }
            if chance(4) == 0 {
                bytes.truncate(chance(bytes.len()));
            }
            let report = credentials.read(&bytes, format);
            if bytes != signed.bytes && report.state == Some(State::Trusted) {
                // Only what C2PA itself leaves open: padding that no hash covers.
                assert_eq!(report.manifest_id.as_ref(), Some(&signed.manifest_id));
            }
            assert!(
                report.reasons.len() <= 50
                    && report.reasons.iter().all(|reason| reason.chars().count() <= 300)
            );
        }
    }
}

#[test]
fn a_manifest_that_is_elsewhere_is_not_fetched() {
    let (_data, credentials) = opened();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/manifest.c2pa", listener.local_addr().unwrap());
    let xmp = format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
         xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:dcterms='http://purl.org/dc/terms/' \
         dcterms:provenance='{url}'/></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    );
    let segment = [b"http://ns.adobe.com/xap/1.0/\0".as_slice(), xmp.as_bytes()].concat();
    let length = u16::try_from(segment.len() + 2).unwrap().to_be_bytes();
    let plain = encoded(Format::Jpeg);
    let bytes = [&plain[..2], &[0xff, 0xe1], &length, &segment, &plain[2..]].concat();
    let report = credentials.read(&bytes, Format::Jpeg);
    assert!(!report.present, "{report:?}");
    assert!(listener.accept().is_err(), "somebody called");
}
