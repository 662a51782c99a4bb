//! What stands around every model: it sees plain words, and of what it says only plain words come back.
//!
//! - `plain`: a prompt's text without its syntax
//! - `place`: where in the prompt additions stand, so that every byte of it stays
//! - `words`: what is compared, and what is never added
//! - `fitting`: what goes with a prompt whatever it is about
//! - `sieve`: from what a model said to terms that may be added

mod fitting;
mod place;
mod plain;
mod sieve;
mod words;

pub(super) use fitting::{goes_with, lacks_somebody};
pub(super) use place::Place;
pub(super) use plain::{plain, wishes};
pub(super) use sieve::{Sieve, pieces};

#[cfg(test)]
mod tests;
