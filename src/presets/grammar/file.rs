//! One file of recipes, as it is written.

use std::collections::BTreeMap;

use super::super::fields::Fields;
use super::slot::{self, Weighted};

/// What `prompts/KEY.toml` says.
#[derive(Debug)]
pub(in crate::presets) struct PromptFile {
    pub(super) slots: BTreeMap<String, Weighted>,
    pub(super) recipes: Vec<String>,
    /// Its recipes say who is seen, so no character goes with them.
    pub(super) without_character: bool,
}

impl PromptFile {
    pub(in crate::presets) fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let slots = slot::take(fields);
        let recipes = fields.texts_or_none("recipes");
        let without_character = fields.flag("without_character");
        Some(Self { slots, recipes: recipes?, without_character: without_character? })
    }
}
