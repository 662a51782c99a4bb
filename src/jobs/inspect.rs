//! The review of a drawn picture, before it is finished.

use image::RgbImage;
use serde_json::{Value, json};

use super::ending::CookError;
use crate::compliance::{
    Category, Clearance, Evidence, Mode, PictureFilter, PictureVerdict, Reviewer, Texts, Unseen,
};
use crate::finish::{Artwork, ArtworkError, visible_watermark};
use crate::plan::Plan;
use crate::store::Blocked;

/// Looks at a picture of a plan, as strictly as is said.
pub type Look = Box<dyn Fn(&RgbImage, &Plan, &Clearance) -> Result<PictureVerdict, Unseen> + Send>;

/// What came of it, as the store keeps it.
pub(super) struct Inspected {
    pub(super) blocked: Option<Blocked>,
    pub(super) flags: Vec<Category>,
    pub(super) evidence: Vec<Value>,
}

/// The house's own: its filter, its policy, and all that the client said.
pub fn look(reviewer: Reviewer, filter: PictureFilter) -> Look {
    Box::new(move |picture, plan, clearance| {
        let others = plan.said();
        let (positive, negative) = (plan.approved.positive(), plan.approved.negative());
        let texts = Texts { positive, negative, others: &others };
        reviewer.picture(&filter, picture, &texts, clearance)
    })
}

/// Looks at a picture as it was drawn; and at a visible mark, which a client may have brought, alone and where it is drawn. What
/// passes in a picture that was asked for does not in a mark. A picture that could not be looked at fails the job at once:
/// whoever asked again would be told the same.
pub(super) fn inspect(
    look: &Look,
    picture: &RgbImage,
    artwork: Option<&Artwork>,
    plan: &Plan,
    (index, attempt): (u32, u32),
) -> Result<Inspected, CookError> {
    let what = |of: &str| json!({"picture_index": index, "of": of, "attempt": attempt});
    let mut inspected = one(look, picture, plan, &plan.clearance, &what("drawn"))?;
    let Some(artwork) = artwork else { return Ok(inspected) };
    let unfit = |error: ArtworkError| CookError::failed("WATERMARK", &error, false);
    // An operator's ruling is on texts, which say nothing of a mark: it does not make this laxer.
    let decent = [(Category::Sexual, Mode::Block)].into_iter().collect();
    let strict =
        Clearance { tightened: plan.clearance.tightened.clone().and(&decent), ..plan.clearance.clone() };
    let mut marked = picture.clone();
    visible_watermark::draw(&mut marked, artwork, &plan.watermark).map_err(unfit)?;
    for (picture, of) in
        [(visible_watermark::alone(artwork).map_err(unfit)?, "mark"), (marked, "watermarked")]
    {
        if inspected.blocked.is_some() {
            break;
        }
        // A picture that is flagged by itself stays so under its mark.
        let already = inspected.flags.contains(&Category::Sexual) && of == "watermarked";
        let clearance = if already { &plan.clearance } else { &strict };
        let seen = one(look, &picture, plan, clearance, &what(of))
            .map_err(|error| error.after(&inspected.evidence))?;
        inspected.blocked = seen.blocked;
        inspected.flags.extend(seen.flags);
        inspected.evidence.extend(seen.evidence);
    }
    Ok(inspected)
}

/// `which` is added to every entry.
fn one(
    look: &Look,
    picture: &RgbImage,
    plan: &Plan,
    clearance: &Clearance,
    which: &Value,
) -> Result<Inspected, CookError> {
    let entry = |evidence: &Evidence| -> Result<Value, CookError> {
        let entry = serde_json::to_value(evidence);
        let mut entry = entry.map_err(|error| CookError::failed("LEDGER", &error, false))?;
        if let (Some(entry), Some(which)) = (entry.as_object_mut(), which.as_object()) {
            entry.extend(which.clone());
        }
        Ok(entry)
    };
    let verdict = match look(picture, plan, clearance) {
        Ok(verdict) => verdict,
        Err(Unseen { why, evidence }) => {
            return Err(CookError::failed("filter_unavailable", &why, false).after(&[entry(&evidence)?]));
        }
    };
    Ok(Inspected {
        blocked: verdict.blocked.map(Blocked::from),
        flags: verdict.flags,
        evidence: verdict.evidence.iter().map(entry).collect::<Result<_, _>>()?,
    })
}
