//! # Prompts
#![doc = include_str!("README.md")]
//!
//! - `parse`: the raw prompt, split into character, positive and negative
//! - `compose`: those and the presets, joined into what the text encoders get
//! - `weights`: what each stretch of the joined text counts, and where windows begin

mod compose;
mod parse;
mod weights;

pub use compose::{Composed, Parts, compose};
pub use parse::{ParsedPrompt, PromptError, Span, Token, parse, spans, tokens};
pub use weights::{MOST_WEIGHT, Weighted, literal, weighted};

#[cfg(test)]
mod tests;
