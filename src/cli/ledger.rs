//! `imgen ledger`: what review decided, and what people decided of that. A running service knows at once.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Failure, print_lines};
use crate::config::Config;
use crate::store::{Ledger, LedgerDesk, LedgerEntry, Ruling};

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check the chain of hashes from end to end, and print its last hash
    Verify {
        /// A hash that an earlier check printed: fails where it is no longer in the chain
        #[arg(long, value_name = "HASH", value_parser = hash)]
        noted: Option<[u8; 32]>,
    },
    /// Print entries, the newest first, a line of JSON each
    List {
        /// Only those of this job
        #[arg(long)]
        job: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Write down what a person says of a job that was blocked
    Rule(RuleArgs),
}

/// What `imgen ledger rule` takes.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// `run_...`
    pub job: String,
    /// What is decided
    #[arg(value_enum)]
    pub ruling: Decided,
    /// Who says so
    #[arg(long, value_parser = words)]
    pub by: String,
    /// And why
    #[arg(long, value_parser = words)]
    pub reason: String,
}

/// `override` lets the same texts pass from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Decided {
    Appeal,
    Uphold,
    Override,
}

/// Runs one command on the database in the data folder.
pub fn run(command: &LedgerCommand, config: &Config) -> Result<(), Failure> {
    match command {
        LedgerCommand::Verify { noted } => verify(*noted, config),
        LedgerCommand::List { job, limit } => {
            let entries = open(config)?.entries(job.as_deref(), *limit)?;
            print_lines(entries.iter().map(line))
        }
        LedgerCommand::Rule(rule) => {
            let ruling = match rule.ruling {
                Decided::Appeal => Ruling::Appealed,
                Decided::Uphold => Ruling::Upheld,
                Decided::Override => Ruling::Overridden,
            };
            let desk = LedgerDesk::open(&config.store, OffsetDateTime::now_utc())?;
            let passing =
                desk.ok_or_else(|| none(config))?.rule(&rule.job, ruling, &rule.by, &rule.reason)?;
            if !passing.is_empty() {
                let passing: Vec<_> = passing.iter().map(|category| category.id()).collect();
                println!(
                    "these texts of this key pass in {} from now on, unless the key or a request is stricter than the policy",
                    passing.join(", ")
                );
            }
            Ok(())
        }
    }
}

fn open(config: &Config) -> Result<Ledger, Failure> {
    Ledger::open(&config.store)?.ok_or_else(|| none(config))
}

fn none(config: &Config) -> Failure {
    format!("there is no ledger in {} yet", config.store.data_dir.display()).into()
}

fn words(text: &str) -> Result<String, String> {
    let words = text.trim();
    if words.is_empty() { Err("it says nothing".to_owned()) } else { Ok(words.to_owned()) }
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| "a hash has 64 hexadecimal digits".to_owned())?;
    Ok(hash)
}

fn verify(noted: Option<[u8; 32]>, config: &Config) -> Result<(), Failure> {
    let (count, last) = open(config)?.verify(noted)??;
    println!("{count} entries hold; the last hash is {}", hex::encode(last));
    Ok(())
}

fn line(entry: &LedgerEntry) -> String {
    json!({
        "seq": entry.seq,
        "at": entry.at.format(&Rfc3339).unwrap_or_default(),
        "job": entry.job_id,
        "entry": entry.entry,
        "hash": hex::encode(entry.hash),
    })
    .to_string()
}
