//! A prompt, and a prompt with what was added.

use super::enhancer::{EnhanceError, Enhancer, Grasp, Wish};
use super::random::Random;
use super::shell::{Place, Sieve, goes_with, lacks_somebody, pieces, wishes};

/// Fewer usable terms of a model than this are filled up from the vocabulary.
const FEWEST: usize = 2;
/// How many terms there are then.
const FILLED: usize = 4;
/// Terms of one proposal that are tried.
const MOST_TRIED: usize = 32;

/// What is to be enhanced, and in whose company its words will be.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// As the client wrote it, trimmed; it says something.
    pub prompt: &'a str,
    /// The composed prompts, as they are without additions.
    pub positive: &'a str,
    pub negative: &'a str,
    /// The style's own words, for when the model has none.
    pub vocabulary: &'a [String],
    /// Never added.
    pub refused: &'a [String],
    pub most_terms: usize,
    pub seed: u64,
}

/// An enhanced prompt. Without its additions it is the client's, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enhanced {
    pub prompt: String,
    /// Those of the model first. None where there was room for none.
    pub additions: Vec<String>,
    /// How many of them came from the vocabulary.
    pub from_vocabulary: usize,
}

/// Asks the model, and keeps of its answer what is fit to be added.
///
/// `fits` is asked about each longer prompt: whether it may be drawn, and pushes nothing out of its windows.
///
/// # Errors
/// When the model proposed nothing because it failed; an answer that is of no use is no failure.
pub fn enhance(
    enhancer: &dyn Enhancer,
    ask: &Ask<'_>,
    fits: &mut dyn FnMut(&str) -> bool,
) -> Result<Enhanced, EnhanceError> {
    let text = wishes(ask.prompt).join(", ");
    // Of a character alone no model knows what to say.
    let said = if text.is_empty() {
        enhancer.check()?;
        String::new()
    } else {
        enhancer.propose(&Wish { text, seed: ask.seed })?
    };
    let place = Place::find(ask.prompt);
    let mut sieve = Sieve::new(ask.positive, ask.negative, ask.refused);
    let mut additions = Vec::new();
    let mut keep = |piece: &str, additions: &mut Vec<String>| {
        let Some(term) = sieve.pass(piece) else { return };
        additions.push(term);
        if fits(&place.with(additions)) {
            additions.last().into_iter().for_each(|term| sieve.add(term));
        } else {
            additions.pop();
        }
    };
    let fragments = enhancer.grasp() == Grasp::Fragments;
    let goes = |piece: &&str| !fragments || goes_with(piece, ask.positive);
    for piece in pieces(&said).take(MOST_TRIED).filter(goes) {
        if additions.len() < ask.most_terms {
            keep(piece, &mut additions);
        }
    }
    let from_model = additions.len();
    if from_model < FEWEST {
        for term in Random::new(ask.seed, ask.prompt).shuffled(ask.vocabulary) {
            if additions.len() < ask.most_terms.min(FILLED) && !lacks_somebody(term, ask.positive) {
                keep(term, &mut additions);
            }
        }
    }
    let from_vocabulary = additions.len() - from_model;
    Ok(Enhanced { prompt: place.with(&additions), additions, from_vocabulary })
}
