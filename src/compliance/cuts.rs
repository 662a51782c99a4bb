//! Where the words of a text begin and end: as a person sees it, and as a text encoder does.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What stands between a word and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Spaces and hyphens, or nothing.
    Together,
    /// Nothing, between digits and letters of one word.
    Glued,
    /// The comma of `1,000`.
    Thousands,
    /// The point of `1.5`.
    Decimal,
    /// The hyphen of `12-20`.
    Range,
    /// What makes one thing of two numbers, as in `16:9`, `3/4` and `5'7`, or a share of one, as in `15% off`.
    Ratio,
    /// Something that a sum of money ends.
    Money,
    /// The colon or equals sign of `steps: 15`.
    Value,
    /// Anything else.
    Apart,
}

/// A text as words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) words: Vec<String>,
    /// What stands before each word.
    pub(super) gaps: Vec<Gap>,
}

impl Reading {
    /// Adds a word that these signs part from the last one.
    fn push(&mut self, word: String, between: &str) {
        self.gaps.push(gap(self.words.last().map_or("", String::as_str), between, &word));
        self.words.push(word);
    }

    /// The same with runs of digits as words of their own: `15yo` is `15` and `yo`.
    pub(super) fn with_digits_apart(&self) -> Self {
        let mut apart = Self::default();
        for (word, gap) in self.words.iter().zip(&self.gaps) {
            // Where a phrase was taken out a gap stays.
            let pieces = digits_apart(word).chain(word.is_empty().then_some(""));
            for (place, piece) in pieces.enumerate() {
                apart.words.push(piece.to_owned());
                apart.gaps.push(if place == 0 { *gap } else { Gap::Glued });
            }
        }
        apart
    }

    /// Whether a word begins a phrase of its own.
    pub(super) fn is_apart(&self, at: usize) -> bool {
        matches!(self.gaps.get(at), Some(Gap::Apart | Gap::Money | Gap::Value))
    }
}

/// Whether a number's own point ends the signs: `:.8`, and not the dots of `hats...8`.
fn is_point(between: &str) -> bool {
    let rest = between.strip_suffix('.').filter(|rest| !rest.is_empty());
    rest.is_some_and(|rest| matches!(rest.trim(), "" | ":" | "="))
}

fn gap(before: &str, between: &str, behind: &str) -> Gap {
    let digits = behind.chars().take_while(|c| c.is_numeric()).count();
    let numbers = before.ends_with(char::is_numeric) && digits > 0;
    // The dot behind a name's initial parts no names.
    let initial = before.chars().nth(1).is_none() && before.starts_with(char::is_alphabetic);
    let between = if initial { between.strip_prefix('.').unwrap_or(between) } else { between };
    match between {
        "," if numbers && digits == 3 => Gap::Thousands,
        "." if numbers => Gap::Decimal,
        // `:.8` is less than one.
        _ if digits > 0 && is_point(between) => Gap::Ratio,
        // `6' tall`
        "' " | "’ " | "′ " | "'' " | "\" " | "” "
            if before.len() == 1 && before.ends_with(char::is_numeric) =>
        {
            Gap::Ratio
        }
        "-" | "\u{2010}" | "\u{2011}" | "–" | "—" | "~" if numbers => Gap::Range,
        ":" | "/" | "⁄" | "'" | "’" | "′" | "\"" | "×" | "' " | "’ " | "′ " if numbers => {
            Gap::Ratio
        }
        _ if before.ends_with(char::is_numeric) && between.trim_start().starts_with(['%', '°']) => {
            Gap::Ratio
        }
        _ if between.ends_with(['$', '€', '£']) => Gap::Money,
        _ if matches!(between.trim(), ":" | "=") => Gap::Value,
        "" if before.ends_with(char::is_numeric) != behind.starts_with(char::is_numeric) => Gap::Glued,
        _ if between
            .chars()
            .any(|c| !(c.is_whitespace() || matches!(c, '-' | '\u{2010}' | '\u{2011}' | '_'))) =>
        {
            Gap::Apart
        }
        _ => Gap::Together,
    }
}

fn digits_apart(word: &str) -> impl Iterator<Item = &str> {
    word.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).scan(0, move |from, run| {
        let start = *from;
        *from += run.len();
        word.get(start..*from)
    })
}

/// Words: runs of letters and digits.
pub(super) fn split(text: &str) -> Reading {
    let mut reading = Reading::default();
    for (between, word) in runs(text).0 {
        reading.push(word.to_owned(), between);
    }
    reading
}

/// Each run of letters and digits with what stands before it, and what stands behind the last.
fn runs(text: &str) -> (Vec<(&str, &str)>, &str) {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let (between, behind) = rest.split_at(start);
        let end = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        found.push((between, word));
        rest = behind;
    }
    (found, rest)
}

/// As [`split`] with the parts of each word that hyphens, dots and the like broke put together, and letters that stand
/// alone one after another as well: `ab-cd` and `a b c d` are `abcd`. What has no letters is no word in pieces: `1:1` is none, nor is
/// the weight of `hat:1.2`.
pub(super) fn join(text: &str) -> Reading {
    let mut joined = Reading::default();
    let (mut spelling, mut between) = (false, String::new());
    let apart = values_apart(text);
    for chunk in apart.split_whitespace() {
        let (found, behind) = runs(chunk);
        let pieces = match found.first() {
            Some((before, _)) if chunk.contains(char::is_alphabetic) => {
                vec![(*before, found.iter().map(|(_, word)| *word).collect::<String>())]
            }
            _ => found.iter().map(|(before, word)| (*before, (*word).to_owned())).collect(),
        };
        let one = pieces.len() == 1;
        for (before, word) in pieces {
            between.push_str(before);
            let alone = one && word.chars().nth(1).is_none();
            match joined.words.last_mut() {
                Some(last) if alone && spelling => last.push_str(&word),
                _ => joined.push(word, &between),
            }
            between.clear();
            spelling = alone;
        }
        between.push_str(behind);
        between.push(' ');
    }
    joined
}

/// With a space before a number that a colon or an equals sign gives to a word.
fn values_apart(text: &str) -> String {
    let (mut apart, mut last) = (String::new(), [' '; 2]);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut fraction = || c == '.' && chars.peek().is_some_and(char::is_ascii_digit);
        let number = c.is_ascii_digit() || fraction();
        if number && matches!(last[1], ':' | '=') && !last[0].is_ascii_digit() {
            apart.push(' ');
        }
        apart.push(c);
        last = [last[1], c];
    }
    apart
}

/// What CLIP's tokenizer takes off by itself, also in front of a word: `it'shat` is `it` and `hat` to it.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Words where CLIP's tokenizer sees them (`WORDS` in [`crate::diffusion::tokenizer`]): runs of letters alone, which digits, marks of
/// their own and invisible characters end. Digits stay together, for ages. `fold` makes each word plain.
pub(super) fn encoders(text: &str, fold: impl Fn(&str) -> String) -> Reading {
    let text: String = text.nfc().flat_map(char::to_lowercase).collect();
    let (mut reading, mut between) = (Reading::default(), String::new());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let contraction = CONTRACTIONS.iter().find(|sign| rest.starts_with(**sign));
        let run = |kind: fn(char) -> bool| rest.find(|c| !kind(c)).unwrap_or(rest.len());
        let (length, is_word) = match contraction {
            Some(sign) => (sign.len(), false),
            None if is_letter(first) => (run(is_letter), true),
            None if first.is_numeric() => (run(char::is_numeric), true),
            None if first.is_whitespace() => (run(char::is_whitespace), false),
            None => (run(is_sign), false),
        };
        let (token, behind) = rest.split_at(length);
        if is_word {
            let word: String = fold(token).chars().filter(|c| c.is_alphanumeric()).collect();
            if !word.is_empty() {
                reading.push(word, &between);
                between.clear();
            }
        } else if contraction.is_none() {
            between.push_str(token);
        }
        rest = behind;
    }
    reading
}

/// Signs in a row are one token, with all apostrophes in it.
fn is_sign(c: char) -> bool {
    !(is_letter(c) || c.is_numeric() || c.is_whitespace())
}

/// `\p{L}`: what the standard library calls alphabetic also holds numbers, vowel signs and letters in circles.
fn is_letter(c: char) -> bool {
    let enclosed = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}'
        | '\u{1f170}'..='\u{1f189}');
    c.is_alphabetic() && !c.is_numeric() && !is_combining_mark(c) && !enclosed
}
