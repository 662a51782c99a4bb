//! The command line: `serve`, `render`, `finish`, `verify`, `keys`, `certs`, `ledger`, `check`.
//!
//! - [`serve`]: the service
//! - [`render`]: one picture, no server
//! - [`finish`]: marks, formats and credentials for any picture, no server
//! - [`verify`]: a copy of a picture, back to its record
//! - [`keys`]: API keys
//! - [`certs`]: what pictures are signed with
//! - [`ledger`]: what review decided, and what people decided of that
//! - [`check`]: everything that is wrong, at once
//! - `files`: what is written appears whole
//! - [`libtorch`]: which libtorch the process runs with

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

pub mod certs;
pub mod check;
mod files;
pub mod finish;
pub mod keys;
pub mod ledger;
pub mod libtorch;
pub mod render;
pub mod serve;
pub mod verify;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::config::load::{load, process_vars};
use crate::finish::decode::DecodeLimits;

/// A self-hosted image-generation service: one POST, an SDXL pipeline, a signed URL.
#[derive(Debug, Parser)]
#[command(name = "imgen", version)]
struct Arguments {
    /// Configuration file [default: imgen.toml where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve,
    /// Render one picture without a server
    Render(render::RenderArgs),
    /// Mark, encode and sign a picture without a server
    Finish(Box<finish::FinishArgs>),
    /// Say where a picture comes from, by its credentials, its mark and its looks
    Verify(verify::VerifyArgs),
    /// Create, list, enable, disable and revoke API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Show the certificates that pictures are signed with
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Read, check and add to what review decided
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Check configuration, presets, weights and storage, and say everything that is wrong
    Check,
}

/// What a picture on this machine may be: as large as a good camera's.
const LOCAL_LIMITS: DecodeLimits =
    DecodeLimits { max_bytes: 256 << 20, max_pixels: 120_000_000, max_side_px: 32_768 };

/// What a command ends with when it does not succeed: a sentence for the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match load(arguments.config.as_deref(), &process_vars()) {
        Ok(config) => config,
        Err(complaints) => {
            eprintln!("imgen: the configuration does not hold:");
            for complaint in &complaints.0 {
                eprintln!("  {complaint}");
            }
            return ExitCode::from(2);
        }
    };
    match run(arguments.command, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("imgen: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever reads may have read enough, as `head` does.
fn print_lines(mut lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match lines.try_for_each(|line| writeln!(out, "{line}")) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn run(command: Command, config: Config) -> Result<(), Failure> {
    if matches!(command, Command::Serve | Command::Render(_) | Command::Check) {
        libtorch::enter(&config.service.libtorch_dir)?;
    }
    match command {
        Command::Serve => serve::run(config),
        Command::Render(arguments) => render::run(arguments, &config),
        Command::Finish(arguments) => finish::run(&arguments, &config),
        Command::Verify(arguments) => verify::run(&arguments, &config),
        Command::Keys(command) => keys::run(command, &config),
        Command::Certs(command) => certs::run(&command, &config),
        Command::Ledger(command) => ledger::run(&command, &config),
        Command::Check => check::run(&config),
    }
}
