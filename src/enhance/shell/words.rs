//! What is compared, and what is never added.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// One word a line; what no addition may hold.
static REFUSED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("refused.txt")).flat_map(str::split_whitespace).collect());

/// Word to its group and its side in it. Two words of one group and different sides contradict each other.
static OPPOSITES: LazyLock<HashMap<String, (usize, usize)>> = LazyLock::new(|| {
    let mut sides = HashMap::new();
    for (group, line) in lines(include_str!("opposites.txt")).enumerate() {
        for (side, words) in line.split('|').enumerate() {
            sides.extend(words.split_whitespace().map(|word| (stem(word), (group, side))));
        }
    }
    sides
});

/// Words that say nothing by themselves.
const SMALL: &[&str] =
    &["a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "the", "to", "with"];

pub(super) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

/// Whether no addition may hold the word, in lower case.
pub(super) fn is_refused(word: &str) -> bool {
    REFUSED.contains(word)
}

/// Stems of words for people and what only they have.
static SOMEBODY: LazyLock<HashSet<String>> =
    LazyLock::new(|| lines(include_str!("somebody.txt")).flat_map(str::split_whitespace).map(stem).collect());

/// Whether a text speaks of somebody who is seen, or says itself what is behind them.
pub(super) fn is_somebody(text: &str) -> bool {
    stems(text).iter().any(|stem| SOMEBODY.contains(stem))
}

/// Group and side of a stem that has an opposite.
pub(super) fn side(stem: &str) -> Option<(usize, usize)> {
    OPPOSITES.get(stem).copied()
}

/// The stems of the words of a term that say something, in order.
pub(super) fn stems(term: &str) -> Vec<String> {
    let words = term.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty());
    words
        .map(str::to_lowercase)
        .filter(|word| !SMALL.contains(&word.as_str()))
        .map(|word| stem(&word))
        .collect()
}

/// Enough to see that `lights` is `light` and `smiling` is `smile`.
pub(super) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let cut = |end: &str| word.strip_suffix(end).filter(|rest| rest.chars().count() >= 4);
    let base = cut("ing").or_else(|| cut("ed")).or_else(|| cut("es")).or_else(|| cut("y"));
    let base = base
        .or_else(|| word.strip_suffix('s').filter(|rest| rest.chars().count() >= 3 && !rest.ends_with('s')));
    let base = base.unwrap_or(word);
    base.strip_suffix('e').filter(|rest| rest.chars().count() >= 3).unwrap_or(base).to_owned()
}

/// Whether it could be a word of a language: no noise such as `xkqzt` or `aaaah`, no numbers but of lenses and sizes.
pub(super) fn is_word(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    if !(1..=16).contains(&word.chars().count()) || letters == 0 {
        return false;
    }
    if !word.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '\'')
        || word.starts_with('-')
        || word.ends_with('-')
    {
        return false;
    }
    if word.chars().any(|c| c.is_ascii_digit()) {
        return ["mm", "k", "d"]
            .iter()
            .any(|unit| word.strip_suffix(unit).is_some_and(|number| number.parse::<u16>().is_ok()));
    }
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    if lower.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]) {
        return false;
    }
    // Other alphabets have other rules.
    !word.is_ascii()
        || lower.split(|c| "aeiouy'-".contains(*c)).all(|run| run.len() <= 5)
            && lower.iter().any(|c| "aeiouy".contains(*c))
}
