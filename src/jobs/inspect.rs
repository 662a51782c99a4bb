//! The review of a drawn picture, before anything is made of it.

use image::RgbImage;
use serde_json::{Value, json};

use super::ending::CookError;
use crate::compliance::{Category, FilterUnavailable, PictureFilter, PictureVerdict, Reviewer, Texts};
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

/// A picture that could not be looked at fails the job at once: whoever asked again would be told the same.
pub(super) fn inspect(
    look: &Look,
    picture: &RgbImage,
    plan: &Plan,
    index: u32,
) -> Result<Inspected, CookError> {
    let verdict =
        look(picture, plan).map_err(|error| CookError::failed("filter_unavailable", &error, false))?;
    let entry = |evidence| {
        let mut entry = serde_json::to_value(evidence)?;
        entry["picture_index"] = json!(index);
        Ok(entry)
    };
    let evidence = verdict.evidence.iter().map(entry).collect::<Result<_, serde_json::Error>>();
    Ok(Inspected {
        blocked: verdict.blocked.map(Blocked::from),
        flags: verdict.flags,
        evidence: evidence.map_err(|error| CookError::failed("LEDGER", &error, false))?,
    })
}
