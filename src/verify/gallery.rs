//! The fingerprints of all records, in memory, kept up with the store.

use std::sync::{PoisonError, RwLock};

use super::pdq_index::{Near, PdqIndex};
use crate::finish::pdq::Hash256;
use crate::store::{Records, StoreError};

/// Rows read at a time while catching up.
const BATCH: u32 = 10_000;

/// Answers which records look like a picture. Whatever has been recorded when a question comes is part of the answer.
#[derive(Debug)]
pub struct Gallery {
    records: Records,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    index: PdqIndex,
    /// The last record that is in the index.
    seq: i64,
}

impl Gallery {
    /// Empty until the first question or [`Gallery::catch_up`].
    pub fn new(records: Records) -> Self {
        Self { records, known: RwLock::default() }
    }

    /// The nearest `count` records within the distance of a match. Blocks.
    pub fn near(&self, hash: &Hash256, count: usize) -> Result<Vec<Near>, StoreError> {
        self.catch_up()?;
        Ok(self.known.read().unwrap_or_else(PoisonError::into_inner).index.search(hash, count))
    }

    /// Reads what was recorded since the last time; at the start that is everything, about 2 s for a million records.
    /// Blocks.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        let seq = self.known.read().unwrap_or_else(PoisonError::into_inner).seq;
        if self.records.fingerprints_after(seq, 1)?.is_empty() {
            return Ok(());
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            let rows = self.records.fingerprints_after(known.seq, BATCH)?;
            for row in &rows {
                known.index.insert(row.record_id, &Hash256::from_bytes(row.pdq), row.pdq_quality);
                known.seq = row.seq;
            }
            if rows.len() < BATCH as usize {
                break;
            }
        }
        Ok(())
    }

    /// How many records can be found by likeness.
    pub fn len(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
