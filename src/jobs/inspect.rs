//! The review of a drawn picture, before anything is made of it.

use image::RgbImage;
use serde_json::{Value, json};

use super::ending::CookError;
use crate::compliance::{Category, FilterUnavailable, PictureFilter, PictureVerdict, Reviewer, Texts};
use crate::finish::{Artwork, visible_watermark};
use crate::plan::Plan;
use crate::store::Blocked;

/// Looks at a picture of a plan.
pub type Look = Box<dyn Fn(&RgbImage, &Plan) -> Result<PictureVerdict, FilterUnavailable> + Send>;

/// What came of it, as the store keeps it.
pub(super) struct Inspected {
    pub(super) blocked: Option<Blocked>,
    pub(super) flags: Vec<Category>,
    pub(super) evidence: Vec<Value>,
}

/// The house's own: its filter, its policy, and all that the client said.
pub fn look(reviewer: Reviewer, filter: PictureFilter) -> Look {
    Box::new(move |picture, plan| {
        let others = plan.said();
        let (positive, negative) = (plan.approved.positive(), plan.approved.negative());
        let texts = Texts { positive, negative, others: &others };
        reviewer.picture(&filter, picture, &texts, &plan.clearance)
    })
}

/// Looks at a picture as it was drawn, and at what a visible mark makes of it, which a client may have brought. A picture that
/// could not be looked at fails the job at once: whoever asked again would be told the same.
pub(super) fn inspect(
    look: &Look,
    picture: &RgbImage,
    artwork: Option<&Artwork>,
    plan: &Plan,
    index: u32,
) -> Result<Inspected, CookError> {
    let mut inspected = one(look, picture, plan, json!({"picture_index": index, "of": "drawn"}))?;
    if let Some(artwork) = artwork.filter(|_| inspected.blocked.is_none()) {
        let mut marked = picture.clone();
        visible_watermark::draw(&mut marked, artwork, &plan.watermark)
            .map_err(|error| CookError::failed("WATERMARK", &error, false))?;
        let with_mark = one(look, &marked, plan, json!({"picture_index": index, "of": "watermarked"}))?;
        inspected.blocked = with_mark.blocked;
        inspected.flags.extend(with_mark.flags);
        inspected.evidence.extend(with_mark.evidence);
    }
    Ok(inspected)
}

/// `which` is added to every entry.
fn one(look: &Look, picture: &RgbImage, plan: &Plan, which: Value) -> Result<Inspected, CookError> {
    let verdict =
        look(picture, plan).map_err(|error| CookError::failed("filter_unavailable", &error, false))?;
    let entry = |evidence| {
        let mut entry = serde_json::to_value(evidence)?;
        if let (Some(entry), Some(which)) = (entry.as_object_mut(), which.as_object()) {
            entry.extend(which.clone());
        }
        Ok(entry)
    };
    let evidence = verdict.evidence.iter().map(entry).collect::<Result<_, serde_json::Error>>();
    Ok(Inspected {
        blocked: verdict.blocked.map(Blocked::from),
        flags: verdict.flags,
        evidence: evidence.map_err(|error| CookError::failed("LEDGER", &error, false))?,
    })
}
