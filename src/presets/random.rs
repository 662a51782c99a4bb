//! Random prompts: which fit, and one of them drawn.

use thiserror::Error;

use super::Presets;

/// A prompt of `prompts/*.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Without its `@name`.
    pub(super) text: String,
    /// The only character it was written for.
    pub(super) character: Option<String>,
}

/// The `character` of the action `random` (specification, "POST random").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Absent: any character.
    Any,
    /// `""`: none.
    Nobody,
    /// In any case.
    Named(&'a str),
}

/// A drawn prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomPrompt {
    /// Which it was; given back as `last`, it is not drawn again.
    pub index: usize,
    /// Such as `@aya red hoodie, smiling`.
    pub text: String,
}

/// Not the name of a character.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("@{0} is not a character")]
pub struct UnknownCharacter(pub String);

impl Presets {
    /// Draws a prompt other than `last`. `pick(n)` is chance: it gives a number below `n`, which is at least 1.
    pub fn random(
        &self,
        wanted: Wanted<'_>,
        pick: &mut dyn FnMut(usize) -> usize,
        last: Option<usize>,
    ) -> Result<RandomPrompt, UnknownCharacter> {
        let name = match wanted {
            Wanted::Nobody => None,
            Wanted::Any => {
                let at = pick(self.characters.len().max(1)) % self.characters.len().max(1);
                self.characters.keys().nth(at).cloned()
            }
            Wanted::Named(name) => {
                let name = name.trim().trim_start_matches('@').to_lowercase();
                if !self.characters.contains_key(&name) {
                    return Err(UnknownCharacter(name));
                }
                Some(name)
            }
        };
        let fits = |entry: &Entry| entry.character.is_none() || entry.character == name;
        let fitting = self.prompts.iter().enumerate().filter(|(_, entry)| fits(entry));
        let fresh: Vec<(usize, &Entry)> = fitting.filter(|(index, _)| Some(*index) != last).collect();
        let at = pick(fresh.len().max(1)) % fresh.len().max(1);
        let (index, text) = fresh.get(at).map_or((0, ""), |(index, entry)| (*index, entry.text.as_str()));
        let text = match name {
            Some(name) => format!("@{name} {text}"),
            None => text.to_owned(),
        };
        Ok(RandomPrompt { index, text })
    }
}
