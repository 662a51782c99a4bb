//! # Prompts
#![doc = include_str!("README.md")]
//!
//! - `parse`: the raw prompt, split into character, positive and negative
//! - `compose`: those and the presets, joined into what the text encoders get

mod compose;
mod parse;

pub use compose::{Composed, Parts, compose};
pub use parse::{ParsedPrompt, PromptError, Span, Token, parse, spans, tokens};

#[cfg(test)]
mod tests;
