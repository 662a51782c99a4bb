//! `models`: what can be asked for (specification, "POST models").

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::super::{Services, fields};
use super::{Asked, ok, viewer};
use crate::diffusion::FileDigest;
use crate::error::ApiError;
use crate::presets::{self, Character, Presets, RegisteredLora, Shelf};

/// No parameters beyond `action`.
#[derive(Debug, Deserialize)]
struct ModelsRequest {}

/// As far as the caller's key may use it.
#[derive(Debug, Serialize)]
struct ModelsResponse<'a> {
    characters: Vec<&'a str>,
    /// What is drawn with where a request names none.
    default_model: Option<&'a str>,
    models: BTreeMap<&'a str, Model<'a>>,
    /// Those that a request may name.
    loras: BTreeMap<&'a str, Lora<'a>>,
}

#[derive(Debug, Serialize)]
struct Model<'a> {
    label: &'a str,
    default_style: &'a str,
    styles: BTreeMap<&'a str, Style<'a>>,
    /// Those of the characters that are there for this model.
    characters: Vec<&'a str>,
    /// Whether its checkpoint could be loaded.
    available: bool,
    /// What its weights were read from.
    files: Vec<FileDigest>,
}

#[derive(Debug, Serialize)]
struct Lora<'a> {
    /// Words that call up what it shows; may be empty.
    trigger: &'a str,
    licence: &'a str,
    sha256: &'a str,
    /// Keys of the models that it fits.
    models: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Style<'a> {
    label: &'a str,
}

pub(super) fn models(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let ModelsRequest {} = fields::read(asked.fields, &[])?;
    let presets = services.presets.now();
    let viewer = viewer(&asked.caller);
    let seen: Vec<(&str, &Character)> = presets.characters_for(&viewer).collect();
    let models = presets.models.iter();
    let models =
        models.map(|(key, model)| (key.as_str(), describe(key, model, &seen, &services.presets))).collect();
    let usable = presets.loras_for(&viewer).filter(|(_, lora)| lora.fault.is_none());
    let loras = usable.map(|(name, lora)| (name, describe_lora(lora, &presets))).collect();
    Ok(ok(ModelsResponse {
        characters: seen.iter().map(|(name, _)| *name).collect(),
        default_model: presets.default_model().map(|(key, _)| key.as_str()),
        models,
        loras,
    }))
}

fn describe_lora<'a>(lora: &'a RegisteredLora, presets: &'a Presets) -> Lora<'a> {
    let fitting = presets.models.iter().filter(|(_, model)| lora.fits(&model.checkpoint));
    Lora {
        trigger: &lora.trigger,
        licence: &lora.licence,
        sha256: &lora.sha256,
        models: fitting.map(|(key, _)| key.as_str()).collect(),
    }
}

fn describe<'a>(
    key: &str,
    model: &'a presets::Model,
    seen: &[(&'a str, &Character)],
    shelf: &Shelf,
) -> Model<'a> {
    let weights = model.weights();
    let styles = model.styles.iter().map(|(key, style)| (key.as_str(), Style { label: &style.label }));
    let there = seen.iter().filter(|(_, character)| character.is_on(key));
    Model {
        label: &model.label,
        default_style: &model.default_style,
        styles: styles.collect(),
        characters: there.map(|(name, _)| *name).collect(),
        available: shelf.unavailable().why(&weights).is_none(),
        files: shelf.loaded().files(&weights),
    }
}
