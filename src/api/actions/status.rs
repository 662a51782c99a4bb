//! `status`: where a job stands (specification, "POST status").

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::{Services, fields};
use super::{Asked, meta, ok};
use crate::error::{ApiError, Code};
use crate::jobs::JobState;
use crate::store::{JobView, MOST_PROGRESS, Outcome};

/// `id` is enough; `prompt` and `model` are taken and never trusted. None has a type of its own, because anything
/// that is not the id of a job of this caller is a `Bad ID`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusRequest {
    id: Value,
    #[serde(rename = "prompt")]
    _prompt: Value,
    #[serde(rename = "model")]
    _model: Value,
}

pub(super) async fn status(asked: Asked<'_>, services: &Services) -> Result<HttpResponse, ApiError> {
    let request: StatusRequest = fields::read(asked.fields, &[])?;
    let id = request.id.as_str().unwrap_or_default();
    let unknown = || ApiError::new(Code::BadId).with("field", "id");
    let view = services.store.job(asked.caller.key_id, id).await.ok_or_else(unknown)?;
    Ok(ok(describe(&view, services, OffsetDateTime::now_utc())?))
}

fn describe(view: &JobView, services: &Services, now: OffsetDateTime) -> Result<Value, ApiError> {
    let status = view.state.name();
    Ok(match (view.state, &view.outcome) {
        (_, Some(Outcome::Completed(result))) => {
            let meta = meta::of(view, result, &services.storage)?;
            json!({"status": status, "compliance": "safe", "meta": meta})
        }
        (_, Some(Outcome::Blocked(blocked))) => json!({
            "status": status,
            "compliance": "unsafe",
            "error": blocked.message,
            "filter_categories": blocked.filter_categories,
            "compliance_codes": blocked.compliance_codes,
        }),
        (_, Some(Outcome::Failed(failure))) => {
            json!({"status": status, "error": Code::GenerationFailed.row().2, "code": failure.code})
        }
        (_, Some(Outcome::TimedOut(failure))) => {
            json!({"status": status, "error": "Generation timed out", "code": failure.code})
        }
        (_, Some(Outcome::Cancelled)) => {
            json!({"status": status, "error": "Generation cancelled", "code": "CANCELLED"})
        }
        (JobState::InProgress, None) => json!({
            "status": status,
            "progress": view.progress(),
            "step": view.step(),
            "steps": view.steps(),
            "eta_s": eta_s(view.progress(), view.started_at, now),
        }),
        (_, None) => json!({"status": status, "queue_position": services.store.queue_position(view)}),
    })
}

/// Seconds that are left if the rest goes as the start went; `null` while nothing is known, and after the last step: of decoding
/// and finishing the steps say nothing.
fn eta_s(progress: f64, started_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Option<u64> {
    let passed_s = (now - started_at?).as_seconds_f64().max(0.0);
    (progress > 0.0 && progress < MOST_PROGRESS)
        .then(|| (passed_s / progress * (1.0 - progress)).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_rest_is_guessed_from_the_start() {
        let start = datetime!(2025-03-29 20:02:50 UTC);
        let now = datetime!(2025-03-29 20:03:00 UTC);
        assert_eq!(eta_s(0.25, Some(start), now), Some(30));
        assert_eq!(eta_s(0.0, Some(start), now), None);
        assert_eq!(eta_s(MOST_PROGRESS, Some(start), now), None);
        assert_eq!(eta_s(0.5, None, now), None);
        assert_eq!(eta_s(0.5, Some(now), start), Some(0), "a clock that was put back");
    }
}
