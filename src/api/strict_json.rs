//! JSON as RFC 8259 means it: one object, no name twice, nothing after the end.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{ApiError, Code};

/// Longest message that is passed on; serde quotes what it found, which may be megabytes.
const LONGEST_MESSAGE: usize = 200;

/// Reads the one object of a body. Nesting is bounded by serde_json at 128.
///
/// # Errors
/// 400 `Invalid JSON`, with `details.field` when the fault lies inside a field (a number that is none, a lone
/// surrogate, a name that comes twice).
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Strict(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let complaint = invalid(&error.into_inner().to_string());
        if path.starts_with('.') || path.starts_with('?') || path.is_empty() {
            complaint
        } else {
            complaint.with("field", path)
        }
    })?;
    reader.end().map_err(|error| invalid(&error.to_string()))?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(invalid("expected an object")),
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(Code::InvalidJson).with("message", shorten(message))
}

/// At most [`LONGEST_MESSAGE`] characters of `message`.
pub(super) fn shorten(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// A value in which no object has a name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{}`", shorten(&name))));
            }
            let Strict(value) = entries.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> ApiError {
        let error = object(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidJson, "{text}");
        error
    }

    #[test]
    fn an_object_comes_through_as_it_is() {
        let map =
            object(r#" {"a": [1, -2, 3.5, null, true], "b": {"c": "\ud83d\ude00"}} "#.as_bytes()).unwrap();
        assert_eq!(Value::Object(map), serde_json::json!({"a": [1, -2, 3.5, null, true], "b": {"c": "😀"}}));
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in
            ["", "{", "[]", "1", "null", "{} {}", "{}x", "{\"a\":01}", "{'a':1}", "{\"a\":NaN}", "\u{feff}{}"]
        {
            refused(text);
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        refused(&deep);
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_fault_inside_a_field_names_it() {
        assert_eq!(refused(r#"{"width": 1e400}"#).details()["field"], "width");
        assert_eq!(refused(r#"{"prompt": "\ud800"}"#).details()["field"], "prompt");
        assert_eq!(refused(r#"{"metadata": {"a": 1, "a": 2}}"#).details()["field"], "metadata");
        assert!(
            refused(r#"{"a": 1, "a": 2}"#).details()["message"]
                .as_str()
                .unwrap()
                .contains("duplicate field `a`")
        );
    }
}
