//! `models`: what can be asked for (specification, "POST models").

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::super::{Services, fields};
use super::{Asked, ok};
use crate::error::ApiError;
use crate::presets;

/// No parameters beyond `action`.
#[derive(Debug, Deserialize)]
struct ModelsRequest {}

#[derive(Debug, Serialize)]
struct ModelsResponse<'a> {
    characters: Vec<&'a str>,
    models: BTreeMap<&'a str, Model<'a>>,
}

#[derive(Debug, Serialize)]
struct Model<'a> {
    label: &'a str,
    default_style: &'a str,
    styles: BTreeMap<&'a str, Style<'a>>,
}

#[derive(Debug, Serialize)]
struct Style<'a> {
    label: &'a str,
}

pub(super) fn models(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let ModelsRequest {} = fields::read(asked.fields, &[])?;
    let presets = &services.presets;
    let models = presets.models.iter().map(|(key, model)| (key.as_str(), describe(model))).collect();
    Ok(ok(ModelsResponse { characters: presets.characters.keys().map(String::as_str).collect(), models }))
}

fn describe(model: &presets::Model) -> Model<'_> {
    let styles = model.styles.iter().map(|(key, style)| (key.as_str(), Style { label: &style.label }));
    Model { label: &model.label, default_style: &model.default_style, styles: styles.collect() }
}
