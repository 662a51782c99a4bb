//! What random prompts are drawn from: recipes, and slots that fill them.
//!
//! - `file`: one file as it is written; `slot`: its weighted texts
//! - `template`: a text with places to fill, taken apart
//! - `build`: all files together, checked, so that whatever is drawn reads back as what it says
//! - `reach`: what a slot or a recipe can come to: how long, and which two texts at least
//! - `draw`: one prompt

mod build;
mod draw;
mod file;
mod reach;
mod slot;
mod template;

use std::collections::BTreeMap;

pub(super) use build::build;
pub(super) use file::PromptFile;
use template::Piece;

/// Recipes and slots that fit together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grammar {
    slots: BTreeMap<String, Slot>,
    recipes: Vec<Recipe>,
}

/// Texts, each with its weight, which is at least 1.
type Slot = Vec<(Vec<Piece>, u32)>;

/// One kind of prompt.
#[derive(Debug, Clone, PartialEq)]
struct Recipe {
    pieces: Vec<Piece>,
    whom: Whom,
    /// Two different prompts that it makes, for when chance repeats itself.
    two: [String; 2],
}

/// With which `@name` a recipe can go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    /// Any, and none.
    Everybody,
    Nobody,
    Only(String),
}

impl Grammar {
    /// How many recipes there are.
    pub(super) fn len(&self) -> usize {
        self.recipes.len()
    }
}
