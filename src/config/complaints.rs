//! Everything that is wrong with what the house was told, gathered before anything is said.

use std::fmt;

/// One thing that is wrong, and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The setting (`IMGEN_LISTEN`), or file and field (`presets/models/eros.toml: styles.boudoir.label`).
    pub place: String,
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A list that grows; nothing stops at the first.
#[derive(Debug, Default)]
pub struct Complaints(pub Vec<Complaint>);

impl Complaints {
    pub fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Complaint { place: place.into(), message: message.into() });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
