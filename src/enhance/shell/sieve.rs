//! From what a model said to terms that may be added.

use std::collections::{HashMap, HashSet};

use super::plain;
use super::words::{is_refused, is_word, side, stems};

/// Words of one addition.
const MOST_WORDS: usize = 4;
/// Characters of one addition.
const MOST_CHARS: usize = 40;
/// What is looked at of one proposal, in bytes: those of models that talk have no end.
const MOST_BYTES: usize = 4096;

/// What a model said, cut into what might be terms. Of models that think aloud only what comes after it.
pub(in crate::enhance) fn pieces(said: &str) -> impl Iterator<Item = &str> {
    let said = said.rsplit("</think>").next().unwrap_or_default();
    let mut end = said.len().min(MOST_BYTES);
    while !said.is_char_boundary(end) {
        end -= 1;
    }
    said[..end].split([',', ';', '\n', '|', '•'])
}

/// What was said so far, and what therefore may not be said any more.
#[derive(Debug)]
pub(in crate::enhance) struct Sieve {
    /// Stems of all words.
    known: HashSet<String>,
    /// The last stem of each term: what the term is about.
    heads: HashSet<String>,
    /// Stems that are kept out of the picture.
    unwanted: HashSet<String>,
    /// Group to side, as [`side`] has them.
    sides: HashMap<usize, usize>,
    /// In lower case.
    refused: Vec<String>,
}

impl Sieve {
    /// Around the composed prompts. `refused` are the operator's own words, in any case.
    pub(in crate::enhance) fn new(positive: &str, negative: &str, refused: &[String]) -> Self {
        let mut sieve = Self {
            known: HashSet::new(),
            heads: HashSet::new(),
            unwanted: plain(negative).iter().flat_map(|term| stems(term)).collect(),
            sides: HashMap::new(),
            refused: refused.iter().map(|word| word.to_lowercase()).collect(),
        };
        for term in plain(positive) {
            sieve.take(&stems(&term));
        }
        sieve
    }

    /// The term in a piece, cleaned, if it may be added.
    pub(in crate::enhance) fn pass(&self, piece: &str) -> Option<String> {
        let term = clean(piece)?;
        let lower = term.to_lowercase();
        if self.refused.iter().any(|refused| !refused.is_empty() && holds(&lower, refused)) {
            return None;
        }
        let stems = stems(&term);
        let head = stems.last()?;
        let says_again = self.heads.contains(head) || stems.iter().all(|stem| self.known.contains(stem));
        let unwanted = stems.iter().any(|stem| self.unwanted.contains(stem));
        let contradicts = stems
            .iter()
            .filter_map(|stem| side(stem))
            .any(|(group, side)| self.sides.get(&group).is_some_and(|taken| *taken != side));
        (!says_again && !unwanted && !contradicts).then_some(term)
    }

    /// The term is part of the prompt from now on.
    pub(in crate::enhance) fn add(&mut self, term: &str) {
        self.take(&stems(term));
    }

    fn take(&mut self, stems: &[String]) {
        self.heads.extend(stems.last().cloned());
        for stem in stems {
            if let Some((group, side)) = side(stem) {
                self.sides.entry(group).or_insert(side);
            }
            self.known.insert(stem.clone());
        }
    }
}

/// Whether the words stand in the text, and not as part of longer ones.
fn holds(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    })
}

/// A few plain words, in lower case but for one capital at most, or nothing.
fn clean(piece: &str) -> Option<String> {
    let numbered = piece.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let listed = numbered.strip_prefix(['.', ')']).unwrap_or(piece).trim_start();
    let piece = listed.strip_prefix("- ").unwrap_or(listed);
    if piece.starts_with('-') {
        return None;
    }
    let piece = piece.trim_matches(|c: char| c.is_whitespace() || "*-_`\"'.!“”‘’".contains(c));
    let mut words: Vec<&str> = piece.split_whitespace().collect();
    while words
        .first()
        .is_some_and(|word| ["a", "an", "the", "and", "with"].contains(&word.to_lowercase().as_str()))
    {
        words.remove(0);
    }
    let capitals = words.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    if words.is_empty()
        || words.len() > MOST_WORDS
        || capitals > 1
        || capitals == 1 && !words[0].starts_with(char::is_uppercase)
    {
        return None;
    }
    let term = words.join(" ").to_lowercase();
    let fits = term.chars().count() <= MOST_CHARS && term.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    let plain = term.split(' ').all(|word| {
        is_word(word) && !is_refused(word) && word.split(['-', '\'']).all(|part| !is_refused(part))
    });
    // `break` is a word of the syntax in capitals, and none that is missed.
    (fits && plain && !term.split(' ').any(|word| word == "break")).then_some(term)
}
