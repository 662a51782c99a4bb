//! The house by its door: the real service over HTTP, with curl and the specification's own clients.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

#[path = "../support/service.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod service;
#[path = "support/house.rs"]
mod house;
#[path = "../support/completions.rs"]
mod completions;

mod alike;
mod callers;
mod catalogue;
mod certs;
mod clients;
mod command_line;
mod compliance;
mod connections;
mod enhance;
mod envelope;
mod formats;
mod idempotency;
mod limits;
mod loras;
mod objects;
mod page;
mod parse;
mod pictures;
mod requests;
mod signer;
mod status;
mod survival;
mod verify;
