//! A text without its disguises: the ways in which a person could read it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::phrases::Phrases;

/// Letters that look like Latin ones, in lower case and without marks: Cyrillic, Greek, small capitals and a few more.
const LOOKALIKES: &[(&str, &str)] = &[
    ("асеіјорԛѕԝхукмтнвһԁӏ", "aceijopqswxykmthbhdl"),
    ("αβεικνορτυχηγω", "abeikvoptuxnyw"),
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    ("ɑɡɩıłøđħŧ", "agiilodht"),
];

/// Signs that stand for letters. `1`, `!` and `|` stand for `i` in one reading and for `l` in another.
const LEET: &[(char, char)] = &[
    ('0', 'o'),
    ('3', 'e'),
    ('4', 'a'),
    ('5', 's'),
    ('7', 't'),
    ('8', 'b'),
    ('9', 'g'),
    ('@', 'a'),
    ('$', 's'),
    ('+', 't'),
    ('€', 'e'),
];
const LEET_I_OR_L: [char; 3] = ['1', '!', '|'];

/// First digits of the decimal digits of other scripts.
const ZEROS: [u32; 16] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
    0x1040,
];

/// First letters of 26 enclosed capitals that no normalisation takes apart.
const ENCLOSED_AS: [u32; 3] = [0x1f150, 0x1f170, 0x1f1e6];

/// Every reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Readings(Vec<Reading>);

/// A text as words.
#[derive(Debug, Clone, Default)]
struct Reading {
    words: Vec<String>,
    /// For each word, whether more than spaces and hyphens parts it from the one before.
    apart: Vec<bool>,
}

impl Readings {
    /// Plain, with signs read as letters (two ways, and with `i` and `l` as one), and with drawn-out letters shortened; each
    /// also with the pieces of broken words joined.
    pub(super) fn of(text: &str) -> Self {
        let plain = fold(text);
        let (as_i, as_l) = (leet(&plain, 'i'), leet(&plain, 'l'));
        let variants =
            [shorten(&plain), shorten(&as_i), shorten(&as_l), one_stroke(&shorten(&as_i)), as_i, as_l];
        let mut readings = vec![split(&plain), join(&plain)];
        for (at, variant) in variants.iter().enumerate() {
            if *variant != plain && !variants[..at].contains(variant) {
                readings.extend([split(variant), join(variant)]);
            }
        }
        Self(readings)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(|reading| reading.words.as_slice())
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Takes phrases out, leaving a gap that no phrase spans. What a comma parts is no phrase here: in `naked, eye contact`
    /// nobody speaks of the naked eye.
    pub(super) fn remove(&mut self, phrases: &Phrases) {
        for Reading { words, apart } in &mut self.0 {
            let mut at = 0;
            while at < words.len() {
                let end = (at + 1..words.len()).find(|&next| apart[next]).unwrap_or(words.len());
                let length = phrases.length_at(&words[..end], at);
                words[at..at + length].fill(String::new());
                at += length.max(1);
            }
        }
    }
}

/// The words of the plain reading.
pub(super) fn words(text: &str) -> Vec<String> {
    split(&fold(text)).words
}

/// Compatibility forms, marks, case, invisible characters and lookalikes undone.
fn fold(text: &str) -> String {
    let visible = text.nfkd().filter(|&c| !is_combining_mark(c) && !is_invisible(c));
    visible.flat_map(char::to_lowercase).map(plain_letter).collect()
}

/// Zero-width, direction and tag characters, and the soft hyphen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e007f}')
}

fn plain_letter(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let offset = |starts: &[u32], count: u32| {
        starts.iter().map(|start| u32::from(c).wrapping_sub(*start)).find(|&offset| offset < count)
    };
    if let Some(digit) = offset(&ZEROS, 10) {
        return char::from_digit(digit, 10).unwrap_or(c);
    }
    if let Some(letter) = offset(&ENCLOSED_AS, 26) {
        return char::from_digit(letter + 10, 36).unwrap_or(c);
    }
    let mut pairs = LOOKALIKES.iter().flat_map(|(like, latin)| like.chars().zip(latin.chars()));
    pairs.find(|(like, _)| *like == c).map_or(c, |(_, latin)| latin)
}

fn leet(text: &str, i_or_l: char) -> String {
    let letter = |c: char| match LEET.iter().find(|(sign, _)| *sign == c) {
        Some((_, letter)) => *letter,
        None if LEET_I_OR_L.contains(&c) => i_or_l,
        None => c,
    };
    text.chars().map(letter).collect()
}

/// With one letter for all that are one stroke, which disguises mix: phrases are kept in this form too.
pub(super) fn one_stroke(text: &str) -> String {
    text.replace('l', "i")
}

/// Letters that stand three times or more in a row, once.
fn shorten(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let runs = chars.chunk_by(|a, b| a == b);
    runs.flat_map(|run| if run.len() >= 3 && run[0].is_alphabetic() { &run[..1] } else { run }).collect()
}

/// Whether what stands between two words makes one phrase of them.
fn parts(between: char) -> bool {
    !(between.is_whitespace() || between == '-' || between == '_')
}

/// Words: runs of letters and digits.
fn split(text: &str) -> Reading {
    let mut reading = Reading::default();
    let (mut inside, mut apart) = (false, false);
    for c in text.chars() {
        if !c.is_alphanumeric() {
            inside = false;
            apart |= parts(c);
            continue;
        }
        match reading.words.last_mut() {
            Some(word) if inside => word.push(c),
            _ => {
                reading.words.push(c.into());
                reading.apart.push(std::mem::take(&mut apart));
            }
        }
        inside = true;
    }
    reading
}

/// The same with the parts of each word that hyphens, dots and the like broke put together, and letters that stand
/// alone one after another as well: `ab-cd` and `a b c d` are `abcd`.
fn join(text: &str) -> Reading {
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
            _ => {
                joined.words.push(word);
                joined.apart.push(apart);
            }
        }
        apart = around.next_back().unwrap_or_default().chars().any(parts);
        spelling = alone;
    }
    joined
}
