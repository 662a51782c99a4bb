//! When: states, worker, and the kitchen's half of the story.
//!
//! - `state`: the six states and the legal moves, a pure function
//! - `config`

mod config;
mod state;

pub use config::JobsConfig;
pub use state::{JobState, Move};
