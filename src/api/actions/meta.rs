//! `meta` of a completed job, key for key as in the specification's "Completed (Safe)".

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::compliance::Category;
use crate::error::{ApiError, Code};
use crate::plan::{Plan, PlannedLora, SamplerKind, Warning};
use crate::storage::{ObjectKey, Storage};
use crate::store::{JobResult, JobView, Picture};

/// The specification's keys first, in its order; those after `cs_vendor` are additions.
#[derive(Debug, Serialize)]
pub(super) struct Meta<'a> {
    id: &'a str,
    gen_id: &'a str,
    /// When the pictures were done.
    time: String,
    prompt: &'a str,
    positive: &'a str,
    negative: &'a str,
    /// Empty where the prompt names none.
    character: &'a str,
    model: &'a str,
    style: &'a str,
    width: u32,
    height: u32,
    format: &'static str,
    quality: u8,
    lossless: bool,
    optimized: bool,
    compliance: &'static str,
    compliance_codes: Vec<&'static str>,
    /// Of the first picture; each entry of `images` has its own.
    fingerprint: &'a str,
    images: Vec<Image<'a>>,
    /// Whether the invisible mark was read out of every picture before it was uploaded.
    enable_invisimark: bool,
    /// Whether every picture was signed, and its signature read back.
    enable_c2pa: bool,
    compute_pdq: bool,
    wm_position: &'static str,
    wm_scale: u8,
    wm_transparency: u8,
    wm_rotation: i16,
    wm_padding_x: u16,
    wm_padding_y: u16,
    cs_author: &'a str,
    cs_title: &'a str,
    cs_description: &'a str,
    cs_organization: &'a str,
    cs_vendor: &'a str,
    /// What the client sent, where `prompt` is that with a model's additions.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_prompt: Option<&'a str>,
    seed: u32,
    steps: u32,
    guidance: f64,
    sampler: SamplerKind,
    loras: &'a [PlannedLora],
    num_images: u32,
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct Image<'a> {
    url: String,
    filename: String,
    r#type: &'static str,
    /// When the URL stops working.
    expires_at: String,
    seed: u32,
    fingerprint: &'a str,
}

/// Signs the URLs anew, so that each answer's are good for the whole time.
///
/// # Errors
/// 500 when the row was written by another version of the program, or names objects that cannot be.
pub(super) fn of<'a>(
    view: &'a JobView,
    result: &'a JobResult,
    storage: &Storage,
) -> Result<Meta<'a>, ApiError> {
    let (Some(plan), Some(first)) = (view.plan.as_deref(), result.pictures.first()) else {
        tracing::error!(job = view.id, "a completed job has no readable plan or no picture");
        return Err(Code::Internal.into());
    };
    let mut images = Vec::with_capacity(2 * result.pictures.len());
    for picture in &result.pictures {
        for (key, r#type) in [(&picture.picture_key, "signed"), (&picture.thumbnail_key, "thumbnail")] {
            images.push(sign(picture, key, r#type, storage)?);
        }
    }
    Ok(fill(view, plan, result, first, images))
}

/// Of all that both reviews found and let through.
fn codes(plan: &Plan, result: &JobResult) -> Vec<&'static str> {
    let mut flags: Vec<Category> = plan.clearance.flags.iter().chain(&result.flags).copied().collect();
    flags.sort();
    Category::codes_of(&flags)
}

fn sign<'a>(
    picture: &'a Picture,
    key: &str,
    r#type: &'static str,
    storage: &Storage,
) -> Result<Image<'a>, ApiError> {
    let key: ObjectKey = key.parse().map_err(|error| {
        tracing::error!(key, %error, "a stored object key cannot be read");
        ApiError::from(Code::Internal)
    })?;
    let signed = storage.presign(&key).map_err(ApiError::from)?;
    Ok(Image {
        url: signed.url,
        filename: key.as_str().to_owned(),
        r#type,
        expires_at: stamp(signed.expires_at),
        seed: picture.seed,
        fingerprint: &picture.fingerprint,
    })
}

fn fill<'a>(
    view: &'a JobView,
    plan: &'a Plan,
    result: &JobResult,
    first: &'a Picture,
    images: Vec<Image<'a>>,
) -> Meta<'a> {
    Meta {
        id: &view.id,
        gen_id: &plan.gen_id,
        time: stamp(view.finished_at.unwrap_or(view.created_at)),
        prompt: &plan.prompt,
        positive: plan.approved.positive(),
        negative: plan.approved.negative(),
        character: plan.character.as_deref().unwrap_or_default(),
        model: &plan.model,
        style: &plan.style,
        width: plan.size.width_px,
        height: plan.size.height_px,
        format: plan.output.format.name(),
        quality: plan.output.quality,
        lossless: plan.output.lossless,
        optimized: plan.optimized,
        compliance: "safe",
        compliance_codes: codes(plan, result),
        fingerprint: &first.fingerprint,
        images,
        enable_invisimark: result.pictures.iter().all(|picture| picture.marked),
        enable_c2pa: result.pictures.iter().all(|picture| picture.signed),
        compute_pdq: true,
        wm_position: plan.watermark.position.name(),
        wm_scale: plan.watermark.scale_percent,
        wm_transparency: plan.watermark.opacity_percent,
        wm_rotation: plan.watermark.rotation_degrees,
        wm_padding_x: plan.watermark.padding_x_px,
        wm_padding_y: plan.watermark.padding_y_px,
        cs_author: &plan.credentials.author,
        cs_title: &plan.credentials.title,
        cs_description: &plan.credentials.description,
        cs_organization: &plan.credentials.organization,
        cs_vendor: &plan.credentials.vendor,
        original_prompt: plan.original_prompt.as_deref(),
        seed: plan.sampling.seed,
        steps: plan.sampling.num_inference_steps,
        guidance: plan.sampling.guidance_scale,
        sampler: plan.sampling.sampler,
        loras: &plan.loras,
        num_images: plan.sampling.num_images,
        warnings: &plan.warnings,
        metadata: plan.metadata.as_ref(),
    }
}

/// `2025-03-29T20:02:50Z`.
fn stamp(time: OffsetDateTime) -> String {
    let whole = time.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn times_look_as_in_the_specification() {
        assert_eq!(super::stamp(datetime!(2025-03-29 20:02:50.987 UTC)), "2025-03-29T20:02:50Z");
        assert_eq!(super::stamp(datetime!(2025-03-29 21:02:50 +1)), "2025-03-29T20:02:50Z");
    }
}
