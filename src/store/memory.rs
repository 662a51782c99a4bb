//! What is answered without the disk. The writer changes it after each commit; everyone else reads.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::callers::Callers;
use super::view::Views;

pub(super) struct Memory {
    pub(super) views: Views,
    callers: RwLock<Arc<Callers>>,
    counts: Mutex<HashMap<i64, Count>>,
    pub(super) bell: Bell,
}

/// Requests of one key that are not yet in the database.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) requests: u64,
    pub(super) last_used_at_ms: i64,
}

impl Memory {
    pub(super) fn new(views: Views, callers: Callers) -> Self {
        Self {
            views,
            callers: RwLock::new(Arc::new(callers)),
            counts: Mutex::default(),
            bell: Bell::default(),
        }
    }

    pub(super) fn callers(&self) -> Arc<Callers> {
        self.callers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_callers(&self, callers: Callers) {
        *self.callers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(callers);
    }

    pub(super) fn count(&self, key_id: i64, more: Count) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key_id).or_default();
        count.requests += more.requests;
        count.last_used_at_ms = count.last_used_at_ms.max(more.last_used_at_ms);
    }

    pub(super) fn take_counts(&self) -> HashMap<i64, Count> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Rung when a job starts to wait; workers listen.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
    }

    pub(super) fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until it has rung since `heard`, or for `at_most`.
    pub(super) fn wait(&self, heard: u64, at_most: Duration) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether it rang or the time is over, the caller looks again.
        drop(self.rung.wait_timeout_while(rings, at_most, |rings| *rings == heard));
    }
}
