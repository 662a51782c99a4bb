//! What holds for every answer, whoever gives it: a request number, JSON errors, and a net under panics.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt;

use super::limits::Allowance;
use super::request_id;
use crate::error::{ApiError, Code};

/// What is known of one request besides its body. The middleware holds one end and the handler the other, so
/// that what the handler learnt is still there when the handler ended badly.
#[derive(Debug, Default)]
pub(super) struct Slip {
    pub(super) request_id: String,
    /// Set once the caller is known; becomes the `X-RateLimit-*` headers.
    pub(super) allowance: Cell<Option<Allowance>>,
}

/// The slip that [`guard`] gave the request.
pub(super) fn slip(request: &HttpRequest) -> Rc<Slip> {
    request.extensions().get::<Rc<Slip>>().cloned().unwrap_or_default()
}

/// Middleware around the whole application.
///
/// # Errors
/// Never a bare one: whatever went wrong inside comes out as an [`ApiError`] that renders itself as JSON.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let slip = Rc::new(Slip { request_id: request_id::choose(request.headers()), ..Slip::default() });
    request.extensions_mut().insert(Rc::clone(&slip));
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(answer)) => {
            let mut answer = answer.map_into_boxed_body();
            if let Some(error) = plain_error(answer.response()) {
                let rendered = error.for_request(&slip.request_id).error_response();
                answer = answer.into_response(rendered);
            }
            mark(answer.headers_mut(), &slip);
            Ok(answer)
        }
        Ok(Err(error)) => {
            let error = error.as_error::<ApiError>().cloned().unwrap_or_else(|| {
                tracing::warn!(request_id = slip.request_id, %error, "a request failed outside the house's own errors");
                for_status(error.as_response_error().status_code())
            });
            Err(error.for_request(&slip.request_id).into())
        }
        Err(panic) => {
            let reason = reason(&*panic);
            tracing::error!(request_id = slip.request_id, reason, "a handler panicked");
            Err(ApiError::new(Code::Internal).for_request(&slip.request_id).into())
        }
    }
}

/// The error in an answer that is not JSON yet: one of ours, or the framework's own text. The object store's
/// XML, and anything else that states its kind, stays.
fn plain_error(answer: &HttpResponse) -> Option<ApiError> {
    if let Some(error) = answer.error() {
        return Some(error.as_error::<ApiError>().cloned().unwrap_or_else(|| for_status(answer.status())));
    }
    None
}

fn for_status(status: StatusCode) -> ApiError {
    ApiError::new(match status.as_u16() {
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        413 => Code::PayloadTooLarge,
        415 => Code::UnsupportedMediaType,
        503 => Code::Unavailable,
        400..=499 => Code::InvalidJson,
        _ => Code::Internal,
    })
}

fn mark(headers: &mut HeaderMap, slip: &Slip) {
    if let Ok(value) = HeaderValue::from_str(&slip.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if let Some(allowance) = slip.allowance.get() {
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), allowance.limit.into());
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), allowance.remaining.into());
        headers.insert(HeaderName::from_static("x-ratelimit-reset"), allowance.reset_s.into());
    }
    if headers.contains_key(CONTENT_TYPE) {
        headers
            .insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};
    use serde_json::Value;

    use super::*;

    async fn answer(path: &str) -> (u16, Value, Option<String>) {
        let app = test::init_service(
            App::new()
                .wrap(from_fn(guard))
                .route(
                    "/panic",
                    web::get().to(|| async {
                        std::panic::panic_any("boom");
                        #[expect(unreachable_code, reason = "a handler needs a type")]
                        HttpResponse::Ok().finish()
                    }),
                )
                .route(
                    "/ours",
                    web::get().to(|| async { Err::<HttpResponse, _>(ApiError::from(Code::BadId)) }),
                )
                .route("/theirs", web::get().to(|_: web::Json<u8>| async { HttpResponse::Ok().finish() })),
        )
        .await;
        let request = test::TestRequest::get().uri(path).insert_header(("X-Request-Id", "mine")).to_request();
        match test::try_call_service(&app, request).await {
            Ok(answer) => {
                let id = answer.headers().get("x-request-id").map(|v| v.to_str().unwrap().to_owned());
                (answer.status().as_u16(), test::read_body_json(answer).await, id)
            }
            Err(error) => {
                let rendered = error.error_response();
                let id = rendered.headers().get("x-request-id").map(|v| v.to_str().unwrap().to_owned());
                let status = rendered.status().as_u16();
                let body = actix_web::body::to_bytes(rendered.into_body()).await.unwrap();
                (status, serde_json::from_slice(&body).unwrap(), id)
            }
        }
    }

    #[actix_web::test]
    async fn every_error_is_json_with_the_clients_number() {
        for (path, status, code) in
            [("/panic", 500, "INTERNAL"), ("/ours", 400, "BAD_ID"), ("/theirs", 400, "INVALID_JSON")]
        {
            let (got, body, id) = answer(path).await;
            assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{path}: {body}");
            assert_eq!(body["request_id"], "mine");
            assert_eq!(id.as_deref(), Some("mine"));
            assert!(body["error"].is_string() && body["details"].is_object());
        }
    }
}
