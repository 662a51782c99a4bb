//! The desk where a copy is shown and its record comes back. Everything here blocks: not for the event loop.

use std::sync::Arc;

use serde_json::Value;

use super::Verdict;
use super::answer::{Asker, answer, report};
use super::examine::{Evidence, ExamineError, examine};
use super::gallery::Gallery;
use super::layers::{Traces, verdict};
use super::pdq_index::Near;
use super::soft_binding::{self, Binding, PDQ_ALG};
use crate::credentials::Reader;
use crate::finish::decode::DecodeLimits;
use crate::finish::invisible_mark::InvisibleMark;
use crate::finish::pdq::{Hash256, MIN_QUALITY};
use crate::store::{Records, StoreError};

/// Records that look like a picture, in an answer.
const MOST_NEAR: usize = 10;

/// Examines pictures and looks their records up.
#[derive(Debug)]
pub struct Verifier {
    credentials: Reader,
    marks: Vec<Arc<dyn InvisibleMark>>,
    /// `None` where there is no database.
    known: Option<(Records, Gallery)>,
    limits: DecodeLimits,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Picture(#[from] ExamineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A picture's evidence, the records that look like it, and the verdict.
#[derive(Debug)]
pub struct Examined {
    pub evidence: Evidence,
    pub near: Vec<Near>,
    pub verdict: Verdict,
}

impl Examined {
    /// What `imgen verify --json` prints.
    pub fn report(&self) -> Value {
        report(&self.evidence, &self.near)
    }
}

/// A manifest that a soft binding leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub manifest_id: String,
    /// 0 to 100.
    pub score: u32,
}

impl Verifier {
    /// `marks` are looked for in this order, in pictures within `limits`.
    pub fn new(
        credentials: Reader,
        marks: Vec<Arc<dyn InvisibleMark>>,
        records: Option<Records>,
        limits: DecodeLimits,
    ) -> Self {
        let known = records.map(|records| (records.clone(), Gallery::new(records)));
        Self { credentials, marks, known, limits }
    }

    /// Reads the fingerprints of all records, so that the first question need not wait for it.
    pub fn warm_up(&self) -> Result<(), StoreError> {
        self.known.as_ref().map_or(Ok(()), |(_, gallery)| gallery.catch_up())
    }

    /// Names of the mark algorithms, as in soft-binding assertions.
    pub fn mark_algs(&self) -> Vec<&'static str> {
        self.marks.iter().map(|mark| mark.alg()).collect()
    }

    /// Examines a picture and looks for its record.
    pub fn examine(&self, bytes: &[u8]) -> Result<Examined, VerifyError> {
        let evidence = examine(bytes, &self.limits, &self.credentials, &self.marks)?;
        let traces = self.traces(&evidence)?;
        let near = traces.near.clone();
        let verdict = verdict(&evidence, traces);
        Ok(Examined { evidence, near, verdict })
    }

    /// The answer of the action `verify`, as far as this asker may see it.
    pub fn answer(&self, bytes: &[u8], asker: Asker) -> Result<Value, VerifyError> {
        let Examined { evidence, near, verdict } = self.examine(bytes)?;
        let stored = verdict.record.as_ref().and_then(|record| record.manifest.as_ref());
        let manifest = stored.and_then(|manifest| self.credentials.read_manifest(&manifest.jumbf).manifest);
        Ok(answer(&evidence, &near, &verdict, manifest.as_ref(), asker))
    }

    fn traces(&self, evidence: &Evidence) -> Result<Traces, StoreError> {
        let Some((records, _)) = &self.known else { return Ok(Traces::default()) };
        let by_manifest = match &evidence.c2pa.manifest_id {
            Some(id) => records.by_manifest_id(id)?,
            None => None,
        };
        let by_mark = match &evidence.mark {
            Some(mark) => records.by_id(mark.detection.payload)?,
            None => None,
        };
        let near = match &evidence.looks {
            Some(looks) => self.near(&looks.upright, looks.quality, MOST_NEAR)?,
            None => Vec::new(),
        };
        let nearest = match near.first() {
            Some(near) => records.by_id(near.record_id)?,
            None => None,
        };
        Ok(Traces { by_manifest, by_mark, near, nearest })
    }

    fn near(&self, hash: &Hash256, quality: u8, count: usize) -> Result<Vec<Near>, StoreError> {
        match &self.known {
            Some((_, gallery)) if quality >= MIN_QUALITY => gallery.near(hash, count),
            _ => Ok(Vec::new()),
        }
    }

    /// The manifests that a soft binding leads to, the best first.
    pub fn by_binding(&self, binding: Binding, count: usize) -> Result<Vec<Match>, StoreError> {
        let Some((records, gallery)) = &self.known else { return Ok(Vec::new()) };
        let leads = match binding {
            Binding::Mark(record_id) => vec![Near { record_id, distance: 0 }],
            Binding::Pdq(hash) => gallery.near(&hash, count)?,
        };
        let mut matches = Vec::new();
        for Near { record_id, distance } in leads {
            if let Some(manifest) = records.by_id(record_id)?.and_then(|record| record.manifest) {
                matches.push(Match { manifest_id: manifest.id, score: soft_binding::score(distance) });
            }
        }
        Ok(matches)
    }

    /// The manifests that a picture leads to, the best first: by the manifest it carries, its mark and its likeness, or
    /// by one algorithm alone. `hint` is a binding that the asker has found by other means.
    pub fn by_content(
        &self,
        bytes: &[u8],
        alg: Option<&str>,
        hint: Option<Binding>,
        count: usize,
    ) -> Result<Vec<Match>, VerifyError> {
        let Examined { evidence, near, verdict } = self.examine(bytes)?;
        let mut matches = Vec::new();
        if alg.is_none()
            && let (Some(super::Layer::C2pa), Some(manifest)) =
                (verdict.record_by, verdict.record.and_then(|record| record.manifest))
        {
            matches.push(Match { manifest_id: manifest.id, score: 100 });
        }
        if let Some(mark) = &evidence.mark
            && alg.is_none_or(|alg| alg == mark.alg)
        {
            matches.extend(self.by_binding(Binding::Mark(mark.detection.payload), count)?);
        }
        if let Some(looks) = &evidence.looks
            && alg.is_none_or(|alg| alg == PDQ_ALG)
            && !near.is_empty()
        {
            matches.extend(self.by_binding(Binding::Pdq(looks.upright), count)?);
        }
        if let Some(hint) = hint {
            matches.extend(self.by_binding(hint, count)?);
        }
        matches.sort_by_key(|found| std::cmp::Reverse(found.score));
        let mut seen = std::collections::HashSet::new();
        matches.retain(|found| seen.insert(found.manifest_id.clone()));
        matches.truncate(count);
        Ok(matches)
    }

    /// The manifest store with this id, `application/c2pa`.
    pub fn manifest(&self, manifest_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((records, _)) = &self.known else { return Ok(None) };
        let manifest = records.by_manifest_id(manifest_id)?.and_then(|record| record.manifest);
        // A thumbnail's id leads to its record as well, whose manifest is another.
        Ok(manifest.filter(|manifest| manifest.id == manifest_id).map(|manifest| manifest.jumbf))
    }
}
