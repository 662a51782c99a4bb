//! A character: what `@name` adds to a prompt.

use super::fields::Fields;

/// Texts that join the prompts (specification, "Prompt Construction").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Character {
    /// Opens the positive prompt, such as `portrait of aya`.
    pub trigger: String,
    /// Follows the trigger; may be empty.
    pub positive: String,
    /// May be empty.
    pub negative: String,
}

impl Character {
    pub(super) fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let trigger = fields.text("trigger");
        let positive = fields.text_or_empty("positive");
        let negative = fields.text_or_empty("negative");
        Some(Self { trigger: trigger?, positive: positive?, negative: negative? })
    }
}
