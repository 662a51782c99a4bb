//! What a picture can be traced back to: the record that is stored with the job.

use serde_json::json;

use crate::finish::Fingerprint;
use crate::plan::Plan;
use crate::store::{NewRecord, Picture, record_id};

/// The record of picture `index` (from 0) of a plan; mark and manifest are filled in by whoever set them.
pub(super) fn record(plan: &Plan, index: u32, fingerprint: &Fingerprint, picture: &Picture) -> NewRecord {
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
        pdq: fingerprint.hash.bytes(),
        pdq_quality: fingerprint.quality,
        mark: None,
        manifest: None,
        thumbnail_manifest_id: None,
        facts,
    }
}
