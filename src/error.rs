//! One table of what can go wrong, as a client sees it: code, status, public text.
//!
//! A room's own error is typed in the room and translated here, and nowhere else, into HTTP.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde_json::{Map, Value, json};

use crate::storage::StorageError;
use crate::store::{StoreError, SubmitError};

/// Every error a client can meet. The name is stable; so is the text where the specification gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    MissingAction,
    UnknownAction,
    InvalidJson,
    InvalidField,
    UnknownField,
    PromptRequired,
    InvalidCharacter,
    OnlyOneCharacter,
    BadId,
    NotAccepted,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    UnsupportedMediaType,
    IdempotencyMismatch,
    RateLimited,
    QueueFull,
    GenerationFailed,
    EnhancementFailed,
    ContentBlocked,
    ModelUnavailable,
    Unavailable,
    Internal,
}

impl Code {
    /// `UPPER_SNAKE`, HTTP status, public text.
    pub const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MissingAction => ("MISSING_ACTION", 400, "Missing action"),
            Self::UnknownAction => ("UNKNOWN_ACTION", 400, "Unknown action"),
            Self::InvalidJson => ("INVALID_JSON", 400, "Invalid JSON"),
            Self::InvalidField => ("INVALID_FIELD", 400, "Invalid field"),
            Self::UnknownField => ("UNKNOWN_FIELD", 400, "Unknown field"),
            Self::PromptRequired => ("PROMPT_REQUIRED", 400, "Prompt is required"),
            Self::InvalidCharacter => ("INVALID_CHARACTER", 400, "Invalid character"),
            Self::OnlyOneCharacter => ("ONLY_ONE_CHARACTER", 400, "Only one character per prompt"),
            Self::BadId => ("BAD_ID", 400, "Bad ID"),
            Self::NotAccepted => ("NOT_ACCEPTED", 400, "Not accepted as asked"),
            Self::Unauthorized => ("UNAUTHORIZED", 401, "Unauthorized"),
            Self::NotFound => ("NOT_FOUND", 404, "Not found"),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405, "Method not allowed"),
            Self::PayloadTooLarge => ("PAYLOAD_TOO_LARGE", 413, "Payload too large"),
            Self::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type"),
            Self::IdempotencyMismatch => {
                ("IDEMPOTENCY_MISMATCH", 422, "Idempotency-Key was used with another body")
            }
            Self::RateLimited => ("RATE_LIMITED", 429, "Too many requests"),
            Self::QueueFull => ("QUEUE_FULL", 429, "The queue is full"),
            Self::GenerationFailed => ("GENERATION_FAILED", 502, "Generation failed"),
            Self::EnhancementFailed => ("ENHANCEMENT_FAILED", 502, "Enhancement failed"),
            Self::ContentBlocked => ("CONTENT_BLOCKED", 400, "Content blocked"),
            Self::ModelUnavailable => ("MODEL_UNAVAILABLE", 503, "Model unavailable"),
            Self::Unavailable => ("UNAVAILABLE", 503, "Temporarily unavailable"),
            Self::Internal => ("INTERNAL", 500, "Internal error"),
        }
    }
}

/// One error on its way to a client: a row of the table, what is particular to this request, and its number.
///
/// Rendered as `{"error", "code", "request_id", "details"}`; see [`Code::row`] for the first two.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    details: Map<String, Value>,
    /// Seconds after which another try makes sense; becomes `Retry-After`.
    retry_after_s: Option<u64>,
    /// Empty until the middleware that knows it has put it in.
    request_id: String,
}

impl ApiError {
    pub fn new(code: Code) -> Self {
        Self { code, details: Map::new(), retry_after_s: None, request_id: String::new() }
    }

    /// A field that has the wrong type or an impossible value.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidField).with("field", field.into()).with("message", message.into())
    }

    /// Adds one entry to `details`.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub(crate) fn for_request(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request_id);
        self
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    /// The text for people: the table's, with the field named where one is to blame, because the
    /// specification's own clients print nothing else.
    pub fn text(&self) -> String {
        let (_, _, text) = self.code.row();
        let field = self.details.get("field").and_then(Value::as_str);
        let message = self.details.get("message").and_then(Value::as_str);
        match (self.code, field, message) {
            (Code::InvalidField, Some(field), Some(message)) => format!("{text} `{field}`: {message}"),
            (Code::ContentBlocked, _, Some(message)) => message.to_owned(),
            (Code::UnknownField, Some(field), _) => format!("{text} `{field}`"),
            _ => text.to_owned(),
        }
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store could not do as asked");
        if error.is_temporary() {
            Self::new(Code::Unavailable).retry_after_s(5)
        } else {
            Self::new(Code::Internal)
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::QueueFull => Self::new(Code::QueueFull).retry_after_s(10),
            SubmitError::IdempotencyMismatch => Self::new(Code::IdempotencyMismatch),
            SubmitError::Store(error) => error.into(),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the object store could not do as asked");
        Self::new(Code::Unavailable).retry_after_s(5)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header(("Cache-Control", "no-store"));
        if !self.request_id.is_empty() {
            answer.insert_header(("X-Request-Id", self.request_id.as_str()));
        }
        if let Some(seconds) = self.retry_after_s {
            answer.insert_header(("Retry-After", seconds.to_string()));
        }
        match self.code {
            Code::Unauthorized => answer.insert_header(("WWW-Authenticate", "Bearer")),
            Code::MethodNotAllowed => answer.insert_header((
                "Allow",
                self.details.get("allow").and_then(Value::as_str).unwrap_or("POST").to_owned(),
            )),
            _ => &mut answer,
        };
        answer.json(json!({
            "error": self.text(),
            "code": self.code.row().0,
            "request_id": self.request_id,
            "details": self.details,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_field_for_clients_that_print_nothing_else() {
        let error = ApiError::invalid_field("width", "expected an integer");
        assert_eq!(error.text(), "Invalid field `width`: expected an integer");
        assert_eq!(error.status_code(), 400);
        assert_eq!(ApiError::from(Code::BadId).text(), "Bad ID");
    }

    #[test]
    fn a_refusal_to_hurry_says_when_to_come_back() {
        let answer = ApiError::new(Code::RateLimited).retry_after_s(7).error_response();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers().get("Retry-After").and_then(|v| v.to_str().ok()), Some("7"));
    }
}
