//! Where the words of a text begin and end: as a person sees it, and as a text encoder does.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text as words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) words: Vec<String>,
    /// For each word, whether more than spaces and hyphens parts it from the one before.
    pub(super) apart: Vec<bool>,
}

impl Reading {
    fn push(&mut self, word: String, apart: bool) {
        self.words.push(word);
        self.apart.push(apart);
    }

    /// Whether a word is the last of its term.
    pub(super) fn ends_term(&self, at: usize) -> bool {
        self.apart.get(at + 1).copied().unwrap_or(true)
    }
}

/// Whether what stands between two words makes two phrases of them.
fn parts(between: char) -> bool {
    !(between.is_whitespace() || between == '-' || between == '_')
}

/// The same of what stands in a text; `16:9` is one thing.
fn parts_there(before: Option<char>, between: char, behind: Option<char>) -> bool {
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    parts(between) && !(between == ':' && digit(before) && digit(behind))
}

/// The dot behind a name's initial parts no names.
fn is_initial(reading: &Reading, between: char) -> bool {
    between == '.' && reading.words.last().is_some_and(|word| word.chars().nth(1).is_none())
}

/// Words: runs of letters and digits.
pub(super) fn split(text: &str) -> Reading {
    let mut reading = Reading::default();
    let (mut inside, mut apart, mut before) = (false, false, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let (last, next) = (before.replace(c), chars.peek().copied());
        if !c.is_alphanumeric() {
            apart |= parts_there(last, c, next) && !(inside && is_initial(&reading, c));
            inside = false;
            continue;
        }
        match reading.words.last_mut() {
            Some(word) if inside => word.push(c),
            _ => reading.push(c.into(), std::mem::take(&mut apart)),
        }
        inside = true;
    }
    reading
}

/// The same with the parts of each word that hyphens, dots and the like broke put together, and letters that stand
/// alone one after another as well: `ab-cd` and `a b c d` are `abcd`.
pub(super) fn join(text: &str) -> Reading {
    let mut joined = Reading::default();
    let (mut spelling, mut apart) = (false, false);
    for chunk in text.split_whitespace() {
        let word: String = chunk.chars().filter(|c| c.is_alphanumeric()).collect();
        let mut around = chunk.split(char::is_alphanumeric);
        apart |= around.next().unwrap_or_default().chars().any(parts);
        if word.is_empty() {
            continue;
        }
        let alone = word.chars().nth(1).is_none();
        match joined.words.last_mut() {
            Some(last) if alone && spelling => last.push_str(&word),
            _ => joined.push(word, apart),
        }
        apart = around.next_back().unwrap_or_default().chars().any(|c| parts(c) && !is_initial(&joined, c));
        spelling = alone;
    }
    joined
}

/// What CLIP's tokenizer takes off by itself, also in front of a word: `it'shat` is `it` and `hat` to it.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Words where CLIP's tokenizer sees them (`WORDS` in [`crate::diffusion::tokenizer`]): runs of letters alone, which digits, marks of
/// their own and invisible characters end. Digits stay together, for ages. `fold` makes each word plain.
pub(super) fn encoders(text: &str, fold: impl Fn(&str) -> String) -> Reading {
    let text: String = text.nfc().flat_map(char::to_lowercase).collect();
    let (mut reading, mut apart, mut before) = (Reading::default(), false, None);
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let contraction = CONTRACTIONS.iter().find(|sign| rest.starts_with(**sign));
        let run = |kind: fn(char) -> bool| rest.find(|c| !kind(c)).unwrap_or(rest.len());
        let (length, is_word) = match contraction {
            Some(sign) => (sign.len(), false),
            None if is_letter(first) => (run(is_letter), true),
            None if first.is_numeric() => (run(char::is_numeric), true),
            None => (first.len_utf8(), false),
        };
        let (token, behind) = rest.split_at(length);
        if is_word {
            let word: String = fold(token).chars().filter(|c| c.is_alphanumeric()).collect();
            if !word.is_empty() {
                reading.push(word, std::mem::take(&mut apart));
            }
        } else {
            let inside = before.is_some_and(char::is_alphanumeric);
            apart |= contraction.is_none()
                && parts_there(before, first, behind.chars().next())
                && !(inside && is_initial(&reading, first));
        }
        before = token.chars().next_back();
        rest = behind;
    }
    reading
}

/// `\p{L}`: what the standard library calls alphabetic also holds numbers, vowel signs and letters in circles.
fn is_letter(c: char) -> bool {
    let enclosed = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}'
        | '\u{1f170}'..='\u{1f189}');
    c.is_alphabetic() && !c.is_numeric() && !is_combining_mark(c) && !enclosed
}
