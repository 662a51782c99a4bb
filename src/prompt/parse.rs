//! Splits a raw prompt into character, positive and negative (specification, "Prompt Syntax").
//!
//! Two passes, each linear: [`cut_terms`] finds the comma-separated terms, then each term gives up its `@name` and
//! goes to one side. What the specification leaves open is settled in the room's README.

use thiserror::Error;
use unicode_normalization::char::is_combining_mark;

/// A raw prompt, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedPrompt {
    /// The `@name`, in lower case, without the `@`.
    pub character: Option<String>,
    /// Terms joined by `, `, otherwise as the client wrote them.
    pub positive: String,
    /// Terms that began with `-`, without it, joined by `, `.
    pub negative: String,
}

/// What one piece of a raw prompt is read as, in the prompt's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// An `@name`, in lower case, without the `@`.
    Name(String),
    Positive(String),
    /// Without its `-`.
    Negative(String),
}

/// Why a prompt cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PromptError {
    /// Nothing but spaces and commas.
    #[error("the prompt says nothing")]
    Empty,
    /// Two different `@name`.
    #[error("@{0} and @{1} in one prompt")]
    TwoCharacters(String, String),
    /// An `@name` that is not a character.
    #[error("@{0} is not a character")]
    UnknownCharacter(String),
}

/// Takes `prompt` apart. `known` is asked about each `@name`, in lower case.
pub fn parse(prompt: &str, known: &dyn Fn(&str) -> bool) -> Result<ParsedPrompt, PromptError> {
    let mut character: Option<String> = None;
    let mut positive = Vec::new();
    let mut negative = Vec::new();
    for token in tokens(prompt) {
        match (token, &character) {
            (Token::Positive(text), _) => positive.push(text),
            (Token::Negative(text), _) => negative.push(text),
            (Token::Name(name), Some(first)) if *first == name => {}
            (Token::Name(name), Some(first)) => {
                return Err(PromptError::TwoCharacters(first.clone(), name));
            }
            (Token::Name(name), None) if known(&name) => character = Some(name),
            (Token::Name(name), None) => return Err(PromptError::UnknownCharacter(name)),
        }
    }
    if character.is_none() && positive.is_empty() && negative.is_empty() {
        return Err(PromptError::Empty);
    }
    Ok(ParsedPrompt { character, positive: positive.join(", "), negative: negative.join(", ") })
}

/// Everything that a prompt says, in order; the names of a term come before its text.
pub fn tokens(prompt: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for term in cut_terms(prompt) {
        let (text, names) = take_names(term);
        tokens.extend(names.into_iter().map(Token::Name));
        let text = text.trim();
        match strip_minus(text) {
            Some(rest) => tokens.push(Token::Negative(rest.to_owned())),
            None if text.is_empty() => {}
            None => tokens.push(Token::Positive(text.to_owned())),
        }
    }
    tokens
}

/// Where a term stands, without the spaces around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    /// Whether it goes, or would go, to the positive side; a bare `@name` counts as such.
    pub positive: bool,
}

/// The places of all terms that are not empty, in order, in bytes.
pub fn spans(prompt: &str) -> Vec<Span> {
    let mut start = 0;
    let mut spans = Vec::new();
    for term in cut_terms(prompt) {
        let trimmed = term.trim();
        let from = start + term.len() - term.trim_start().len();
        if !trimmed.is_empty() {
            let positive = strip_minus(take_names(term).0.trim()).is_none();
            spans.push(Span { start: from, end: from + trimmed.len(), positive });
        }
        // A comma stands between two terms.
        start += term.len() + 1;
    }
    spans
}

/// Cuts at commas. A term that opens with `(` or `"` (after its `-`, if any) runs at least to the partner of that
/// sign, so that `-(red, blue:1.2)` is one term; without a partner the sign is plain text.
fn cut_terms(prompt: &str) -> Vec<&str> {
    let bytes = prompt.as_bytes();
    let partner = partners(bytes);
    let mut terms = Vec::new();
    let mut start = 0;
    while start <= bytes.len() {
        let body = prompt[start..].trim_start();
        let open = prompt.len() - body.strip_prefix('-').unwrap_or(body).len();
        let from = match partner.get(open) {
            Some(&close) if close > open => close,
            _ => start,
        };
        let end = bytes[from..].iter().position(|&b| b == b',').map_or(bytes.len(), |found| from + found);
        terms.push(&prompt[start..end]);
        start = end + 1;
    }
    terms
}

/// For each byte that is an opening `(` with a partner, or a `"` with another one later, where that is; 0 elsewhere.
/// A backslash takes the meaning from the sign behind it.
fn partners(bytes: &[u8]) -> Vec<usize> {
    let mut partner = vec![0; bytes.len()];
    let mut open = Vec::new();
    let mut quote: Option<usize> = None;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => {}
            b'(' => open.push(at),
            b')' => {
                if let Some(from) = open.pop() {
                    partner[from] = at;
                }
            }
            b'"' => {
                if let Some(from) = quote.replace(at) {
                    partner[from] = at;
                }
            }
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    partner
}

/// Takes every `@name` out of a term, with one of the two spaces that would be left around it.
fn take_names(term: &str) -> (String, Vec<String>) {
    let mut text = String::with_capacity(term.len());
    let mut names = Vec::new();
    let mut rest = term;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        text.push_str(before);
        let name = leading_name(after);
        if name.is_empty() || text.chars().next_back().is_some_and(continues_word) {
            text.push('@');
            rest = after;
            continue;
        }
        names.push(name.to_lowercase());
        rest = &after[name.len()..];
        if text.chars().next_back().is_none_or(char::is_whitespace) {
            rest = rest.strip_prefix(char::is_whitespace).unwrap_or(rest);
        }
    }
    text.push_str(rest);
    (text, names)
}

/// The longest run of name characters, less hyphens at its end (`@aya-` is `aya` and a hyphen).
fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !(continues_word(c) || c == '-')).unwrap_or(text.len());
    text[..end].trim_end_matches('-')
}

/// Whether `c` belongs to the word before it, so that an `@` behind it is no word boundary.
fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

/// The text behind the `-` of a negative term, or `None` where the term is positive.
///
/// Negative: `-` followed by a letter, a digit, `(` or `"`, unless the whole term is a number such as `-1` or `-0.5`.
fn strip_minus(term: &str) -> Option<&str> {
    let rest = term.strip_prefix('-')?;
    let opens = rest.starts_with(|c: char| c.is_alphanumeric() || c == '(' || c == '"');
    (opens && !is_number(rest)).then_some(rest)
}

fn is_number(text: &str) -> bool {
    text.split('.').count() <= 2 && text.split('.').all(|part| part.chars().all(char::is_numeric))
}
