//! Checkpoints that could not be loaded lately: their models are not there, and everything else goes on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a failure counts. After it the next job tries again, so that a file that was put right needs no restart.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// Why and since when, by [`weights_name`](crate::plan::weights_name).
#[derive(Debug, Default)]
pub struct Unavailable(Mutex<BTreeMap<String, (Instant, String)>>);

impl Unavailable {
    /// `weights` could not be loaded just now.
    pub fn note(&self, weights: &str, reason: &str) {
        self.all().insert(weights.to_owned(), (Instant::now(), reason.to_owned()));
    }

    /// Why `weights` cannot be drawn with, where it lately could not.
    pub fn why(&self, weights: &str) -> Option<String> {
        self.why_at(weights, Instant::now())
    }

    /// Nothing is known any more: files have changed.
    pub(crate) fn forget(&self) {
        self.all().clear();
    }

    fn why_at(&self, weights: &str, now: Instant) -> Option<String> {
        let mut all = self.all();
        all.retain(|_, (since, _)| now.saturating_duration_since(*since) < COUNTS_FOR);
        all.get(weights).map(|(_, reason)| reason.clone())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_for_a_while() {
        let unavailable = Unavailable::default();
        unavailable.note("sdxl", "truncated");
        assert_eq!(unavailable.why("sdxl").as_deref(), Some("truncated"));
        assert_eq!(unavailable.why("starter"), None);
        assert_eq!(unavailable.why_at("sdxl", Instant::now() + COUNTS_FOR), None);
        unavailable.note("sdxl", "truncated");
        unavailable.forget();
        assert_eq!(unavailable.why("sdxl"), None);
    }
}
