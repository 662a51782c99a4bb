//! A prompt without its weights, escapes and `BREAK`s, by the very function whose result the text encoders get.

use crate::prompt::{Weighted, weighted};

/// The text as it stands and, where they are others, without weights: with its stretches put together, as a person reads
/// `(can:1.2)ary`, and with a space between them, as the encoders do.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    for form in [together(text), apart(text)] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// Without weights, and with a comma for each `BREAK`.
pub(super) fn together(text: &str) -> String {
    joined(text, "")
}

fn apart(text: &str) -> String {
    joined(text, " ")
}

/// What counts below 0, in both forms: a prompt wants it the less, a negative prompt the more.
pub(super) fn reversed(text: &str) -> Vec<String> {
    let below: Vec<String> = weighted(text)
        .into_iter()
        .flatten()
        .filter(|stretch| stretch.weight < 0.0)
        .map(|stretch| stretch.text)
        .collect();
    if below.is_empty() { Vec::new() } else { vec![below.concat(), below.join(", ")] }
}

fn joined(text: &str, between: &str) -> String {
    let section = |stretches: Vec<Weighted>| {
        let texts: Vec<String> = stretches.into_iter().map(|stretch| stretch.text).collect();
        texts.join(between)
    };
    weighted(text).into_iter().map(section).collect::<Vec<_>>().join(", ")
}
