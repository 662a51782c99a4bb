//! `verify`: any copy of a picture, back to its record.

use std::time::Instant;

use actix_web::HttpResponse;
use serde::Deserialize;

use super::super::verify::{picture_of, spend};
use super::super::{Services, fields};
use super::{Asked, ok};
use crate::error::ApiError;
use crate::verify::Asker;

/// The field that complaints about the picture name.
const IMAGE: &str = "image";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VerifyRequest {
    /// A data URI, base64.
    image: String,
}

pub(super) async fn verify(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let desk = &services.verify;
    spend(asked.request, desk.by_key.take(&asked.caller.key_id, Instant::now()))?;
    let VerifyRequest { image } = fields::read(asked.fields, &[])?;
    let asker = Asker::Key(asked.caller.key_id);
    let answer = desk.answer(IMAGE, asker, move || picture_of(IMAGE, &image)).await?;
    Ok(ok(answer))
}
