//! # Presets: models, styles, characters and random prompts
#![doc = include_str!("README.md")]
//!
//! - `model`, `character`: what a file of each kind holds; `viewer`: who sees which character
//! - `grammar/`, `random`: recipes of random prompts, and one drawn for whom it was asked
//! - `load`: reads the folders and checks what spans files
//! - `fields`: a table that is taken apart field by field, complaining
//! - `shelf`, `watch`: the presets as they are now, read again when a file changes

mod character;
mod fields;
mod grammar;
mod load;
mod model;
mod random;
mod shelf;
mod viewer;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::complaints::Complaints;

pub use character::{Character, Lora};
pub use model::{Model, Style};
pub use random::{RandomPrompt, UnknownCharacter, Wanted};
pub use shelf::Shelf;
pub use viewer::{KeyRef, Viewer};
pub use watch::Watch;

/// All presets, consistent with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Presets {
    /// By key, such as `eros`.
    pub models: BTreeMap<String, Model>,
    /// By name, in lower case, such as `aya`. Not public: each is looked up for somebody.
    characters: BTreeMap<String, Character>,
    grammar: grammar::Grammar,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub models: usize,
    /// Of all models together.
    pub styles: usize,
    pub characters: usize,
    /// Of random prompts.
    pub recipes: usize,
}

impl Presets {
    /// Reads `models/*.toml`, `characters/*.toml` and `prompts/*.toml` below `dir`, or says all that is wrong with them.
    pub fn load(dir: &Path) -> Result<Self, Complaints> {
        load::load(dir)
    }

    /// The first model: what an unknown one falls back to (specification, "Silent fallbacks"). There is one in whatever
    /// [`Presets::load`] gives.
    pub fn default_model(&self) -> Option<(&String, &Model)> {
        self.models.iter().min_by_key(|(_, model)| model.order)
    }

    /// The character of this name, in lower case, if it is there for the viewer.
    pub fn character(&self, name: &str, viewer: &Viewer<'_>) -> Option<&Character> {
        self.characters.get(name).filter(|character| character.is_for(viewer))
    }

    /// All characters that are there for the viewer, by name.
    pub fn characters_for(&self, viewer: &Viewer<'_>) -> impl Iterator<Item = (&str, &Character)> {
        let all = self.characters.iter().map(|(name, character)| (name.as_str(), character));
        all.filter(move |(_, character)| character.is_for(viewer))
    }

    pub fn counts(&self) -> Counts {
        Counts {
            models: self.models.len(),
            styles: self.models.values().map(|model| model.styles.len()).sum(),
            characters: self.characters.len(),
            recipes: self.grammar.len(),
        }
    }
}

#[cfg(test)]
mod tests;
