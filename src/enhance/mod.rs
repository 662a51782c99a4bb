//! # Enhancement
#![doc = include_str!("README.md")]
//!
//! - `enhancer`: the trait, what it is asked, and how it can fail
//! - `openai`, `embedded/`, `none`: its three implementations
//! - `shell/`: what stands around every model, in plain code
//! - `ask`: a prompt with what was added
//! - `random`: chance, from a seed
//! - `config`: the section `[enhance]`

mod config;
mod embedded;
mod ask;
mod enhancer;
mod none;
mod openai;
mod random;
mod shell;

pub use ask::{Ask, Enhanced, enhance};
pub use config::{EnhanceConfig, Kind};
pub use embedded::Embedded;
pub use enhancer::{EnhanceError, Enhancer, Grasp, Wish};
pub use none::Disabled;
pub use openai::OpenAi;
