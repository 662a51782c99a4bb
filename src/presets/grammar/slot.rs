//! A slot: texts, some likelier than others.

use std::collections::BTreeMap;

use toml::Value;

use super::super::fields::{Fields, KEY_RULE, is_key};

/// The heaviest that one text of a slot may be.
const HEAVIEST: i64 = 1000;

/// Texts as a file has them, each with its weight.
pub(super) type Weighted = Vec<(String, u32)>;

/// Every slot of a file, by name. A slot with a mistake in it is there as well, so that its users need not be told that
/// it is missing.
pub(super) fn take(fields: &mut Fields<'_>) -> BTreeMap<String, Weighted> {
    let mut slots = BTreeMap::new();
    match fields.raw("slots") {
        None => {}
        Some(Value::Table(table)) => {
            for (name, value) in table {
                let field = format!("slots.{name}");
                if !is_key(&name) {
                    fields.complain(&field, KEY_RULE);
                }
                slots.insert(name, read(&value, &field, fields));
            }
        }
        Some(other) => fields.complain("slots", format!("must be a table of slots, not {other}")),
    }
    slots
}

/// A list of texts that are all as likely, or a table from text to weight.
fn read(value: &Value, field: &str, fields: &mut Fields<'_>) -> Weighted {
    let mut texts = Weighted::new();
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                match item.as_str() {
                    Some(text) if texts.iter().any(|(known, _)| known == text) => {
                        fields.complain(field, format!("`{text}` is there twice"));
                    }
                    Some(text) => texts.push((text.to_owned(), 1)),
                    None => fields.complain(field, format!("{item} is no text")),
                }
            }
        }
        Value::Table(table) if !table.is_empty() => {
            for (text, weight) in table {
                let allowed = weight.as_integer().filter(|weight| (1..=HEAVIEST).contains(weight));
                match allowed.and_then(|weight| u32::try_from(weight).ok()) {
                    Some(weight) => texts.push((text.clone(), weight)),
                    None => fields.complain(
                        &format!("{field}.{text}"),
                        format!("a weight is an integer from 1 to {HEAVIEST}, not {weight}"),
                    ),
                }
            }
        }
        other => {
            let message =
                format!("must be a list of texts or a table of weights, with at least one, not {other}");
            fields.complain(field, message);
        }
    }
    texts
}
