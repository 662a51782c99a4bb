//! A text without its disguises: the ways in which a person could read it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::cuts::{Reading, encoders, join, split};
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
pub(super) struct Readings {
    /// Numbers in them are as they were written, but for a single digit behind letters.
    plain: Vec<Reading>,
    /// Those with digits read as letters: `36` is `e6` there.
    leet: Vec<Reading>,
}

impl Readings {
    /// Plain, with signs read as letters (two ways, and with `i` and `l` as one; also in words alone, with numbers left), and
    /// with drawn-out letters shortened; each also with the pieces of broken words joined, and cut as the text encoders cut. What
    /// they get is cut by invisible characters as well, which a person does not see.
    pub(super) fn of(text: &str) -> Self {
        let plain = fold(text);
        let (as_i, as_l) = (leet(&plain, 'i'), leet(&plain, 'l'));
        let (words_i, words_l) = (leet_in_words(&plain, 'i'), leet_in_words(&plain, 'l'));
        let cut = |text: String| [split(&text), join(&text), encoders(&text, str::to_owned)];
        let mut all = Self::default();
        let as_they_are = [encoders(text, fold), encoders(text, |word| shorten(&fold(word)))];
        let numbered = [shorten(&plain), words_i, words_l, plain].into_iter().flat_map(cut);
        for reading in as_they_are.into_iter().chain(numbered) {
            all.plain.extend(Some(reading).filter(|reading| !all.plain.contains(reading)));
        }
        let unnumbered = [shorten(&as_i), shorten(&as_l), one_stroke(&shorten(&as_i)), as_i, as_l];
        for reading in unnumbered.into_iter().flat_map(cut) {
            all.leet.extend(Some(reading).filter(|reading| !all.iter().any(|other| other == reading)));
        }
        all
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.plain.iter().chain(&self.leet)
    }

    /// Those in which a number is what it says.
    pub(super) fn with_numbers(&self) -> impl Iterator<Item = &Reading> {
        self.plain.iter()
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.plain.extend_from_slice(&other.plain);
        self.leet.extend_from_slice(&other.leet);
    }

    /// Takes phrases out, leaving a gap that no phrase spans. What a comma parts is no phrase here: in `naked, eye contact`
    /// nobody speaks of the naked eye.
    pub(super) fn remove(&mut self, phrases: &Phrases) {
        for reading in self.plain.iter_mut().chain(&mut self.leet) {
            let (mut at, mut end) = (0, 0);
            while at < reading.words.len() {
                if at >= end {
                    let next = (at + 1..reading.words.len()).find(|&next| reading.is_apart(next));
                    end = next.unwrap_or(reading.words.len());
                }
                let length = phrases.length_at(&reading.words[..end], at);
                reading.words[at..at + length].fill(String::new());
                at += length.max(1);
            }
        }
    }
}

/// The words of the plain reading.
pub(super) fn words(text: &str) -> Vec<String> {
    split(&fold(text)).words
}

/// Compatibility forms, marks, case, invisible characters and lookalikes undone. Of `25½` the half is left out.
fn fold(text: &str) -> String {
    let whole = text.chars().map(|c| if is_fraction(c) { ' ' } else { c });
    let visible = whole.nfkd().filter(|&c| !is_combining_mark(c) && !is_invisible(c));
    visible.flat_map(char::to_lowercase).map(plain_letter).collect()
}

/// Zero-width, direction and tag characters, and the soft hyphen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e007f}')
}

/// `¼` to `¾`, and from `⅐` to `⅟` as well as `↉`.
fn is_fraction(c: char) -> bool {
    matches!(c, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215f}' | '\u{2189}')
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

/// The same only behind letters, where no number stands: `15 ye4rs` keeps its 15, and `36yo` its 36.
fn leet_in_words(text: &str, i_or_l: char) -> String {
    let letters: Vec<char> = leet(text, i_or_l).chars().collect();
    let mut last = ' ';
    let mut chars = text.chars().zip(letters).peekable();
    let mut read = String::new();
    while let Some((c, letter)) = chars.next() {
        let number = c.is_ascii_digit() && chars.peek().is_some_and(|(next, _)| next.is_ascii_digit());
        read.push(if last.is_alphabetic() && !number { letter } else { c });
        last = c;
    }
    read
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
