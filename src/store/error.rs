//! What can go wrong in the store.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store could not do as asked. Cloned to every caller whose write shared the failed commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("no space left for the database")]
    DiskFull,
    #[error("the database is locked by another process")]
    Busy,
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    #[error(
        "the database {path} is damaged ({detail}). Stop every imgen process, keep a copy of the file with its \
         -wal and -shm beside it, then either put back a backup or run: \
         sqlite3 {path} .recover | sqlite3 {path}.new, and move the new file into its place"
    )]
    Corrupt { path: String, detail: String },
    #[error("the data folder {} is in use by another imgen serve (process {pid})", path.display())]
    Held { path: PathBuf, pid: String },
    #[error(
        "the database {} has schema {found}, newer than this program knows ({known}); use a newer imgen",
        path.display()
    )]
    TooNew { path: PathBuf, found: u32, known: u32 },
    #[error(
        "the database {} has schema {found}, older than {known}; start the service once, which brings it up to date",
        path.display()
    )]
    TooOld { path: PathBuf, found: u32, known: u32 },
    #[error("cannot use {}: {detail}", path.display())]
    Folder { path: PathBuf, detail: String },
    #[error("no randomness from the operating system: {0}")]
    Randomness(String),
    #[error("a stored value cannot be read: {0}")]
    Unreadable(String),
    #[error("database: {0}")]
    Sql(String),
    /// The 64 bits that are drawn for each picture have met those of another: once in 2^64 pairs.
    #[error("the record id {record} belongs to another picture")]
    RecordTaken { record: String },
    /// What a person wants to decide that cannot be decided.
    #[error("{0}")]
    Ruling(String),
    #[error("a write failed inside the program: {0}")]
    Panicked(String),
    #[error("no thread could be started: {0}")]
    NoThread(String),
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same call may succeed later without anyone touching the program: 503 and not 500.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Busy | Self::ReadOnly(_) | Self::Closed)
    }

    pub(crate) fn no_thread(error: &std::io::Error) -> Self {
        Self::NoThread(error.to_string())
    }

    pub(super) fn at(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |error| match Self::from(error) {
            Self::Corrupt { detail, .. } => Self::Corrupt { path: path.display().to_string(), detail },
            Self::ReadOnly(detail) => Self::Folder { path: path.to_owned(), detail },
            other => other,
        }
    }
}

/// `SQLITE_IOERR_SHMSIZE`: the shared-memory file could not grow, which means a full disk.
const IOERR_SHMSIZE: i32 = 4874;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let detail = error.to_string();
        let Some(sqlite) = error.sqlite_error() else {
            return Self::Sql(detail);
        };
        match sqlite.code {
            ErrorCode::DiskFull => Self::DiskFull,
            _ if sqlite.extended_code == IOERR_SHMSIZE => Self::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                Self::ReadOnly(detail)
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::Corrupt { path: "imgen.sqlite3".to_owned(), detail }
            }
            _ => Self::Sql(detail),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Why a job was not accepted. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("the queue is full")]
    QueueFull,
    #[error("the idempotency key was used with another body")]
    IdempotencyMismatch,
    #[error(transparent)]
    Store(#[from] StoreError),
}
