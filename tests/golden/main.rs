//! Numbers, beside the reference's: torch, diffusers and transformers (see `tests/fixtures`).

mod command_line;
mod determinism;
mod fixtures;
mod noise;
mod pictures;
mod pipeline;
mod schedulers;
mod tokens;
