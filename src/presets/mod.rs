//! # Presets: models, styles, characters and random prompts
#![doc = include_str!("README.md")]
//!
//! - `model`, `character`: what a file of each kind holds; `viewer`: who sees which character
//! - `register`: LoRA files, and who may use which
//! - `grammar/`, `random`: recipes of random prompts, and one drawn for whom it was asked
//! - `load`: reads the folders and checks what spans files
//! - `fields`: a table that is taken apart field by field, complaining
//! - `loaded`, `unavailable`: checkpoints that were loaded, and those that could not be lately
//! - `shelf`, `watch`: the presets as they are now, read again when a file changes

mod character;
mod fields;
mod grammar;
mod load;
mod loaded;
mod model;
mod random;
mod register;
mod shelf;
mod unavailable;
mod viewer;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::complaints::Complaints;
use crate::diffusion::Digests;

pub use character::{Character, Lora};
pub use loaded::Loaded;
pub use model::{Model, Style};
pub use random::{RandomPrompt, UnknownCharacter, Wanted};
pub use register::{RegisteredLora, lora_file};
pub use shelf::Shelf;
pub use unavailable::Unavailable;
pub use viewer::{KeyRef, Viewer};
pub use watch::Watch;

/// All presets, consistent with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Presets {
    /// By key, such as `eros`.
    pub models: BTreeMap<String, Model>,
    /// By name, in lower case, such as `aya`. Not public: each is looked up for somebody.
    characters: BTreeMap<String, Character>,
    /// By name. Not public: each is looked up for somebody.
    loras: BTreeMap<String, RegisteredLora>,
    grammar: grammar::Grammar,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub models: usize,
    /// Of all models together.
    pub styles: usize,
    pub characters: usize,
    pub loras: usize,
    /// Of random prompts.
    pub recipes: usize,
}

impl Presets {
    /// Reads `models/*.toml`, `characters/*.toml` and `prompts/*.toml` below `dir` and the register in `loras_dir`, or says all
    /// that is wrong with them.
    pub fn load(dir: &Path, loras_dir: &Path) -> Result<Self, Complaints> {
        load::load(dir, loras_dir, &Digests::default())
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

    /// The registered LoRA of this name, if the viewer may use it: what characters bring is for those who may use one of them,
    /// anything else for all that the register names.
    pub fn lora(&self, name: &str, viewer: &Viewer<'_>) -> Option<&RegisteredLora> {
        let mut bringers = self.bringers(name).peekable();
        let is_for_viewer =
            bringers.peek().is_none() || bringers.any(|(_, character)| character.is_for(viewer));
        self.loras.get(name).filter(|lora| is_for_viewer && lora.is_for(viewer))
    }

    /// Whether a LoRA is how some character looks: then it is drawn with that character alone.
    pub fn belongs_to_a_character(&self, lora: &str) -> bool {
        self.bringers(lora).next().is_some()
    }

    fn bringers(&self, lora: &str) -> impl Iterator<Item = (&String, &Character)> {
        let brings = move |character: &Character| character.lora.as_ref().is_some_and(|own| own.name == lora);
        self.characters.iter().filter(move |(_, character)| brings(character))
    }

    /// All registered LoRAs that are there for the viewer, by name.
    pub fn loras_for(&self, viewer: &Viewer<'_>) -> impl Iterator<Item = (&str, &RegisteredLora)> {
        let names = self.loras.keys().map(String::as_str);
        names.filter_map(move |name| Some((name, self.lora(name, viewer)?)))
    }

    pub fn counts(&self) -> Counts {
        Counts {
            models: self.models.len(),
            styles: self.models.values().map(|model| model.styles.len()).sum(),
            characters: self.characters.len(),
            loras: self.loras.len(),
            recipes: self.grammar.len(),
        }
    }
}

#[cfg(test)]
mod tests;
