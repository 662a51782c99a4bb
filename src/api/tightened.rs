//! What a request wants to be reviewed more strictly.

use serde_json::{Map, Value};

use super::resolve::quote;
use crate::compliance::Tightened;
use crate::error::ApiError;

/// Category and mode, as in `{"violence": "block"}`.
///
/// # Errors
/// 400 that names the field and what is known.
pub(super) fn read(asked: Option<&Map<String, Value>>) -> Result<Tightened, ApiError> {
    let one = |(name, mode): (&String, &Value)| {
        let mode = mode.as_str().unwrap_or_default();
        let one = Tightened::one(name, mode).and_then(|one| match mode {
            "off" => Err("must be flag or block: a request can only be stricter".to_owned()),
            _ => Ok(one),
        });
        one.map_err(|message| {
            let name = quote(name);
            ApiError::invalid_field(format!("compliance.{}", name.trim_matches('`')), message)
        })
    };
    asked.into_iter().flatten().map(one).collect()
}
