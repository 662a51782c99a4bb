//! `random`: a prompt to start from (specification, "POST random").

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::super::fields::{self, present};
use super::super::strict_json::shorten;
use super::super::{Services, chance};
use super::{Asked, ok, viewer};
use crate::error::{ApiError, Code};
use crate::presets::{UnknownCharacter, Wanted};

/// `character`: absent for any, `""` for none, or a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RandomRequest {
    #[serde(deserialize_with = "present")]
    character: Option<String>,
}

pub(super) async fn random(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let request: RandomRequest = fields::read(asked.fields, &[])?;
    let presets = services.presets.now();
    let caller = asked.caller;
    let key_id = caller.key_id;
    let draw = move |last: &str| {
        let wanted = match request.character.as_deref() {
            None => Wanted::Any,
            Some("") => Wanted::Nobody,
            Some(name) => Wanted::Named(name),
        };
        let drawn = presets.random(wanted, &viewer(&caller), &mut chance::below, last)?;
        let prompt = drawn.text();
        Ok((drawn.body, prompt))
    };
    let drawn = services.store.draw(key_id, draw).await?;
    let prompt = drawn.map_err(|UnknownCharacter(name)| {
        ApiError::new(Code::InvalidCharacter).with("field", "character").with("character", shorten(&name))
    })?;
    Ok(ok(json!({"prompt": prompt})))
}
