use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::credentials::{C2paReport, State};
use crate::finish::invisible_mark::Detection;
use crate::finish::pdq::Hash256;
use crate::plan::record_name;
use crate::store::{Record, RecordedManifest};
use crate::verify::answer::{answer, report};
use crate::verify::pdq_index::Near;
use crate::verify::*;

/// The key of the picture's maker.
const MAKER: i64 = 1;

/// The manifest store of every record.
const DELIVERED: &[u8] = b"jumb";

fn record(record_id: u64) -> Record {
    Record {
        record_id,
        job_id: "run_secret".to_owned(),
        key_id: MAKER,
        picture_index: 0,
        created_at: OffsetDateTime::UNIX_EPOCH,
        pdq: [0; 32],
        pdq_quality: 100,
        mark: None,
        manifest: Some(RecordedManifest { id: format!("urn:c2pa:{record_id}"), jumbf: DELIVERED.to_vec() }),
        thumbnail_manifest: None,
        facts: json!({"prompt": "a secret garden", "picture_key": "secret_00001.jpg", "width": 1344, "height": 768}),
    }
}

/// A file that says nothing, of a picture that is `bits` away from the record's.
fn silent(bits: usize) -> Evidence {
    let mut bytes = [0; 32];
    for bit in 0..bits {
        bytes[bit / 8] |= 1 << (bit % 8);
    }
    let hash = Hash256::from_bytes(bytes);
    Evidence {
        c2pa: C2paReport::absent(Vec::new()),
        mark: None,
        looks: Some(Looks { width_px: 1344, height_px: 768, hash, upright: hash, quality: 100 }),
    }
}

fn with_manifest(evidence: Evidence, state: State) -> Evidence {
    let c2pa = C2paReport {
        present: true,
        state: Some(state),
        manifest_id: Some("urn:c2pa:7".to_owned()),
        store_sha256: Some(Sha256::digest(DELIVERED).into()),
        ..evidence.c2pa
    };
    Evidence { c2pa, ..evidence }
}

fn with_mark(evidence: Evidence, payload: u64) -> Evidence {
    let detection = Detection {
        payload,
        bit_errors: 2,
        coded_bits: 128,
        confidence: 0.999,
        scale: 1.0,
        degrees: 0.0,
        mirrored: false,
    };
    Evidence { mark: Some(FoundMark { alg: "org.imgen.tile-spread.1", detection }), ..evidence }
}

fn near(record_id: u64, distance: u32) -> Vec<Near> {
    vec![Near { record_id, distance }]
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn an_untouched_copy_is_certain() {
    let evidence = with_mark(with_manifest(silent(0), State::Trusted), 7);
    let traces = Traces {
        by_manifest: Some(record(7)),
        by_mark: Some(record(7)),
        near: near(7, 0),
        nearest: Some(record(7)),
    };
    let verdict = verdict(&evidence, traces);
    assert_eq!((verdict.layer, verdict.record_by), (Some(Layer::C2pa), Some(Layer::C2pa)));
    assert_eq!((verdict.confidence, verdict.sure, verdict.distance), (1.0, Sure::Certain, Some(0)));
    assert_eq!(verdict.record.as_ref().map(|record| record.record_id), Some(7));
    assert!(verdict.findings.is_empty(), "{:?}", verdict.findings);
}

#[test]
fn a_stripped_copy_is_recovered_by_its_mark_and_a_battered_one_by_its_looks() {
    let by_mark =
        Traces { by_mark: Some(record(7)), near: near(7, 12), nearest: Some(record(7)), ..Traces::default() };
    let stripped = verdict(&with_mark(silent(12), 7), by_mark);
    assert_eq!((stripped.layer, stripped.record_by), (Some(Layer::Mark), Some(Layer::Mark)));
    assert_eq!((stripped.confidence, stripped.sure, stripped.distance), (0.999, Sure::VeryLikely, Some(12)));
    assert!(stripped.findings.is_empty());

    let sureness = |bits: u32| {
        let traces = Traces { near: near(7, bits), nearest: Some(record(7)), ..Traces::default() };
        let found = verdict(&silent(bits as usize), traces);
        assert_eq!((found.layer, found.record_by), (Some(Layer::Pdq), Some(Layer::Pdq)));
        (found.sure, found.confidence)
    };
    assert_eq!(sureness(4), (Sure::VeryLikely, 0.9375));
    assert_eq!(sureness(16), (Sure::Likely, 0.75));
    assert_eq!(sureness(31).0, Sure::Possible);
}

#[test]
fn a_foreign_picture_is_nothing() {
    let nothing = verdict(&silent(128), Traces::default());
    assert_eq!((nothing.layer, nothing.record.is_none(), nothing.sure), (None, true, Sure::Nothing));
    assert!(nothing.findings.is_empty());
}

#[test]
fn a_manifest_that_is_not_trusted_leads_nowhere_by_its_id() {
    for (state, code) in [(State::Invalid, "MANIFEST_INVALID"), (State::Valid, "SIGNER_NOT_TRUSTED")] {
        let evidence = with_manifest(silent(128), state);
        let found = verdict(&evidence, Traces { by_manifest: Some(record(7)), ..Traces::default() });
        assert_eq!((found.layer, found.record.as_ref(), codes(&found)), (None, None, vec![code]));
        assert_eq!(found.findings[0].records, [7]);
        // The mark still does.
        let evidence = with_mark(with_manifest(silent(0), state), 7);
        let traces = Traces { by_manifest: Some(record(7)), by_mark: Some(record(7)), ..Traces::default() };
        let found = verdict(&evidence, traces);
        assert_eq!(
            (found.layer, found.record_by, codes(&found)),
            (Some(Layer::Mark), Some(Layer::Mark), vec![code])
        );
    }
}

#[test]
fn a_trusted_manifest_that_was_not_delivered_leads_nowhere_by_its_id() {
    for (state, more) in [(State::Trusted, None), (State::Valid, Some("SIGNER_NOT_TRUSTED"))] {
        let mut evidence = with_manifest(silent(128), state);
        evidence.c2pa.store_sha256 = Some([7; 32]);
        let found = verdict(&evidence, Traces { by_manifest: Some(record(7)), ..Traces::default() });
        assert_eq!((found.record.as_ref(), found.record_by), (None, None));
        let due: Vec<_> = more.into_iter().chain(["MANIFEST_NOT_OURS"]).collect();
        assert_eq!((codes(&found), &found.findings[due.len() - 1].records), (due, &vec![7]));
    }
}

#[test]
fn layers_that_disagree_are_reported() {
    let evidence = with_mark(with_manifest(silent(0), State::Trusted), 8);
    let traces = Traces {
        by_manifest: Some(record(7)),
        by_mark: Some(record(8)),
        near: near(7, 0),
        nearest: Some(record(7)),
    };
    let found = verdict(&evidence, traces);
    assert_eq!(found.record.as_ref().map(|record| record.record_id), Some(7), "the stronger layer leads");
    assert_eq!(codes(&found), ["MANIFEST_AND_MARK_DISAGREE", "LOOKS_LIKE_ANOTHER"]);
    assert_eq!(found.findings[0].records, [7, 8]);

    // Without a record here, the manifest's own soft binding is held against the mark.
    let mut evidence = with_mark(with_manifest(silent(0), State::Trusted), 8);
    evidence.c2pa.manifest = Some(json!({"manifests": {"urn:c2pa:7": {"assertions": [
        {"label": "c2pa.soft-binding", "data": {"alg": "a", "blocks": [{"scope": {}, "value": record_name(7)}]}}
    ]}}}));
    let found = verdict(&evidence, Traces::default());
    assert_eq!((found.layer, found.record_by), (Some(Layer::C2pa), None));
    assert_eq!(codes(&found), ["MANIFEST_AND_MARK_DISAGREE"]);
    let agreeing = with_mark(evidence, 7);
    assert!(verdict(&agreeing, Traces::default()).findings.is_empty());
}

#[test]
fn a_mark_on_another_picture_is_seen_through() {
    let traces = || Traces { by_mark: Some(record(7)), ..Traces::default() };
    let edited = verdict(&with_mark(silent(60), 7), traces());
    assert_eq!((edited.sure, codes(&edited)), (Sure::VeryLikely, vec![]));
    // What is left of a picture that was cut or turned looks like another one.
    let mut cut = with_mark(silent(128), 7);
    cut.looks = cut.looks.map(|looks| Looks { width_px: 1075, height_px: 614, ..looks });
    let mut turned = with_mark(silent(128), 7);
    turned.mark.as_mut().unwrap().detection.degrees = 12.0;
    for altered in [cut, turned] {
        let altered = verdict(&altered, traces());
        assert_eq!((altered.sure, codes(&altered)), (Sure::VeryLikely, vec![]));
    }
    let moved = verdict(&with_mark(silent(128), 7), traces());
    assert_eq!((moved.sure, codes(&moved)), (Sure::Possible, vec!["PICTURE_DIFFERS"]));
    assert!(moved.confidence < 0.5);
    // A picture that says too little is no ground for doubt.
    let mut blank = with_mark(silent(128), 7);
    blank.looks = blank.looks.map(|looks| Looks { quality: 10, ..looks });
    assert_eq!(codes(&verdict(&blank, traces())), Vec::<&str>::new());
}

#[test]
fn a_mark_whose_record_is_not_here_says_so() {
    let found = verdict(&with_mark(silent(0), 9), Traces::default());
    assert_eq!(
        (found.layer, found.record_by, codes(&found)),
        (Some(Layer::Mark), None, vec!["RECORD_UNKNOWN"])
    );
    // A likeness may still lead to a record, and it is said that it is another.
    let traces = Traces { near: near(7, 3), nearest: Some(record(7)), ..Traces::default() };
    let found = verdict(&with_mark(silent(3), 9), traces);
    assert_eq!((found.layer, found.record_by), (Some(Layer::Mark), Some(Layer::Pdq)));
    assert_eq!(codes(&found), ["LOOKS_LIKE_ANOTHER"]);
}

/// What an asker sees of a stripped copy.
fn seen_by(asker: Asker) -> Value {
    let evidence = with_mark(silent(2), 7);
    let traces =
        Traces { by_mark: Some(record(7)), near: near(7, 2), nearest: Some(record(7)), ..Traces::default() };
    let near = traces.near.clone();
    answer(
        &evidence,
        &near,
        &verdict(&evidence, traces),
        Some(&json!({"active_manifest": "urn:c2pa:7"})),
        asker,
    )
}

#[test]
fn a_record_shows_as_far_as_the_asker_may_see() {
    for asker in [Asker::Key(MAKER), Asker::Operator] {
        let own = seen_by(asker);
        assert_eq!((&own["match"]["yours"], &own["record"]["job_id"]), (&json!(true), &json!("run_secret")));
        assert_eq!(own["record"]["facts"]["prompt"], "a secret garden");
    }
    for asker in [Asker::Key(MAKER + 1), Asker::Stranger] {
        let seen = seen_by(asker);
        assert_eq!(seen["match"]["yours"], false);
        assert!(!seen.to_string().contains("secret"), "{seen}");
        let mut told: Vec<_> = seen["record"].as_object().unwrap().keys().cloned().collect();
        told.sort();
        assert_eq!(told, ["created_at", "id", "manifest", "manifest_id"]);
        assert_eq!(seen["record"]["created_at"], "1970-01-01T00:00:00Z");
        assert_eq!(seen["record"]["manifest"]["active_manifest"], "urn:c2pa:7");
        assert_eq!((&seen["layer"], &seen["match"]["distance"]), (&json!("mark"), &json!(2)));
    }
}

#[test]
fn the_report_has_exactly_its_keys() {
    let nothing = report(&silent(0), &[]);
    let hash = "0".repeat(64);
    assert_eq!(
        nothing,
        json!({
            "c2pa": {"present": false, "state": null, "reasons": []},
            "mark": {"found": false, "record": null, "bit_errors": null, "confidence": 0.0},
            "pdq": {"hash": hash, "quality": 100, "matches": []},
        })
    );
    let all = report(&with_mark(with_manifest(silent(0), State::Trusted), 10), &near(10, 3));
    assert_eq!(all["c2pa"], json!({"present": true, "state": "Trusted", "reasons": []}));
    assert_eq!(
        all["mark"],
        json!({"found": true, "record": "000000000000000a", "bit_errors": 2, "confidence": 0.999})
    );
    assert_eq!(all["pdq"]["matches"], json!([{"id": "000000000000000a", "distance": 3}]));
}
