//! Lists of words and phrases, and whether one occurs.

use std::collections::HashMap;

use super::cuts::Reading;
use super::readings::{Readings, one_stroke, words};

/// Phrases by their first word.
#[derive(Debug, Default)]
pub(super) struct Phrases(HashMap<String, Vec<Vec<String>>>);

/// The lists of a table: a `[section]` a line, then one phrase a line; `#` begins a remark.
pub(super) fn sections(table: &str) -> HashMap<&str, Vec<String>> {
    let (mut sections, mut section) = (HashMap::new(), "");
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => sections.entry(section).or_insert_with(Vec::new).push(line.to_owned()),
        }
    }
    sections
}

impl Phrases {
    pub(super) fn of(phrases: &[String]) -> Self {
        let mut all = Self::default();
        phrases.iter().for_each(|phrase| all.insert(phrase));
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a phrase, normalised like the texts it is looked for in.
    fn insert(&mut self, phrase: &str) {
        let plain = words(phrase);
        let strokes: Vec<String> = plain.iter().map(|word| one_stroke(word)).collect();
        self.keep(strokes.into_iter().filter(|_| phrase.contains('l')));
        self.keep(plain.into_iter());
    }

    fn keep(&mut self, mut words: impl Iterator<Item = String>) {
        if let Some(first) = words.next() {
            self.0.entry(first).or_default().push(words.collect());
        }
    }

    /// Whether any phrase stands, as whole words in a row, in any reading.
    pub(super) fn occurs(&self, readings: &Readings) -> bool {
        readings.iter().any(|Reading { words, .. }| (0..words.len()).any(|at| self.length_at(words, at) > 0))
    }

    /// Whether a word is one of the phrases.
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.get(word).is_some_and(|phrases| phrases.iter().any(Vec::is_empty))
    }

    /// Bytes of the longest phrase that is one word.
    pub(super) fn longest_word(&self) -> usize {
        let words = self.0.iter().filter(|(_, phrases)| phrases.iter().any(Vec::is_empty));
        words.map(|(word, _)| word.len()).max().unwrap_or(0)
    }

    /// Whether any reading is a phrase from end to end.
    pub(super) fn equals(&self, readings: &Readings) -> bool {
        readings
            .iter()
            .any(|Reading { words, .. }| !words.is_empty() && self.length_at(words, 0) == words.len())
    }

    /// Number of words of the longest phrase that begins at `at`; 0 for none, and behind the end.
    pub(super) fn length_at(&self, words: &[String], at: usize) -> usize {
        let Some((first, rest)) = words.get(at..).and_then(<[String]>::split_first) else { return 0 };
        let phrases = self.0.get(first).into_iter().flatten();
        phrases.filter(|phrase| rest.starts_with(phrase)).map(|phrase| phrase.len() + 1).max().unwrap_or(0)
    }
}
