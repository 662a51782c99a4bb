//! The only SQL: SQLite, one writer, durable before answered.
//!
//! - [`handle`](Store): open, submit, look up, keys, close
//! - `claims`: the same store as a worker sees it
//! - `record`: what is written about a job
//! - `records`: what a delivered picture can be traced back to
//! - [`Ledger`]: what review decided, in a chain of hashes
//! - `view`, `callers`, `memory`: what is answered without the disk
//! - `writer`, `upkeep`: the one thread that writes; group commit
//! - `jobs_table`, `keys`, `attachments`, `last_draws`: the SQL
//! - `database`, `migrations`: opening the file; its schema
//! - `ids`: names drawn by chance
//! - `config`, `error`

mod attachments;
mod callers;
mod claims;
mod config;
mod database;
mod error;
mod handle;
pub mod ids;
mod jobs_table;
mod keys;
mod last_draws;
mod ledger;
mod memory;
mod migrations;
mod record;
mod records;
mod upkeep;
mod view;
mod writer;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use time::OffsetDateTime;

pub use attachments::Attachment;
pub use callers::Caller;
pub use claims::Claimed;
pub use config::StoreConfig;
pub use error::{StoreError, SubmitError};
pub use handle::Store;
pub use jobs_table::{Claim, Trace};
pub use keys::{KeyChange, KeyDesk, KeyInfo, NewKey};
pub use ledger::{Ledger, LedgerDesk, LedgerEntry, LedgerFault, Ruling};
pub use record::{
    Blocked, Failure, Idempotency, JobResult, NewJob, Outcome, Picture, Receipt, Submitted, Ticket, Verdict,
};
pub use records::{
    ManifestDigest, NewRecord, Record, RecordedManifest, RecordedMark, Records, StoredFingerprint, record_id,
};
pub use view::{JobView, Live, MOST_PROGRESS};
pub(crate) use writer::panic_text;

/// Milliseconds since 1970; allowed to jump.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

fn system_clock() -> i64 {
    moment_ms(OffsetDateTime::now_utc())
}

fn moment_ms(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

fn moment(unix_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
