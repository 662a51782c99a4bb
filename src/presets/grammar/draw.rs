//! One prompt, drawn.

use super::template::Piece;
use super::{Grammar, Recipe, Whom};

/// How often a prompt is drawn again that is the last one.
const MOST_TRIES: usize = 8;

impl Grammar {
    /// A prompt without its `@name`, other than `last`, for a character or for none. `pick(n)` is chance: it gives a
    /// number below `n`, which is at least 1. Empty only where there is no recipe that fits.
    pub(in crate::presets) fn draw(
        &self,
        character: Option<&str>,
        pick: &mut dyn FnMut(usize) -> usize,
        last: &str,
    ) -> String {
        let fitting: Vec<&Recipe> = self.recipes.iter().filter(|recipe| recipe.fits(character)).collect();
        let mut spare = &[String::new(), String::new()];
        for _ in 0..MOST_TRIES {
            let Some(recipe) = fitting.get(below(fitting.len(), pick)) else { break };
            let mut text = String::new();
            self.fill(&recipe.pieces, pick, &mut text);
            if text != last {
                return text;
            }
            spare = &recipe.two;
        }
        spare.iter().find(|text| *text != last).cloned().unwrap_or_default()
    }

    fn fill(&self, pieces: &[Piece], pick: &mut dyn FnMut(usize) -> usize, text: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Slot(name) => {
                    let choices = self.slots.get(name).map_or(&[][..], Vec::as_slice);
                    let total = choices.iter().map(|(_, weight)| *weight as usize).sum();
                    let mut at = below(total, pick);
                    let chosen = choices.iter().find(|(_, weight)| match at.checked_sub(*weight as usize) {
                        Some(left) => {
                            at = left;
                            false
                        }
                        None => true,
                    });
                    if let Some((inner, _)) = chosen {
                        self.fill(inner, pick, text);
                    }
                }
                Piece::Maybe(inner) => {
                    if below(2, pick) == 1 {
                        self.fill(inner, pick, text);
                    }
                }
            }
        }
    }
}

impl Recipe {
    fn fits(&self, character: Option<&str>) -> bool {
        match &self.whom {
            Whom::Everybody => true,
            Whom::Nobody => character.is_none(),
            Whom::Only(name) => character == Some(name),
        }
    }
}

/// A number below `count`, whatever chance says; 0 for none.
fn below(count: usize, pick: &mut dyn FnMut(usize) -> usize) -> usize {
    pick(count.max(1)).checked_rem(count).unwrap_or_default()
}
