//! # Presets: models, styles, characters and random prompts
#![doc = include_str!("README.md")]
//!
//! - `model`, `character`, `random`: what a file of each kind holds
//! - `load`: reads the folders and checks what spans files
//! - `fields`: a table that is taken apart field by field, complaining

mod character;
mod fields;
mod load;
mod model;
mod random;

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::complaints::Complaints;

pub use character::Character;
pub use model::{Model, Style};
pub use random::{RandomPrompt, UnknownCharacter, Wanted};

/// All presets, consistent with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Presets {
    /// By key, such as `eros`.
    pub models: BTreeMap<String, Model>,
    /// By name, in lower case, such as `aya`.
    pub characters: BTreeMap<String, Character>,
    pub(in crate::presets) prompts: Vec<random::Entry>,
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
}

#[cfg(test)]
mod tests;
