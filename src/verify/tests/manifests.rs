//! Whose manifest leads to a record: two services, one of which trusts the other's root and holds the record.

use std::path::Path;
use std::time::Duration;

use image::{Rgb, RgbImage};
use time::OffsetDateTime;

use crate::credentials::{
    Claim, Credentials, CredentialsConfig, Ingredient, Provenance, Reader, Signed, State,
};
use crate::finish::encode;
use crate::plan::{Format, Output};
use crate::store::tests::{config, new_job, open};
use crate::store::{
    JobResult, ManifestDigest, NewRecord, Outcome, RecordedManifest, Records, Trace, record_id,
};
use crate::verify::{Examined, Layer, Verifier, VerifyConfig};

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn service(folder: &Path) -> Credentials {
    Credentials::open(&CredentialsConfig::default(), folder, now()).unwrap()
}

/// A picture and its thumbnail of the same name, signed; too plain for a likeness.
fn signed(by: &Credentials, format: Format, level: u8) -> (Signed, Signed) {
    let provenance = Provenance::new("g/0", now());
    let output = Output { format, quality: 90, lossless: false };
    let bytes = |px| encode(&RgbImage::from_pixel(px, px, Rgb([level; 3])), &output).unwrap();
    let full = by.sign(&bytes(64), format, &Claim::new(&provenance)).unwrap();
    let claim = Claim { ingredient: Some(Ingredient::FullPicture(&full)), ..Claim::new(&provenance) };
    let thumbnail = by.sign(&bytes(32), format, &claim).unwrap();
    (full, thumbnail)
}

/// A service that has delivered this picture and trusts one more root.
fn keeper(folder: &Path, (full, thumbnail): &(Signed, Signed), anchor: &str) -> Verifier {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (store, key) = runtime.block_on(open(&config(folder)));
    runtime.block_on(store.submit(new_job(key))).unwrap();
    let claim = store.claim("worker", Duration::from_secs(30)).unwrap().unwrap().claim;
    let record = NewRecord {
        record_id: record_id("g", 0),
        picture_index: 0,
        pdq: [0; 32],
        pdq_quality: 0,
        mark: None,
        manifest: Some(RecordedManifest { id: full.manifest_id.clone(), jumbf: full.manifest.clone() }),
        thumbnail_manifest: Some(ManifestDigest::new(thumbnail.manifest_id.clone(), &thumbnail.manifest)),
        facts: serde_json::json!({}),
    };
    let done = Outcome::Completed(JobResult { pictures: Vec::new(), flags: Vec::new() });
    assert!(store.finish(&claim, done, Trace { records: vec![record], ..Trace::default() }).unwrap());
    let anchors = folder.join("anchors.pem");
    std::fs::write(&anchors, anchor).unwrap();
    let trusting = CredentialsConfig { trust_anchors_file: anchors, ..CredentialsConfig::default() };
    let reader = Reader::open(&trusting, folder).unwrap();
    let records = Records::open(&config(folder)).unwrap();
    runtime.block_on(store.close());
    Verifier::new(reader, Vec::new(), records, VerifyConfig::default().limits())
}

fn codes(examined: &Examined) -> Vec<&'static str> {
    examined.verdict.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn only_the_manifest_that_was_delivered_leads_to_its_record() {
    for format in Format::ALL {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (own, foreign) = (service(folder.path()), service(elsewhere.path()));
        let delivered = signed(&own, format, 200);
        let verifier = keeper(folder.path(), &delivered, foreign.root_pem().unwrap());
        for copy in [&delivered.0, &delivered.1] {
            let examined = verifier.examine(&copy.bytes).unwrap();
            let verdict = &examined.verdict;
            assert_eq!(
                (verdict.layer, verdict.record_by),
                (Some(Layer::C2pa), Some(Layer::C2pa)),
                "{format:?}"
            );
            assert_eq!(verdict.record.as_ref().map(|record| record.record_id), Some(record_id("g", 0)));
            assert_eq!(codes(&examined), Vec::<&str>::new());
        }
        // Ids follow from the name, so another who says the same name writes the same ids.
        let forged = signed(&foreign, format, 50);
        for (copy, of) in [(&forged.0, &delivered.0), (&forged.1, &delivered.1)] {
            assert_eq!(copy.manifest_id, of.manifest_id);
            let examined = verifier.examine(&copy.bytes).unwrap();
            assert_eq!(
                examined.evidence.c2pa.state,
                Some(State::Trusted),
                "{:?}",
                examined.evidence.c2pa.reasons
            );
            assert_eq!((&examined.verdict.record, examined.verdict.record_by), (&None, None), "{format:?}");
            assert_eq!(codes(&examined), ["MANIFEST_NOT_OURS"]);
            assert_eq!(verifier.by_content(&copy.bytes, None, None, 10).unwrap(), []);
        }
    }
}
