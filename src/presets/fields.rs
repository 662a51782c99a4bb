//! A TOML table that is taken apart field by field. Nothing stops at the first complaint, and what nobody took is one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::{Table, Value};

use crate::config::complaints::Complaints;

/// What is left of a table, and where it stands (`presets/models/eros.toml: styles.boudoir`).
#[derive(Debug)]
pub(super) struct Fields<'a> {
    left: Table,
    file: &'a str,
    /// Dotted path to this table, ending in a dot; empty for the file itself.
    path: String,
    complaints: &'a mut Complaints,
}

impl<'a> Fields<'a> {
    /// Reads a whole file with `take`, then complains about fields that it left.
    pub(super) fn read<T>(
        text: &str,
        file: &'a str,
        complaints: &'a mut Complaints,
        take: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        match text.parse::<Table>() {
            Ok(left) => Fields { left, file, path: String::new(), complaints }.finish(take),
            Err(error) => {
                complaints.add(file, error.to_string().trim_end());
                None
            }
        }
    }

    fn finish<T>(mut self, take: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        let taken = take(&mut self);
        for field in std::mem::take(&mut self.left).keys() {
            self.complain(field, "there is no such field");
        }
        taken
    }

    /// Adds a complaint about a field of this table.
    pub(super) fn complain(&mut self, field: &str, message: impl Into<String>) {
        self.complaints.add(format!("{}: {}{field}", self.file, self.path), message);
    }

    /// A field that must be there, through `read`; `kind` names what `read` accepts.
    fn take<T>(&mut self, field: &str, kind: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let Some(value) = self.left.remove(field) else {
            self.complain(field, format!("missing; it is {kind}"));
            return None;
        };
        let taken = read(&value);
        if taken.is_none() {
            self.complain(field, format!("must be {kind}, not {value}"));
        }
        taken
    }

    /// A field as it stands, for whoever takes it apart further.
    pub(super) fn raw(&mut self, field: &str) -> Option<Value> {
        self.left.remove(field)
    }

    /// A text with something in it.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        self.take(field, "a text that is not empty", |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
    }

    /// A text; absent is empty.
    pub(super) fn text_or_empty(&mut self, field: &str) -> Option<String> {
        if !self.left.contains_key(field) {
            return Some(String::new());
        }
        self.take(field, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that `accept` accepts.
    pub(super) fn key_of(
        &mut self,
        field: &str,
        kind: &str,
        accept: impl Fn(&str) -> bool,
    ) -> Option<String> {
        self.take(field, kind, |value| value.as_str().filter(|text| accept(text)).map(str::to_owned))
    }

    pub(super) fn integer(&mut self, field: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let kind = format!("an integer from {} to {}", range.start(), range.end());
        self.take(field, &kind, |value| value.as_integer().filter(|number| range.contains(number)))
    }

    /// A number, with or without a fraction.
    pub(super) fn real(&mut self, field: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let kind = format!("a number from {} to {}", range.start(), range.end());
        self.take(field, &kind, |value| {
            let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            number.filter(|number| range.contains(number))
        })
    }

    /// The same, where it may be absent.
    pub(super) fn real_or_none(&mut self, field: &str, range: RangeInclusive<f64>) -> Option<Option<f64>> {
        if self.left.contains_key(field) { self.real(field, range).map(Some) } else { Some(None) }
    }

    /// A field that may be absent, through `read`; `kind` names what `read` accepts.
    pub(super) fn optional<T>(
        &mut self,
        field: &str,
        kind: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.left.contains_key(field) { self.take(field, kind, read).map(Some) } else { Some(None) }
    }

    /// A text that `read` reads; `kind` names what it accepts.
    pub(super) fn name<T>(&mut self, field: &str, kind: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.take(field, kind, |value| value.as_str().and_then(read))
    }

    /// A list of texts, none of them empty.
    pub(super) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        self.take(field, "a list of texts that are not empty", |value| {
            let text = |item: &Value| item.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
            value.as_array()?.iter().map(text).collect()
        })
    }

    /// The same; absent is an empty one.
    pub(super) fn texts_or_none(&mut self, field: &str) -> Option<Vec<String>> {
        if self.left.contains_key(field) { self.texts(field) } else { Some(Vec::new()) }
    }

    /// Yes or no; absent is no.
    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        if !self.left.contains_key(field) {
            return Some(false);
        }
        self.take(field, "true or false", Value::as_bool)
    }

    /// A table of at least one table, each read with `take`; its keys are preset keys.
    pub(super) fn tables<T>(
        &mut self,
        field: &str,
        take: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let tables = self.take(field, "a table of tables, at least one", |value| {
            let tables =
                value.as_table()?.iter().map(|(key, item)| Some((key.clone(), item.as_table()?.clone())));
            tables.collect::<Option<Vec<_>>>().filter(|tables| !tables.is_empty())
        })?;
        let mut read = BTreeMap::new();
        let mut whole = true;
        for (key, left) in tables {
            if !is_key(&key) {
                self.complain(&format!("{field}.{key}"), KEY_RULE);
            }
            let path = format!("{}{field}.{key}.", self.path);
            let inner = Fields { left, file: self.file, path, complaints: self.complaints };
            match inner.finish(&take) {
                Some(item) => _ = read.insert(key, item),
                None => whole = false,
            }
        }
        whole.then_some(read)
    }
}

/// What keys and file names look like.
pub(super) const KEY_RULE: &str =
    "a key has only lower-case letters, digits, `_` and `-`, and begins with a letter or digit";

/// Keys that can be typed behind `@` and end there.
pub(super) fn is_key(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    key.starts_with(plain) && !key.ends_with('-') && key.chars().all(|c| plain(c) || c == '_' || c == '-')
}
