//! Who looks at the presets, and when: not everyone sees every character.

use time::Date;
use toml::Value;

/// The caller whose key it is, today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer<'a> {
    pub key_id: i64,
    pub key_name: &'a str,
    /// In UTC.
    pub today: Date,
}

/// How a file names an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRef {
    /// As `imgen keys list` numbers it.
    Id(i64),
    /// Every key of that name.
    Name(String),
}

/// What [`read_keys`] reads.
pub(super) const KEYS: &str = "a list of API keys, each by its number or its name";

pub(super) fn read_keys(value: &Value) -> Option<Vec<KeyRef>> {
    value.as_array()?.iter().map(KeyRef::read).collect()
}

impl KeyRef {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let name =
            || value.as_str().filter(|name| !name.trim().is_empty()).map(|name| Self::Name(name.to_owned()));
        value.as_integer().map(Self::Id).or_else(name)
    }

    pub(super) fn is(&self, viewer: &Viewer<'_>) -> bool {
        match self {
            Self::Id(id) => *id == viewer.key_id,
            Self::Name(name) => name == viewer.key_name,
        }
    }
}
