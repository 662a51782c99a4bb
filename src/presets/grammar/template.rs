//! A text with places to fill: `{colour} hoodie[ with stripes]`.

use super::super::fields::{KEY_RULE, is_key};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// `{name}`: one of the slot's texts.
    Slot(String),
    /// `[…]`: there half of the time. Holds no other `Maybe`.
    Maybe(Vec<Piece>),
}

/// Signs that mean something to whoever reads the prompt; no template has them.
const RESERVED: &str = "@()\"\\";

/// Takes a template apart, or says what is wrong with it.
pub(super) fn parse(template: &str) -> Result<Vec<Piece>, String> {
    if let Some(sign) = template.chars().find(|sign| RESERVED.contains(*sign) || sign.is_control()) {
        return Err(format!("{sign:?} has no place in it"));
    }
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['[', ']']) {
        pieces.extend(flat(&rest[..at])?);
        let inner = rest[at..].strip_prefix('[').ok_or("`]` stands without `[`")?;
        let (inner, behind) = inner.split_once(']').ok_or("`[` stands without `]`")?;
        if inner.contains('[') {
            return Err("`[` stands inside `[`".to_owned());
        }
        pieces.push(Piece::Maybe(flat(inner)?));
        rest = behind;
    }
    pieces.extend(flat(rest)?);
    Ok(pieces)
}

/// A stretch without brackets.
fn flat(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        let inner = rest[at..].strip_prefix('{').ok_or("`}` stands without `{`")?;
        let (name, behind) = inner.split_once('}').ok_or("`{` stands without `}`")?;
        if !is_key(name) {
            return Err(format!("`{{{name}}}` is no slot: {KEY_RULE}"));
        }
        pieces.push(Piece::Slot(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// The slots that a template names, those in brackets too.
pub(super) fn slots(pieces: &[Piece]) -> Vec<&str> {
    let named = pieces.iter().flat_map(|piece| match piece {
        Piece::Text(_) => Vec::new(),
        Piece::Slot(name) => vec![name.as_str()],
        Piece::Maybe(inner) => slots(inner),
    });
    named.collect()
}

/// The template with `word` in every slot, for each choice of its brackets; `None` where that would be more than `most`.
pub(super) fn shapes(pieces: &[Piece], word: &str, most: usize) -> Option<Vec<String>> {
    let mut shapes = vec![String::new()];
    for piece in pieces {
        match piece {
            Piece::Text(text) => shapes.iter_mut().for_each(|shape| shape.push_str(text)),
            Piece::Slot(_) => shapes.iter_mut().for_each(|shape| shape.push_str(word)),
            Piece::Maybe(inner) => {
                let inner = self::shapes(inner, word, most)?;
                let with =
                    shapes.iter().flat_map(|shape| inner.iter().map(move |more| format!("{shape}{more}")));
                let with: Vec<String> = with.collect();
                shapes.extend(with);
            }
        }
        if shapes.len() > most {
            return None;
        }
    }
    Some(shapes)
}
