//! What a request wants to be reviewed more strictly.

use serde_json::{Map, Value};

use crate::compliance::{Category, Mode, Tightened};
use crate::error::ApiError;

/// Category and mode, as in `{"violence": "block"}`.
///
/// # Errors
/// 400 that names the field and what is known.
pub(super) fn read(asked: Option<&Map<String, Value>>) -> Result<Tightened, ApiError> {
    let one = |(name, mode): (&String, &Value)| {
        let bad = |message: String| ApiError::invalid_field(format!("compliance.{name}"), message);
        let known = || Category::ALL.iter().map(|category| category.id()).collect::<Vec<_>>().join(", ");
        let category =
            Category::named(name).ok_or_else(|| bad(format!("unknown category; known are {}", known())))?;
        let mode =
            mode.as_str().and_then(Mode::named).ok_or_else(|| bad("must be flag or block".to_owned()))?;
        Ok((category, mode))
    };
    asked.into_iter().flatten().map(one).collect()
}
