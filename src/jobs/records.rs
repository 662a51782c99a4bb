//! What a picture can be traced back to: what is claimed of it, and the record that is stored with the job.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::finish::{Finished, Provenance};
use crate::plan::Plan;
use crate::store::{NewRecord, Picture, RecordedManifest, RecordedMark, record_id};

/// What the credentials of picture `index` (from 0) say.
pub(super) fn provenance(plan: &Plan, index: u32, weights_sha256: &BTreeMap<String, String>) -> Provenance {
    let model_sha256 = weights_sha256.get(&plan.checkpoint).cloned();
    let seed = plan.sampling.seed.wrapping_add(index);
    // Whoever has all of this draws the same pixels.
    let recipe = json!({
        "positive": plan.approved.positive(),
        "negative": plan.approved.negative(),
        "weights_sha256": model_sha256,
        "width": plan.size.width_px,
        "height": plan.size.height_px,
        "sampler": plan.sampling.sampler,
        "steps": plan.sampling.num_inference_steps,
        "guidance": plan.sampling.guidance_scale,
        "seed": seed,
    });
    Provenance {
        credentials: plan.credentials.clone(),
        model: plan.model.clone(),
        model_sha256,
        recipe_sha256: Some(hex::encode(Sha256::digest(recipe.to_string()))),
        seed: Some(seed),
        prompt: Some(plan.prompt.clone()),
        when: OffsetDateTime::from_unix_timestamp(plan.asked_at_unix_s).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        name: format!("{}/{index}", plan.gen_id),
    }
}

/// The record of picture `index` (from 0) of a plan.
pub(super) fn record(plan: &Plan, index: u32, finished: &Finished, picture: &Picture) -> NewRecord {
    let sampling = &plan.sampling;
    let facts = json!({
        "gen_id": plan.gen_id,
        "model": plan.model,
        "style": plan.style,
        "character": plan.character,
        "width": plan.size.width_px,
        "height": plan.size.height_px,
        "format": plan.output.format.name(),
        "quality": plan.output.quality,
        "lossless": plan.output.lossless,
        "seed": picture.seed,
        "steps": sampling.num_inference_steps,
        "guidance": sampling.guidance_scale,
        "sampler": sampling.sampler,
        "prompt": plan.prompt,
        "positive": plan.approved.positive(),
        "negative": plan.approved.negative(),
        "picture_key": picture.picture_key,
        "thumbnail_key": picture.thumbnail_key,
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
        thumbnail_manifest_id: Some(finished.thumbnail.manifest_id.clone()),
        facts,
    }
}
