//! What a picture can be traced back to: what is claimed of it, and the record that is stored with the job.

use serde_json::json;
use time::OffsetDateTime;

use super::recipe::Recipe;
use crate::credentials::Provenance;
use crate::finish::Finished;
use crate::plan::Plan;
use crate::store::{ManifestDigest, NewRecord, Picture, RecordedManifest, RecordedMark, record_id};

/// What the credentials of picture `index` (from 0) say.
pub(super) fn provenance(plan: &Plan, index: u32, weights_sha256: &str, recipe: &Recipe) -> Provenance {
    let asked_at = OffsetDateTime::from_unix_timestamp(plan.asked_at_unix_s);
    Provenance {
        credentials: plan.credentials.clone(),
        model: plan.model.clone(),
        model_sha256: Some(weights_sha256.to_owned()),
        loras_sha256: plan.loras.iter().map(|lora| lora.sha256.clone()).collect(),
        recipe_sha256: Some(recipe.sha256()),
        seed: Some(plan.sampling.seed.wrapping_add(index)),
        character_rights: plan.character_rights.clone(),
        prompt: Some(plan.prompt.clone()),
        ..Provenance::new(format!("{}/{index}", plan.gen_id), asked_at.unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }
}

/// The record of picture `index` (from 0) of a plan.
pub(super) fn record(
    plan: &Plan,
    index: u32,
    finished: &Finished,
    recipe: &Recipe,
    picture: &Picture,
) -> NewRecord {
    let sampling = &plan.sampling;
    let facts = json!({
        "gen_id": plan.gen_id,
        "model": plan.model,
        "style": plan.style,
        "character": plan.character,
        "character_rights": plan.character_rights.as_ref().map(|shown| &shown.rights),
        "character_licence": plan.character_rights.as_ref().map(|shown| &shown.licence),
        "width": plan.size.width_px,
        "height": plan.size.height_px,
        "format": plan.output.format.name(),
        "quality": plan.output.quality,
        "lossless": plan.output.lossless,
        "seed": picture.seed,
        "steps": sampling.num_inference_steps,
        "guidance": sampling.guidance_scale,
        "sampler": sampling.sampler,
        "loras": plan.loras,
        "prompt": plan.prompt,
        "positive": plan.approved.positive(),
        "negative": plan.approved.negative(),
        "picture_key": picture.picture_key,
        "thumbnail_key": picture.thumbnail_key,
        "recipe": recipe.text,
        "recipe_salt": hex::encode(recipe.salt),
    });
    NewRecord {
        record_id: record_id(&plan.gen_id, index),
        picture_index: index,
        pdq: finished.fingerprint.hash.bytes(),
        pdq_quality: finished.fingerprint.quality,
        mark: finished.mark.as_ref().map(|mark| RecordedMark {
            alg: mark.alg.to_owned(),
            bit_errors: mark.bit_errors,
            strength: mark.strength.into(),
        }),
        manifest: Some(RecordedManifest {
            id: finished.picture.manifest_id.clone(),
            jumbf: finished.picture.manifest.clone(),
        }),
        thumbnail_manifest: Some(ManifestDigest::new(
            finished.thumbnail.manifest_id.clone(),
            &finished.thumbnail.manifest,
        )),
        facts,
    }
}
