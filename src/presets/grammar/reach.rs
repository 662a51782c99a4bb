//! What slots and recipes can come to, without drawing them all.

use std::collections::BTreeMap;

use super::Slot;
use super::template::Piece;

/// How deep slots may stand in each other.
const DEEPEST: usize = 8;

/// What some text with slots can come to.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// The first two different texts, or the only one.
    pub(super) texts: Vec<String>,
    /// Bytes of the longest.
    pub(super) longest: usize,
    /// Slots in slots.
    depth: usize,
}

/// Works it out, each slot once.
#[derive(Debug)]
pub(super) struct Reaches<'a> {
    slots: &'a BTreeMap<String, Slot>,
    /// `None` for a slot that has none: it is unknown, or leads back to itself.
    known: BTreeMap<String, Option<Reach>>,
    /// The slots that are being worked out, from the outermost.
    path: Vec<String>,
    /// Slot and complaint.
    pub(super) complaints: Vec<(String, String)>,
}

impl<'a> Reaches<'a> {
    pub(super) fn new(slots: &'a BTreeMap<String, Slot>) -> Self {
        Self { slots, known: BTreeMap::new(), path: Vec::new(), complaints: Vec::new() }
    }

    /// `None` where a slot in it has none.
    pub(super) fn of_pieces(&mut self, pieces: &[Piece]) -> Option<Reach> {
        let mut all = Reach { texts: vec![String::new()], ..Reach::default() };
        for piece in pieces {
            let reach = match piece {
                Piece::Text(text) => Reach { texts: vec![text.clone()], longest: text.len(), depth: 0 },
                Piece::Slot(name) => self.of_slot(name)?,
                Piece::Maybe(inner) => {
                    let inner = self.of_pieces(inner)?;
                    Reach { texts: two(inner.texts.into_iter().chain([String::new()])), ..inner }
                }
            };
            // Two different beginnings or endings make two different texts, so two of each are enough to look at.
            let joined =
                all.texts.iter().flat_map(|text| reach.texts.iter().map(move |more| format!("{text}{more}")));
            all.texts = two(joined);
            all.longest = all.longest.saturating_add(reach.longest);
            all.depth = all.depth.max(reach.depth);
        }
        Some(all)
    }

    pub(super) fn of_slot(&mut self, name: &str) -> Option<Reach> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        if let Some(at) = self.path.iter().position(|outer| outer == name) {
            let circle = format!("{} > {name}", self.path[at..].join(" > "));
            self.complaints.push((name.to_owned(), format!("it leads back to itself: {circle}")));
            return None;
        }
        let choices = self.slots.get(name)?;
        self.path.push(name.to_owned());
        // The path is bounded as well, because it is walked by recursion.
        let shallow = self.path.len() <= DEEPEST;
        let reach = if shallow { self.of_choices(choices) } else { None };
        self.path.pop();
        let reach = match reach {
            Some(reach) if reach.depth <= DEEPEST => Some(reach),
            None if shallow => None,
            _ => {
                let message = format!("slots stand in each other more than {DEEPEST} deep");
                self.complaints.push((name.to_owned(), message));
                None
            }
        };
        self.known.insert(name.to_owned(), reach.clone());
        reach
    }

    fn of_choices(&mut self, choices: &Slot) -> Option<Reach> {
        let mut all = Reach::default();
        let mut whole = true;
        for (pieces, _) in choices {
            match self.of_pieces(pieces) {
                Some(reach) => {
                    all.texts = two(all.texts.into_iter().chain(reach.texts));
                    all.longest = all.longest.max(reach.longest);
                    all.depth = all.depth.max(reach.depth + 1);
                }
                None => whole = false,
            }
        }
        whole.then_some(all)
    }
}

/// The first two that differ.
fn two(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if kept.len() < 2 && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
