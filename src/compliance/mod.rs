//! # Compliance
#![doc = include_str!("README.md")]
//!
//! - `approved`: the proof that a prompt was reviewed
//! - `category`: what can be found, with its names on the wire
//! - `floor`: the rules that no setting turns off; `floor.txt` holds their words
//! - `readings`: a text without its disguises
//! - `phrases`: word lists, and where they occur
//! - `ages`: ages below 18 in words and digits

mod ages;
mod approved;
mod category;
mod floor;
mod phrases;
mod readings;

use thiserror::Error;

use floor::Floor;

pub use approved::ApprovedPrompt;
pub use category::Category;

/// All that was said, as it will be used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// The composed positive prompt, with what character and style add; approved byte for byte.
    pub positive: &'a str,
    /// The composed negative prompt; approved byte for byte. What it names is kept out of the picture.
    pub negative: &'a str,
    /// What else the client said that may describe the picture: `cs_*`, a prompt before its enhancement.
    pub others: &'a [&'a str],
}

/// Why nothing will be drawn; everything that an answer needs (specification, "Completed (Blocked)").
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Blocked {
    /// `filter_categories`.
    pub categories: Vec<&'static str>,
    /// `compliance_codes`.
    pub codes: Vec<&'static str>,
    /// `error`: `Content blocked — flagged for: Category Name.`
    pub message: String,
}

/// Approves a prompt, or says what it was flagged for.
pub fn review(texts: &Texts<'_>) -> Result<ApprovedPrompt, Blocked> {
    review_by(Floor::embedded(), texts)
}

/// Whether the rules fire on their own test strings and let a plain prompt pass. A service whose floor does not stand
/// must not be ready.
pub fn floor_stands() -> bool {
    let verdict = |positive| review(&Texts { positive, ..Texts::default() });
    let fires = |category: Category| {
        verdict(category.canary()).is_err_and(|blocked| blocked.categories == [category.id()])
    };
    Category::ALL.into_iter().all(fires) && verdict("a red hoodie").is_ok()
}

fn review_by(floor: &Floor, texts: &Texts<'_>) -> Result<ApprovedPrompt, Blocked> {
    let found = floor.find(texts);
    if found.is_empty() {
        return Ok(ApprovedPrompt::new(texts.positive.to_owned(), texts.negative.to_owned()));
    }
    let names: Vec<&str> = found.iter().map(|category| category.name()).collect();
    Err(Blocked {
        categories: found.iter().map(|category| category.id()).collect(),
        codes: found.iter().flat_map(|category| category.codes()).copied().collect(),
        message: format!("Content blocked — flagged for: {}.", names.join(", ")),
    })
}

#[cfg(test)]
mod tests;
