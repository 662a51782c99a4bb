//! When: states, worker, and the kitchen's half of the story.
//!
//! - `state`: the six states and the legal moves, a pure function
//! - `worker`: the threads that claim, run under a net and record
//! - `control`: progress one way, a halt the other
//! - `ending`: what becomes of a job when its attempt is over, a pure function
//! - `generate`: a plan becomes pictures in the object store
//! - `inspect`: the review of what was drawn
//! - `records`: what each picture can be traced back to
//! - `recipe`: everything that decides a picture, and its salted hash
//! - `deliver`: uploading with patience
//! - `config`

mod config;
mod control;
mod deliver;
mod ending;
mod generate;
mod inspect;
mod recipe;
mod records;
mod state;
mod worker;
#[cfg(test)]
mod tests;

pub use config::JobsConfig;
pub use control::{Control, Halt};
pub use ending::{CookError, Cooked};
pub use generate::{Kitchen, PutObject, Render, Workshop, generate};
pub use inspect::{Look, look};
pub use state::{JobState, Move};
pub use worker::{Cook, Workers};
