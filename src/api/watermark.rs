//! The `wm_*` parameters: read, bounded and echoed; not drawn in this version, which is said.

use super::actions::GenerateRequest;
use super::notes::Notes;
use super::resolve::whole;
use crate::plan::Watermark;

/// The nine places on a picture.
const ANCHORS: [&str; 9] = [
    "top-left",
    "top-center",
    "top-right",
    "center-left",
    "center",
    "center-right",
    "bottom-left",
    "bottom-center",
    "bottom-right",
];

/// Defaults and ranges are those of the specification, "POST generate".
pub(super) fn pick(request: &GenerateRequest, notes: &mut Notes) -> Watermark {
    if !request.wm_image.is_empty() {
        notes.say("wm_image", "WATERMARK_SKIPPED", "this version does not draw watermarks");
    }
    let position = match request.wm_position.as_str() {
        "" => "bottom-right",
        asked if ANCHORS.contains(&asked) => asked,
        _ => {
            let known = ANCHORS.join(", ");
            notes.say(
                "wm_position",
                "WM_POSITION_FALLBACK",
                format!("bottom-right was used; known are {known}"),
            );
            "bottom-right"
        }
    };
    Watermark {
        position: position.to_owned(),
        scale_percent: whole(notes.clamp("wm_scale", request.wm_scale, 1..=100, 5)),
        opacity_percent: whole(notes.clamp("wm_transparency", request.wm_transparency, 0..=100, 100)),
        rotation_degrees: whole(notes.clamp("wm_rotation", request.wm_rotation, -360..=360, 0)),
        padding_x_px: whole(notes.clamp("wm_padding_x", request.wm_padding_x, 0..=500, 10)),
        padding_y_px: whole(notes.clamp("wm_padding_y", request.wm_padding_y, 0..=500, 10)),
    }
}
