//! The one POST: who asks, then what is asked, then the action that answers.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use super::actions::{self, Action};
use super::guard::slip;
use super::{Services, auth, body, strict_json};
use crate::error::{ApiError, Code};

/// `POST /api/v2`.
///
/// # Errors
/// Every row of the error table; see [`Code`].
pub(super) async fn enter(
    request: HttpRequest,
    mut payload: Payload,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let answer = admit(&request, &mut payload, &services).await;
    if answer.is_err() {
        body::drain(&mut payload).await;
    }
    answer
}

async fn admit(
    request: &HttpRequest,
    payload: &mut Payload,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    let caller = auth::caller(request, services).await?;
    services.store.count_request(caller.key_id);
    let slip = slip(request);
    slip.allowance.set(Some(services.generate_budget.look(&caller.key_id, std::time::Instant::now())));
    let bytes = body::read(request.headers(), payload, &services.config).await?;
    let mut fields = strict_json::object(&bytes)?;
    let action = take_action(&mut fields)?;
    actions::answer(action, actions::Asked { fields, bytes, caller, request, slip: &slip }, services).await
}

fn refused(code: Code) -> ApiError {
    ApiError::new(code).with("field", "action").with("known", Action::names())
}

/// Takes `action` out of the fields, so that what is left is the action's own.
fn take_action(fields: &mut Map<String, Value>) -> Result<Action, ApiError> {
    match fields.remove("action") {
        None => Err(refused(Code::MissingAction)),
        Some(Value::String(name)) if name.is_empty() => Err(refused(Code::MissingAction)),
        Some(Value::String(name)) => Action::named(&name).ok_or_else(|| refused(Code::UnknownAction)),
        Some(_) => Err(ApiError::invalid_field("action", "expected a string")),
    }
}
