//! `models`: what can be asked for (specification, "POST models").

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::super::{Services, fields};
use super::{Asked, ok, viewer};
use crate::error::ApiError;
use crate::presets::{self, Character};

/// No parameters beyond `action`.
#[derive(Debug, Deserialize)]
struct ModelsRequest {}

/// As far as the caller's key may use it.
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
    /// Those of the characters that are there for this model.
    characters: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Style<'a> {
    label: &'a str,
}

pub(super) fn models(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let ModelsRequest {} = fields::read(asked.fields, &[])?;
    let presets = services.presets.now();
    let seen: Vec<(&str, &Character)> = presets.characters_for(&viewer(&asked.caller)).collect();
    let models =
        presets.models.iter().map(|(key, model)| (key.as_str(), describe(key, model, &seen))).collect();
    Ok(ok(ModelsResponse { characters: seen.iter().map(|(name, _)| *name).collect(), models }))
}

fn describe<'a>(key: &str, model: &'a presets::Model, seen: &[(&'a str, &Character)]) -> Model<'a> {
    let styles = model.styles.iter().map(|(key, style)| (key.as_str(), Style { label: &style.label }));
    let there = seen.iter().filter(|(_, character)| character.is_on(key));
    Model {
        label: &model.label,
        default_style: &model.default_style,
        styles: styles.collect(),
        characters: there.map(|(name, _)| *name).collect(),
    }
}
