//! From a JSON object to a request struct, so that every complaint names its field.

use std::collections::HashMap;
use std::fmt;

use serde::de::value::Error as Plain;
use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::strict_json::shorten;
use crate::error::{ApiError, Code};

/// Other names of a parameter: its own name and what else it may be called.
pub(super) type Aliases = &'static [(&'static str, &'static [&'static str])];

/// Reads `T` from the fields of a request, `action` already taken out.
///
/// # Errors
/// 400: a field `T` does not have (the known ones are listed), a wrong type, two names of one parameter.
pub(super) fn read<T: DeserializeOwned>(
    mut fields: Map<String, Value>,
    aliases: Aliases,
) -> Result<T, ApiError> {
    let said = unalias(&mut fields, aliases)?;
    let known = known_fields::<T>();
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        let others = aliases.iter().flat_map(|(_, others)| others.iter());
        let mut all: Vec<&str> = known.iter().chain(others).copied().collect();
        all.sort_unstable();
        return Err(ApiError::new(Code::UnknownField).with("field", shorten(unknown)).with("known", all));
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        let field = said.get(path.as_str()).copied().unwrap_or(&path).to_owned();
        ApiError::invalid_field(field, shorten(&error.into_inner().to_string()))
    })
}

/// Renames aliases to the parameter's own name; answers own name -> name that the client used.
fn unalias(
    fields: &mut Map<String, Value>,
    aliases: Aliases,
) -> Result<HashMap<&'static str, &'static str>, ApiError> {
    let mut said: HashMap<&str, &str> = HashMap::new();
    for (own, others) in aliases {
        for other in *others {
            let Some(value) = fields.remove(*other) else { continue };
            if fields.contains_key(*own) {
                let first = said.get(own).copied().unwrap_or(own);
                let message = format!("is the same parameter as `{first}`; send one of them");
                return Err(ApiError::invalid_field(*other, message));
            }
            fields.insert((*own).to_owned(), value);
            said.insert(*own, *other);
        }
    }
    Ok(said)
}

/// The names that serde reads for the struct `T`, asked of serde itself so that no list can go stale.
fn known_fields<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Ask<'a>(&'a mut &'static [&'static str]);
    impl<'de> Deserializer<'de> for Ask<'_> {
        type Error = Plain;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Plain> {
            Err(Plain::custom("only asked for names"))
        }
        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Plain> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }
        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut names: &'static [&'static str] = &[];
    // It always fails, by design, once it has told its names.
    let _ = T::deserialize(Ask(&mut names));
    names
}

/// For `Option` fields whose `null` is a wrong type: absent is `None`, anything present must be a `T`.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// An integer of any size, saturated to 64 bits; `1024.0` is one, `1.5`, `"1024"` and `null` are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int(pub i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntVisitor)
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = Int;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Int, E> {
        Ok(Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Int, E> {
        Ok(Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Int, E> {
        if value.fract() == 0.0 {
            // `as` saturates, which is what the callers clamp from.
            Ok(Int(value as i64))
        } else {
            Err(E::invalid_type(Unexpected::Float(value), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "present")]
        width: Option<Int>,
        name: String,
    }

    const ALIASES: Aliases = &[("width", &["w", "breadth"])];

    fn sample(value: Value) -> Result<Sample, ApiError> {
        let Value::Object(map) = value else { panic!("a map") };
        read(map, ALIASES)
    }

    #[test]
    fn integers_of_any_size_are_integers() {
        for (value, expected) in [
            (json!(7), 7),
            (json!(-8), -8),
            (json!(1024.0), 1024),
            (json!(u64::MAX), i64::MAX),
            (json!(1e30), i64::MAX),
            (json!(-1e30), i64::MIN),
        ] {
            assert_eq!(sample(json!({"width": value})).unwrap().width, Some(Int(expected)));
        }
        assert_eq!(sample(json!({})).unwrap().width, None);
    }

    #[test]
    fn a_wrong_type_names_its_field_as_the_client_called_it() {
        for value in [json!("1024"), json!(null), json!(1.5), json!([1]), json!({}), json!(true)] {
            let error = sample(json!({"w": value})).unwrap_err();
            assert_eq!(error.code(), Code::InvalidField);
            assert_eq!(error.details()["field"], "w");
        }
        assert_eq!(sample(json!({"name": null})).unwrap_err().details()["field"], "name");
    }

    #[test]
    fn an_unknown_field_is_named_and_the_known_are_listed() {
        let error = sample(json!({"widht": 1})).unwrap_err();
        assert_eq!(error.code(), Code::UnknownField);
        assert_eq!(error.details()["field"], "widht");
        assert_eq!(error.details()["known"], json!(["breadth", "name", "w", "width"]));
    }

    #[test]
    fn two_names_of_one_parameter_are_refused() {
        assert_eq!(sample(json!({"breadth": 5})).unwrap().width, Some(Int(5)));
        assert_eq!(sample(json!({"w": 5, "breadth": 5})).unwrap_err().details()["field"], "breadth");
        assert_eq!(sample(json!({"w": 5, "width": 5})).unwrap_err().details()["field"], "w");
    }
}
