//! A prompt's text without its syntax: what a model may see, and what additions are compared with.

use crate::prompt::{Token, tokens};

/// The positive terms of a prompt as plain words, one a term: no `@name`, no negative terms.
pub(in crate::enhance) fn wishes(prompt: &str) -> Vec<String> {
    let positive = tokens(prompt).into_iter().filter_map(|token| match token {
        Token::Positive(text) => Some(plain(&text)),
        Token::Name(_) | Token::Negative(_) => None,
    });
    positive.flatten().collect()
}

/// The terms of a text without weights, brackets, `BREAK`, `<…>` tags and backslashes.
pub(in crate::enhance) fn plain(text: &str) -> Vec<String> {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let after = &rest[sign.len_utf8()..];
        rest = match sign {
            '<' => after.find('>').map_or(after, |end| &after[end + 1..]),
            ':' => number(after).map_or(after, |length| &after[length..]),
            _ => after,
        };
        // A sign may have kept two words apart.
        bare.push(if is_syntax(sign) { ' ' } else { sign });
    }
    let terms = bare.split(',').map(|term| {
        let words: Vec<&str> = term.split_whitespace().filter(|word| *word != "BREAK").collect();
        words.join(" ")
    });
    terms.filter(|term| !term.is_empty()).collect()
}

/// `|` is for alternating words, `_` for tags such as `looking_at_viewer`.
fn is_syntax(sign: char) -> bool {
    matches!(sign, '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ':' | '|' | '\\' | '"' | '_')
}

/// How long the number at the start is, as in `:1.2`; `None` where a word follows, as in `12:30pm`.
fn number(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start_matches([' ', '-', '+']).len();
    let digits =
        text[start..].find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len() - start);
    let ends = text[start + digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    (digits > 0 && ends).then_some(start + digits)
}
