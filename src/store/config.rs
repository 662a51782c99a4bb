//! What the store can be told.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::complaints::Complaints;

/// Where the database lies and how far it may grow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Folder of the database and its lock; made with mode 0700.
    pub data_dir: PathBuf,
    /// Most jobs that may wait; one more is refused with 429.
    pub max_queue: u32,
    /// Finished jobs kept in memory for `status`; older ones are read from the disk.
    pub finished_in_memory: usize,
    /// Most rows written by one commit. 1 turns group commit off.
    pub group_commit_rows: usize,
    /// How long to wait for another process that is writing, in milliseconds.
    pub busy_timeout_ms: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            max_queue: 1000,
            finished_in_memory: 10_000,
            group_commit_rows: 256,
            busy_timeout_ms: 5000,
        }
    }
}

impl StoreConfig {
    pub fn validate(&self, complaints: &mut Complaints) {
        if self.data_dir.as_os_str().is_empty() {
            complaints.add("store.data_dir", "must name a folder");
        }
        if !(1..=1_000_000).contains(&self.max_queue) {
            complaints.add("store.max_queue", "must be 1 to 1000000 jobs");
        }
        if self.finished_in_memory == 0 {
            complaints.add("store.finished_in_memory", "must be at least 1 job");
        }
        if !(1..=4096).contains(&self.group_commit_rows) {
            complaints.add("store.group_commit_rows", "must be 1 to 4096 rows");
        }
        if self.busy_timeout_ms > 60_000 {
            complaints.add("store.busy_timeout_ms", "must be at most 60000 ms");
        }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.data_dir.join("imgen.sqlite3")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.data_dir.join("imgen.lock")
    }
}
