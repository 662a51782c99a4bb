//! Numbers, beside the reference's: torch, diffusers and transformers (see `tests/fixtures`).

mod fixtures;
mod noise;
mod schedulers;
mod tokens;
