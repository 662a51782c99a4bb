//! The `wm_*` parameters: bounded, and the mark itself looked at before the job is taken.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::actions::GenerateRequest;
use super::notes::Notes;
use super::resolve::whole;
use crate::error::{ApiError, Code};
use crate::finish::Artwork;
use crate::finish::visible_watermark::{MAX_BYTES, from_data_uri};
use crate::plan::{Anchor, Watermark};
use crate::store::Attachment;

/// Marks that are decoded at once: each may take a hundred megabytes for a moment.
const AT_ONCE: usize = 2;

/// Where marks come from and are looked at.
#[derive(Debug)]
pub(super) struct Marks {
    /// The operator's own, for requests that send none.
    brand: Option<Attachment>,
    turns: Arc<Semaphore>,
}

impl Marks {
    pub(super) fn new(brand: Option<Attachment>) -> Self {
        Self { brand, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The mark that a picture gets: the request's, or the brand's, or none.
    ///
    /// # Errors
    /// 400 that names `wm_image` and says what is wrong with it.
    pub(super) async fn pick(&self, wm_image: String) -> Result<Option<Attachment>, ApiError> {
        if wm_image.is_empty() {
            return Ok(self.brand.clone());
        }
        // Before it waits for its turn, so that what waits is small. Base64 makes four bytes of three.
        if wm_image.len() > MAX_BYTES / 3 * 4 + 256 {
            return Err(ApiError::invalid_field("wm_image", format!("it is larger than {MAX_BYTES} bytes")));
        }
        let lost = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a watermark could not be looked at");
            ApiError::from(Code::Internal)
        };
        let turn = self.turns.clone().acquire_owned().await.map_err(|error| lost(&error))?;
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let bytes = from_data_uri(&wm_image)?;
            Artwork::read(&bytes)?;
            Ok(Attachment::new(bytes))
        });
        // A panic here is a file that the decoders cannot take, whatever it is.
        let answer: Result<Attachment, String> = match looked.await {
            Ok(answer) => answer.map_err(|error: crate::finish::ArtworkError| error.to_string()),
            Err(error) if error.is_panic() => Err("it cannot be read".to_owned()),
            Err(error) => return Err(lost(&error)),
        };
        answer.map(Some).map_err(|message| ApiError::invalid_field("wm_image", message))
    }
}

/// Defaults and ranges are those of the specification, "POST generate".
pub(super) fn pick(request: &GenerateRequest, notes: &mut Notes) -> Watermark {
    let position = Anchor::named(&request.wm_position).unwrap_or_else(|| {
        if !request.wm_position.is_empty() {
            let known = Anchor::ALL.map(Anchor::name).join(", ");
            let message = format!("bottom-right was used; known are {known}");
            notes.say("wm_position", "WM_POSITION_FALLBACK", message);
        }
        Anchor::BottomRight
    });
    Watermark {
        image_sha256: None,
        position,
        scale_percent: whole(notes.clamp("wm_scale", request.wm_scale, 1..=100, 5)),
        opacity_percent: whole(notes.clamp("wm_transparency", request.wm_transparency, 0..=100, 100)),
        rotation_degrees: whole(notes.clamp("wm_rotation", request.wm_rotation, -360..=360, 0)),
        padding_x_px: whole(notes.clamp("wm_padding_x", request.wm_padding_x, 0..=500, 10)),
        padding_y_px: whole(notes.clamp("wm_padding_y", request.wm_padding_y, 0..=500, 10)),
    }
}
