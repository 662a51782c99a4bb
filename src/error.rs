//! One table of what can go wrong, as a client sees it: code, status, public text.
//!
//! A room's own error is typed in the room and translated here, and nowhere else, into HTTP.

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
            Self::Unavailable => ("UNAVAILABLE", 503, "Temporarily unavailable"),
            Self::Internal => ("INTERNAL", 500, "Internal error"),
        }
    }
}
