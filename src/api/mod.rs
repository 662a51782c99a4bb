#![doc = include_str!("README.md")]

mod body;
mod chance;
mod config;
mod fields;
mod guard;
mod limits;
pub mod objects;
mod request_id;
mod samplers;
mod strict_json;

pub use chance::Chance;
pub use config::ApiConfig;
pub use guard::guard;
