//! `optimize`: an enhanced prompt, by itself (specification, "POST optimize").

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::super::enhancing::Errand;
use super::super::fields::{self, Int};
use super::super::{Chance, Services, resolve};
use super::{Asked, GenerateRequest, ok, spend, viewer};
use crate::error::ApiError;
use crate::plan::Warning;

/// The specification's two parameters, and those of `generate` that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OptimizeRequest {
    prompt: String,
    model: String,
    style: String,
    /// The same seed gives the same additions; `null` and -1 draw one, as if absent.
    seed: Option<Int>,
    strict: bool,
}

/// The specification's key, and two more.
#[derive(Debug, Serialize)]
struct OptimizeResponse {
    prompt: String,
    seed: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

pub(super) async fn optimize(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    spend(&asked, services)?;
    let OptimizeRequest { prompt, model, style, seed, strict } = fields::read(asked.fields, &[])?;
    let request = GenerateRequest { prompt, model, style, seed, strict, ..GenerateRequest::default() };
    let (presets, chance) = (services.presets.now(), Chance::draw()?);
    let draft = resolve(&request, &presets, &viewer(&asked.caller), &chance)?;
    let tightened = asked.caller.tightened.clone();
    let errand = Errand { request, presets, caller: asked.caller, chance, tightened };
    let prompt = services.enhance.prompt(errand, &draft, &services.tokenizers).await?;
    Ok(ok(OptimizeResponse { prompt, seed: draft.seed(), warnings: draft.warnings }))
}
