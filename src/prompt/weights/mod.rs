//! How much each stretch of a prompt counts, and where a new window begins: `(text:1.2)`, `(text)`, `[text]`, `\(`
//! and `BREAK`, as `parse_prompt_attention` of stable-diffusion-webui 1.10.1 reads them (`modules/prompt_parser.py`).
//!
//! Brackets of either kind pair up by themselves, so `(a [b) c]` is read too. One without a partner behind it weighs
//! all that follows, one without a partner before it is text.
//!
//! Unlike there, a `BREAK` within brackets is one (there it becomes the word), a number that is none, as in
//! `(a:1.2.3)`, is text (there it is an exception), and a section that says nothing is none.

/// What `(…)` without a number multiplies by; `[…]` divides by it.
const BRACKET: f64 = 1.1;

/// Weights beyond it, either way, are read as this: nobody can tell them apart, and embeddings must stay finite.
pub const MOST_WEIGHT: f64 = 100.0;

/// A stretch of text and what it counts, 1 being as ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    pub text: String,
    pub weight: f64,
}

#[derive(Debug, Clone, Copy)]
enum Bracket {
    Round,
    Square,
}

/// A piece of a prompt.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    /// What a backslash leaves; never a `BREAK`.
    Escaped(&'a str),
    /// Multiplies by `factor` what follows, up to its partner.
    Open {
        bracket: Bracket,
        factor: f64,
    },
    /// Tells its partner the `factor`; without a partner it is `text`.
    Close {
        bracket: Bracket,
        factor: f64,
        text: &'a str,
    },
}

/// The sections between `BREAK`s, at least one, each in stretches of one weight. Only an empty prompt has an empty
/// section. Linear in the length of the prompt, without recursion.
pub fn weighted(prompt: &str) -> Vec<Vec<Weighted>> {
    let mut weights = Weights::default();
    let mut sections = vec![Vec::new()];
    for piece in pair(prompt) {
        match piece {
            Piece::Open { bracket, factor } => weights.open(bracket, factor),
            Piece::Close { bracket, .. } => weights.close(bracket),
            Piece::Escaped(text) => push(&mut sections, text, weights.now()),
            Piece::Text(text) => {
                for (at, part) in split_at_breaks(text).into_iter().enumerate() {
                    if at > 0 {
                        sections.push(Vec::new());
                    }
                    push(&mut sections, part, weights.now());
                }
            }
        }
    }
    // Not before: there an empty stretch of another weight keeps its neighbours apart, and so it does here.
    sections.iter_mut().for_each(|section| section.retain(|stretch| !stretch.text.is_empty()));
    sections.retain(|section| section.iter().any(|stretch| !stretch.text.trim().is_empty()));
    if sections.is_empty() { vec![Vec::new()] } else { sections }
}

/// Stretches of one weight that follow each other are one.
fn push(sections: &mut [Vec<Weighted>], text: &str, weight: f64) {
    let Some(section) = sections.last_mut() else { return };
    match section.last_mut() {
        Some(last) if last.weight == weight => last.text.push_str(text),
        _ => section.push(Weighted { text: text.to_owned(), weight }),
    }
}

/// The products of the brackets that are open, of either kind, the innermost last.
#[derive(Debug, Default)]
struct Weights {
    round: Vec<f64>,
    square: Vec<f64>,
}

impl Weights {
    fn of(&mut self, bracket: Bracket) -> &mut Vec<f64> {
        match bracket {
            Bracket::Round => &mut self.round,
            Bracket::Square => &mut self.square,
        }
    }

    fn open(&mut self, bracket: Bracket, factor: f64) {
        let products = self.of(bracket);
        products.push(bounded(products.last().unwrap_or(&1.0) * factor));
    }

    fn close(&mut self, bracket: Bracket) {
        self.of(bracket).pop();
    }

    fn now(&self) -> f64 {
        bounded(self.round.last().unwrap_or(&1.0) * self.square.last().unwrap_or(&1.0))
    }
}

fn bounded(weight: f64) -> f64 {
    weight.clamp(-MOST_WEIGHT, MOST_WEIGHT)
}

/// A prompt that says the text as it stands, without weights.
pub fn literal(text: &str) -> String {
    let sign = |c: char| matches!(c, '\\' | '(' | ')' | '[' | ']');
    text.chars().flat_map(|c| sign(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The pieces of a prompt: each opening bracket has the factor of its partner, and what closes nothing is text.
fn pair(prompt: &str) -> Vec<Piece<'_>> {
    let (mut round, mut square) = (Vec::new(), Vec::new());
    let mut pieces = Vec::new();
    let mut rest = prompt;
    while let Some((mut piece, after)) = next(rest) {
        rest = after;
        match piece {
            Piece::Open { bracket: Bracket::Round, .. } => round.push(pieces.len()),
            Piece::Open { bracket: Bracket::Square, .. } => square.push(pieces.len()),
            Piece::Close { bracket, factor, text } => {
                let partner = match bracket {
                    Bracket::Round => round.pop(),
                    Bracket::Square => square.pop(),
                };
                match partner {
                    Some(at) => pieces[at] = Piece::Open { bracket, factor },
                    None => piece = Piece::Text(text),
                }
            }
            Piece::Text(_) | Piece::Escaped(_) => {}
        }
        pieces.push(piece);
    }
    pieces
}

/// The first piece, and what follows it.
fn next(text: &str) -> Option<(Piece<'_>, &str)> {
    let first = text.chars().next()?;
    let after = &text[first.len_utf8()..];
    Some(match first {
        '\\' => {
            let escapes = after.starts_with(is_sign) && !after.starts_with(':');
            let (escaped, rest) = after.split_at(usize::from(escapes));
            (Piece::Escaped(escaped), rest)
        }
        '(' => (Piece::Open { bracket: Bracket::Round, factor: BRACKET }, after),
        '[' => (Piece::Open { bracket: Bracket::Square, factor: 1.0 / BRACKET }, after),
        ')' => (Piece::Close { bracket: Bracket::Round, factor: BRACKET, text: ")" }, after),
        ']' => (Piece::Close { bracket: Bracket::Square, factor: 1.0 / BRACKET, text: "]" }, after),
        ':' => match weight(after) {
            Some((factor, rest)) => {
                let text = &text[..text.len() - rest.len()];
                (Piece::Close { bracket: Bracket::Round, factor, text }, rest)
            }
            None => (Piece::Text(":"), after),
        },
        _ => {
            let (run, rest) = text.split_at(text.find(is_sign).unwrap_or(text.len()));
            (Piece::Text(run), rest)
        }
    })
}

fn is_sign(c: char) -> bool {
    matches!(c, '\\' | '(' | ')' | '[' | ']' | ':')
}

/// A number and its `)`, spaces around it allowed; and what follows them.
fn weight(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(unsigned.len());
    let number = &text[..text.len() - unsigned.len() + end];
    let rest = unsigned[end..].trim_start().strip_prefix(')')?;
    Some((number.parse().ok()?, rest))
}

/// The parts around each `BREAK` that stands as a word, without the spaces next to it.
fn split_at_breaks(text: &str) -> Vec<&str> {
    const BREAK: &str = "BREAK";
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, found) in text.match_indices(BREAK) {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        if before.ends_with(in_word) || after.starts_with(in_word) {
            continue;
        }
        // The spaces before it may be those behind the last one.
        parts.push(text[start..at].trim_end());
        start = text.len() - after.trim_start().len();
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests;
