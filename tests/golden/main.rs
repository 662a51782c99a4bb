//! Numbers, beside the reference's: torch, diffusers and transformers (see `tests/fixtures`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod command_line;
mod credentials;
mod determinism;
mod fixtures;
mod loras;
mod noise;
mod original;
mod pictures;
mod pipeline;
mod samplers;
mod schedulers;
mod single_file;
mod tokens;
