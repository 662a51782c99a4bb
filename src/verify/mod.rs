#![doc = include_str!("README.md")]
//!
//! - `verifier`: the desk: a copy in, its record out
//! - `examine`: what a file says of itself
//! - `layers`: the verdict, a pure function
//! - `answer`: what an asker may see of it
//! - `gallery`: the fingerprints of all records, kept up with the store
//! - [`pdq_index`]: exact search among them
//! - [`soft_binding`]: names and values of the C2PA Soft Binding Resolution API
//! - `config`

mod answer;
mod config;
mod examine;
mod gallery;
mod layers;
pub mod pdq_index;
pub mod soft_binding;
mod verifier;
#[cfg(test)]
mod tests;

pub use answer::Asker;
pub use config::VerifyConfig;
pub use examine::{Evidence, ExamineError, FoundMark, Looks};
pub use gallery::Gallery;
pub use layers::{Finding, Layer, Sure, Traces, Verdict, verdict};
pub use verifier::{Examined, Match, Verifier, VerifyError};
