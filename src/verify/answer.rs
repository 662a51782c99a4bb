//! What an asker may see of a verdict, as JSON.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::examine::Evidence;
use super::layers::{Finding, Layer, Verdict};
use super::pdq_index::Near;
use crate::plan::record_name;
use crate::store::Record;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Whoever sits at the machine: sees all.
    Operator,
    /// An API key: sees all of its own records.
    Key(i64),
    /// Nobody that is known.
    Stranger,
}

impl Asker {
    /// Whether a record's job, facts and objects are this asker's business.
    pub fn owns(self, record: &Record) -> bool {
        match self {
            Self::Operator => true,
            Self::Key(key_id) => key_id == record.key_id,
            Self::Stranger => false,
        }
    }
}

/// The facts alone, as `imgen verify --json` prints them: keys and types are fixed.
pub(super) fn report(evidence: &Evidence, near: &[Near]) -> Value {
    let c2pa = &evidence.c2pa;
    let found = evidence.mark.as_ref().map(|mark| &mark.detection);
    json!({
        "c2pa": {
            "present": c2pa.present,
            "state": c2pa.state,
            "reasons": c2pa.reasons,
        },
        "mark": {
            "found": found.is_some(),
            "record": found.map(|found| record_name(found.payload)),
            "bit_errors": found.map(|found| found.bit_errors),
            "confidence": found.map_or(0.0, |found| found.confidence),
        },
        "pdq": {
            "hash": evidence.looks.map(|looks| looks.hash.to_string()),
            "quality": evidence.looks.map(|looks| looks.quality),
            "matches": near
                .iter()
                .map(|near| json!({"id": record_name(near.record_id), "distance": near.distance}))
                .collect::<Vec<_>>(),
        },
    })
}

/// The whole answer of the action `verify`. `manifest` is the record's stored one, as JSON.
pub(super) fn answer(
    evidence: &Evidence,
    near: &[Near],
    verdict: &Verdict,
    manifest: Option<&Value>,
    asker: Asker,
) -> Value {
    let mut answer = report(evidence, near);
    answer["match"] = verdict.layer.map_or(Value::Null, |layer| matched(layer, verdict, asker));
    answer["layer"] = json!(verdict.layer.map(Layer::name));
    answer["findings"] = verdict.findings.iter().map(finding).collect();
    answer["c2pa"]["manifest_id"] = json!(evidence.c2pa.manifest_id);
    answer["c2pa"]["manifest"] = json!(evidence.c2pa.manifest);
    answer["mark"]["alg"] = json!(evidence.mark.as_ref().map(|mark| mark.alg));
    answer["record"] =
        verdict.record.as_ref().map_or(Value::Null, |record| describe(record, manifest, asker));
    answer
}

fn matched(layer: Layer, verdict: &Verdict, asker: Asker) -> Value {
    json!({
        "layer": layer.name(),
        "record_by": verdict.record_by.map(Layer::name),
        "record": verdict.record.as_ref().map(|record| record_name(record.record_id)),
        "yours": verdict.record.as_ref().is_some_and(|record| asker.owns(record)),
        "confidence": (verdict.confidence * 1e4).round() / 1e4,
        "sure": verdict.sure.words(),
        "distance": verdict.distance,
    })
}

fn finding(finding: &Finding) -> Value {
    let records: Vec<_> = finding.records.iter().copied().map(record_name).collect();
    json!({"code": finding.code, "message": finding.message, "records": records})
}

/// Public is what the picture itself carried when it was delivered, and that and when this service made it.
fn describe(record: &Record, manifest: Option<&Value>, asker: Asker) -> Value {
    let mut told = json!({
        "id": record_name(record.record_id),
        "created_at": stamp(record.created_at),
        "manifest_id": record.manifest.as_ref().map(|manifest| &manifest.id),
        "manifest": manifest,
    });
    if asker.owns(record) {
        told["job_id"] = json!(record.job_id);
        told["picture_index"] = json!(record.picture_index);
        told["fingerprint"] = json!(hex::encode(record.pdq));
        told["fingerprint_quality"] = json!(record.pdq_quality);
        told["mark"] = record.mark.as_ref().map_or(
            Value::Null,
            |mark| json!({"alg": mark.alg, "bit_errors": mark.bit_errors, "strength": mark.strength}),
        );
        told["facts"] = record.facts.clone();
    }
    told
}

/// `2025-03-29T20:02:50Z`.
fn stamp(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
