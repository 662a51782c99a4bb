//! # Enhancement
#![doc = include_str!("README.md")]
//!
//! - `enhancer`: the trait, what it is asked, and how it can fail
//! - `openai`, `embedded/`, `none`: its three implementations
//! - `shell/`: what stands around every model, in plain code
//! - `enhance`: a prompt with what was added
//! - `random`: chance, from a seed
//! - `config`: the section `[enhance]`

mod config;
mod embedded;
mod enhance;
mod enhancer;
mod none;
mod openai;
mod random;
mod shell;

pub use config::{EnhanceConfig, Kind};
pub use embedded::Embedded;
pub use enhance::{Ask, Enhanced, enhance};
pub use enhancer::{EnhanceError, Enhancer, Wish};
pub use none::Disabled;
pub use openai::OpenAi;
