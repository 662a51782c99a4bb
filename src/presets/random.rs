//! Random prompts (specification, "POST random").

use thiserror::Error;

use super::{Presets, Viewer};

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RandomPrompt {
    /// The name behind its `@`.
    pub character: Option<String>,
    /// The rest, such as `red hoodie, smiling, -glasses`; given back as `last`, it is not drawn again.
    pub body: String,
}

impl RandomPrompt {
    /// The prompt as a client would write it.
    pub fn text(&self) -> String {
        match &self.character {
            Some(name) => format!("@{name} {}", self.body),
            None => self.body.clone(),
        }
    }
}

/// Not the name of a character, as far as whoever asks can know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("@{0} is not a character")]
pub struct UnknownCharacter(pub String);

impl Presets {
    /// Draws a prompt whose body is not `last`. `pick(n)` is chance: it gives a number below `n`, which is at least 1.
    ///
    /// # Errors
    /// For a name that the viewer does not see.
    pub fn random(
        &self,
        wanted: Wanted<'_>,
        viewer: &Viewer<'_>,
        pick: &mut dyn FnMut(usize) -> usize,
        last: &str,
    ) -> Result<RandomPrompt, UnknownCharacter> {
        let character = match wanted {
            Wanted::Nobody => None,
            Wanted::Any => {
                let default = self.default_model().map_or("", |(key, _)| key);
                let there = self.characters_for(viewer).filter(|(_, character)| character.is_on(default));
                let names: Vec<&str> = there.map(|(name, _)| name).collect();
                let at = pick(names.len().max(1)).checked_rem(names.len()).unwrap_or_default();
                names.get(at).copied().map(str::to_owned)
            }
            Wanted::Named(name) => {
                let name = name.trim().trim_start_matches('@').to_lowercase();
                if self.character(&name, viewer).is_none() {
                    return Err(UnknownCharacter(name));
                }
                Some(name)
            }
        };
        let body = self.grammar.draw(character.as_deref(), pick, last);
        Ok(RandomPrompt { character, body })
    }
}
