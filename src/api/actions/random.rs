//! `random`: a prompt to start from (specification, "POST random").

use std::sync::PoisonError;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::super::fields::{self, present};
use super::super::services::KEYS;
use super::super::strict_json::shorten;
use super::super::{Services, chance};
use super::{Asked, ok, viewer};
use crate::error::{ApiError, Code};
use crate::presets::Wanted;

/// `character`: absent for any, `""` for none, or a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RandomRequest {
    #[serde(deserialize_with = "present")]
    character: Option<String>,
}

pub(super) fn random(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let request: RandomRequest = fields::read(asked.fields, &[])?;
    let wanted = match request.character.as_deref() {
        None => Wanted::Any,
        Some("") => Wanted::Nobody,
        Some(name) => Wanted::Named(name),
    };
    let mut last_of_all = services.last_random.lock().unwrap_or_else(PoisonError::into_inner);
    if last_of_all.len() >= KEYS && !last_of_all.contains_key(&asked.caller.key_id) {
        last_of_all.clear();
    }
    let last = last_of_all.entry(asked.caller.key_id).or_default();
    let presets = services.presets.now();
    let drawn = presets.random(wanted, &viewer(&asked.caller), &mut chance::below, last);
    let drawn = drawn.map_err(|unknown| {
        ApiError::new(Code::InvalidCharacter)
            .with("field", "character")
            .with("character", shorten(&unknown.0))
    })?;
    let prompt = drawn.text();
    *last = drawn.body;
    Ok(ok(json!({"prompt": prompt})))
}
