#![doc = include_str!("README.md")]

pub mod api;
pub mod presets;
pub mod prompt;
pub mod compliance;
pub mod plan;
pub mod jobs;
pub mod store;
pub mod diffusion;
pub mod finish;
pub mod credentials;
pub mod storage;
pub mod verify;
pub mod config;
pub mod error;
pub mod app;
pub mod cli;
