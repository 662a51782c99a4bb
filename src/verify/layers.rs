//! The verdict: which layer leads to which record, how sure that is, and where the layers disagree. A pure function.

use serde_json::Value;

use super::examine::{Evidence, FoundMark};
use super::pdq_index::Near;
use crate::credentials::State;
use crate::finish::pdq::{Hash256, MATCH_DISTANCE, MIN_QUALITY};
use crate::store::Record;

/// From this distance on, a copy that was not cut is of another picture: unrelated ones lie around 110 to 130, and of copies
/// of whole pictures, brightened by a fifth, 99 of 100 below 55.
const ANOTHER_PICTURE: u32 = 80;

/// By how much the sides of a whole copy may differ from what its scale makes of the record's, as a part.
const WHOLE_WITHIN: f64 = 0.03;

/// Beyond this angle, in degrees, a hash says nothing of what was turned.
const UPRIGHT_WITHIN: f64 = 1.0;

/// The layers of provenance, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// A C2PA manifest in the file, which validates and whose signer is trusted here. Says that no byte was changed. It leads
    /// to a record only if it is, byte for byte, the manifest that was delivered.
    C2pa,
    /// The invisible mark. Says that the pixels are those of the record, more or less.
    Mark,
    /// The PDQ hash. Says that the picture looks like the record's.
    Pdq,
}

impl Layer {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::C2pa => "c2pa",
            Self::Mark => "mark",
            Self::Pdq => "pdq",
        }
    }
}

/// What this service's records say of the places that a file's evidence leads to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traces {
    /// The record whose manifest's id the file's manifest bears. Anyone can write it there: the record is led to only by the
    /// manifest that it was delivered with.
    pub by_manifest: Option<Record>,
    /// The record that the mark names.
    pub by_mark: Option<Record>,
    /// Records that look like it, the nearest first.
    pub near: Vec<Near>,
    /// The record of the nearest.
    pub nearest: Option<Record>,
}

/// What can be said of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The strongest layer that says anything.
    pub layer: Option<Layer>,
    /// The record, where one is known here.
    pub record: Option<Record>,
    /// The layer that led to the record: the same, or the next that knows one.
    pub record_by: Option<Layer>,
    /// 0 to 1. Of the manifest 1, of the mark what its detector says, of a likeness 1 - distance / 64.
    pub confidence: f64,
    pub sure: Sure,
    /// Bits between the file's PDQ hash and the record's; `None` without a record or where either says too little.
    pub distance: Option<u32>,
    /// What does not fit; empty where all layers agree.
    pub findings: Vec<Finding>,
}

/// How sure a verdict is, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    Certain,
    VeryLikely,
    Likely,
    Possible,
    /// There is nothing to be sure of.
    Nothing,
}

impl Sure {
    /// The words in answers.
    pub fn words(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::VeryLikely => "very likely",
            Self::Likely => "likely",
            Self::Possible => "possible",
            Self::Nothing => "nothing found",
        }
    }
}

/// Something that whoever asks should know before believing the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `UPPER_SNAKE` and stable.
    pub code: &'static str,
    pub message: &'static str,
    /// The records it is about.
    pub records: Vec<u64>,
}

/// Composes the verdict: manifest before mark before likeness.
pub fn verdict(evidence: &Evidence, traces: Traces) -> Verdict {
    let trusted = evidence.c2pa.state == Some(State::Trusted);
    let layer = if trusted {
        Some(Layer::C2pa)
    } else if evidence.mark.is_some() {
        Some(Layer::Mark)
    } else if !traces.near.is_empty() {
        Some(Layer::Pdq)
    } else {
        None
    };
    let mut findings = disagreements(evidence, &traces);
    let nearest = traces.near.first().map(|near| near.distance);
    let Traces { by_manifest, by_mark, nearest: looks_like, .. } = traces;
    let delivered = |record: &Record| trusted && is_delivered(evidence, record);
    let (record, record_by) = match (by_manifest.filter(delivered), by_mark, looks_like) {
        (Some(record), _, _) => (Some(record), Some(Layer::C2pa)),
        (None, Some(record), _) => (Some(record), Some(Layer::Mark)),
        (None, None, Some(record)) => (Some(record), Some(Layer::Pdq)),
        (None, None, None) => (None, None),
    };
    let distance = record.as_ref().and_then(|record| distance(evidence, record));
    // A cut copy looks different as a whole, so likeness can only speak against one that is whole.
    let whole = record.as_ref().is_some_and(|record| is_whole(evidence, record));
    let differs = whole && distance.is_some_and(|bits| bits >= ANOTHER_PICTURE);
    if let (true, Some(record)) = (differs, &record) {
        findings.push(Finding {
            code: "PICTURE_DIFFERS",
            message: "nothing was cut off, and yet the record's picture does not look like this one: its mark may have \
                      been put on another picture",
            records: vec![record.record_id],
        });
    }
    if layer == Some(Layer::Mark) && record.is_none() {
        findings.push(Finding {
            code: "RECORD_UNKNOWN",
            message: "the mark names a record that is not kept here",
            records: evidence.mark.iter().map(|mark| mark.detection.payload).collect(),
        });
    }
    let (confidence, sure) = match record_by.or(layer) {
        None => (0.0, Sure::Nothing),
        Some(Layer::C2pa) => (1.0, Sure::Certain),
        Some(Layer::Mark) if differs => (confidence_of_mark(evidence) / 2.0, Sure::Possible),
        Some(Layer::Mark) => (confidence_of_mark(evidence), Sure::VeryLikely),
        Some(Layer::Pdq) => likeness(nearest.unwrap_or(MATCH_DISTANCE)),
    };
    Verdict { layer, record, record_by, confidence, sure, distance, findings }
}

/// Whether the file's manifest is the very one that the record's picture or thumbnail was delivered with.
fn is_delivered(evidence: &Evidence, record: &Record) -> bool {
    evidence.c2pa.store_sha256.is_some_and(|store| record.has_manifest(store))
}

/// What the layers say against each other, or against the file.
fn disagreements(evidence: &Evidence, traces: &Traces) -> Vec<Finding> {
    let mut findings = Vec::new();
    let by_manifest = traces.by_manifest.as_ref().map(|record| record.record_id);
    match evidence.c2pa.state {
        Some(State::Invalid) => findings.push(Finding {
            code: "MANIFEST_INVALID",
            message: "the file carries a manifest that does not hold: the file was changed after it was signed, or \
                      the manifest was made for another one",
            records: by_manifest.into_iter().collect(),
        }),
        Some(State::Valid) => findings.push(Finding {
            code: "SIGNER_NOT_TRUSTED",
            message: "the manifest is whole, but nobody who is trusted here has signed it",
            records: by_manifest.into_iter().collect(),
        }),
        Some(State::Trusted) | None => {}
    }
    if evidence.looks.is_none() {
        findings.push(Finding {
            code: "PICTURE_BROKEN",
            message: "its pixels cannot be decoded here: only its manifest was looked at",
            records: Vec::new(),
        });
    }
    if let Some(record) = &traces.by_manifest
        && evidence.c2pa.state != Some(State::Invalid)
        && !is_delivered(evidence, record)
    {
        findings.push(Finding {
            code: "MANIFEST_NOT_OURS",
            message: "the manifest bears the id of a record's, but it is not the one that the picture was delivered with",
            records: vec![record.record_id],
        });
    }
    let marked = evidence.mark.as_ref().map(|mark| mark.detection.payload);
    let claimed = by_manifest.or_else(|| evidence.c2pa.manifest.as_ref().and_then(bound_record));
    if let (Some(claimed), Some(marked)) = (claimed, marked)
        && claimed != marked
    {
        findings.push(Finding {
            code: "MANIFEST_AND_MARK_DISAGREE",
            message: "the manifest belongs to one record and the mark to another",
            records: vec![claimed, marked],
        });
    }
    // Likeness alone cannot contradict: pictures of one prompt may look alike. But a copy should look like itself.
    if let (Some(named), Some(nearest)) = (marked.or(claimed), traces.near.first())
        && traces.near.iter().all(|near| near.record_id != named)
    {
        findings.push(Finding {
            code: "LOOKS_LIKE_ANOTHER",
            message: "the picture looks like another record than the one it names",
            records: vec![named, nearest.record_id],
        });
    }
    findings
}

/// The record that a manifest's soft binding names: the first value of 16 hexadecimal digits below an assertion of that
/// kind.
fn bound_record(manifest: &Value) -> Option<u64> {
    let binding = find(manifest, &|value| {
        value["label"].as_str().is_some_and(|label| label.starts_with("c2pa.soft-binding"))
    })?;
    let value = find(binding, &|value| value.as_str().is_some_and(|text| text.len() == 16))?;
    u64::from_str_radix(value.as_str()?, 16).ok()
}

/// The first value for which `wanted` holds, depth first.
fn find<'a>(value: &'a Value, wanted: &impl Fn(&Value) -> bool) -> Option<&'a Value> {
    if wanted(value) {
        return Some(value);
    }
    match value {
        Value::Array(items) => items.iter().find_map(|item| find(item, wanted)),
        Value::Object(fields) => fields.values().find_map(|field| find(field, wanted)),
        _ => None,
    }
}

fn distance(evidence: &Evidence, record: &Record) -> Option<u32> {
    let looks = evidence.looks.as_ref()?;
    let telling = looks.quality >= MIN_QUALITY && record.pdq_quality >= MIN_QUALITY;
    telling.then(|| Hash256::from_bytes(record.pdq).distance(&looks.upright))
}

/// Whether the file shows as much of the record's picture as there was, by the scale at which its mark was found.
fn is_whole(evidence: &Evidence, record: &Record) -> bool {
    let (Some(FoundMark { detection, .. }), Some(looks)) = (&evidence.mark, &evidence.looks) else {
        return false;
    };
    let fits = |px: u32, name: &str| {
        record.facts[name].as_f64().is_some_and(|was| {
            let due = was * detection.scale;
            (f64::from(px) - due).abs() <= due * WHOLE_WITHIN
        })
    };
    detection.payload == record.record_id
        && detection.degrees.abs() <= UPRIGHT_WITHIN
        && fits(looks.width_px, "width")
        && fits(looks.height_px, "height")
}

fn confidence_of_mark(evidence: &Evidence) -> f64 {
    evidence.mark.as_ref().map_or(0.0, |mark| mark.detection.confidence)
}

fn likeness(distance: u32) -> (f64, Sure) {
    let sure = match distance {
        0..=10 => Sure::VeryLikely,
        11..=20 => Sure::Likely,
        _ => Sure::Possible,
    };
    (1.0 - f64::from(distance) / 64.0, sure)
}
