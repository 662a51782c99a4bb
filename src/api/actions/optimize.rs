//! `optimize`: an enhanced prompt, by itself (specification, "POST optimize").

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::super::draft::{BY_RULING, NOTHING_TO_ADD};
use super::super::enhancing::Errand;
use super::super::fields::{self, Int};
use super::super::reviewing::{Opinions, written};
use super::super::{Chance, Services, resolve};
use super::{Asked, GenerateRequest, ok, spend, viewer};
use crate::compliance::Blocked;
use crate::error::{ApiError, Code};
use crate::plan::Warning;
use crate::store::ids;

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
    let reviewed = services.review.review(&draft, &tightened, asked.caller.key_id, Opinions::All).await?;
    if let Err(blocked) = reviewed.verdict {
        let id = ids::refusal_id(ids::os_random()?);
        let key_id = asked.caller.key_id;
        services.store.note(id.clone(), key_id, written(&reviewed.evidence)?).await?;
        return Err(refused(&id, blocked));
    }
    let errand = Errand { request, presets, caller: asked.caller, chance, tightened };
    let prompt = services.enhance.prompt(errand, &draft, &services.tokenizers).await?;
    let draft = match prompt == draft.prompt {
        true if reviewed.clearance.overridden.is_empty() => draft.not_enhanced(NOTHING_TO_ADD, strict)?,
        true => draft.not_enhanced(BY_RULING, strict)?,
        false => draft,
    };
    Ok(ok(OptimizeResponse { prompt, seed: draft.seed(), warnings: draft.warnings }))
}

/// A prompt that would be blocked, and what the ledger knows the refusal by.
fn refused(id: &str, blocked: Blocked) -> ApiError {
    ApiError::new(Code::ContentBlocked)
        .with("message", blocked.message)
        .with("id", id)
        .with("filter_categories", blocked.categories)
        .with("compliance_codes", blocked.codes)
}
