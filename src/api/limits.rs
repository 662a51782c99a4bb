//! How fast one caller may go: token buckets, by key and by address, in tables that cannot grow without end.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What a caller has left, as the `X-RateLimit-*` headers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Requests in a full bucket.
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds until the bucket is full again, rounded up.
    pub(super) reset_s: u64,
}

/// A refusal: the bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Empty {
    pub(super) allowance: Allowance,
    /// Seconds until one token is back, rounded up, at least 1.
    pub(super) retry_after_s: u64,
}

/// Token buckets of one size, one for each `K`.
///
/// A full bucket is the same as none, so full ones are dropped when the table is at its bound; should none be
/// full, the one touched longest ago goes.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    per_minute: u32,
    most: usize,
    table: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    touched: Instant,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Buckets that hold `per_minute` tokens and refill in a minute; at most `most` of them are remembered.
    pub(super) fn new(per_minute: u32, most: usize) -> Self {
        Self { per_minute: per_minute.max(1), most: most.max(1), table: Mutex::new(HashMap::new()) }
    }

    /// Takes one token of `key` at the time `now`.
    pub(super) fn take(&self, key: &K, now: Instant) -> Result<Allowance, Empty> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tokens = self.tokens(table.get(key), now);
        let taken = tokens >= 1.0;
        if taken {
            tokens -= 1.0;
        }
        if table.len() >= self.most && !table.contains_key(key) {
            self.make_room(&mut table, now);
        }
        table.insert(key.clone(), Bucket { tokens, touched: now });
        let allowance = self.allowance(tokens);
        if taken {
            return Ok(allowance);
        }
        let wait_s = (1.0 - tokens) / self.per_second();
        Err(Empty { allowance, retry_after_s: (wait_s.ceil() as u64).max(1) })
    }

    /// What `key` has left, without taking any of it.
    pub(super) fn look(&self, key: &K, now: Instant) -> Allowance {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        self.allowance(self.tokens(table.get(key), now))
    }

    fn per_second(&self) -> f64 {
        f64::from(self.per_minute) / 60.0
    }

    fn tokens(&self, bucket: Option<&Bucket>, now: Instant) -> f64 {
        let full = f64::from(self.per_minute);
        bucket.map_or(full, |bucket| {
            let passed = now.saturating_duration_since(bucket.touched).as_secs_f64();
            (bucket.tokens + passed * self.per_second()).min(full)
        })
    }

    fn allowance(&self, tokens: f64) -> Allowance {
        let missing = f64::from(self.per_minute) - tokens;
        Allowance {
            limit: self.per_minute,
            remaining: tokens as u32,
            reset_s: (missing / self.per_second()).ceil() as u64,
        }
    }

    fn make_room(&self, table: &mut HashMap<K, Bucket>, now: Instant) {
        let full = f64::from(self.per_minute);
        table.retain(|_, bucket| self.tokens(Some(bucket), now) < full);
        if table.len() >= self.most
            && let Some(oldest) =
                table.iter().min_by_key(|(_, bucket)| bucket.touched).map(|(key, _)| key.clone())
        {
            table.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_let_through_then_refused_until_a_token_is_back() {
        let (buckets, start) = (Buckets::new(120, 8), Instant::now());
        for left in (0..120).rev() {
            assert_eq!(buckets.take(&"a", start).unwrap().remaining, left);
        }
        let empty = buckets.take(&"a", start).unwrap_err();
        assert_eq!(empty.retry_after_s, 1);
        assert_eq!(empty.allowance.reset_s, 60);
        assert_eq!(buckets.take(&"b", start).unwrap().remaining, 119, "another key has its own bucket");
        assert!(buckets.take(&"a", start + Duration::from_millis(501)).is_ok());
        assert_eq!(buckets.look(&"a", start + Duration::from_secs(90)).remaining, 120);
    }

    #[test]
    fn a_slow_bucket_says_how_long_to_wait() {
        let (buckets, start) = (Buckets::new(1, 8), Instant::now());
        assert!(buckets.take(&"a", start).is_ok());
        assert_eq!(buckets.take(&"a", start).unwrap_err().retry_after_s, 60);
    }

    #[test]
    fn a_million_callers_take_the_room_of_a_few() {
        let (buckets, start) = (Buckets::new(10, 100), Instant::now());
        for caller in 0..10_000_u32 {
            let _ = buckets.take(&caller, start + Duration::from_micros(u64::from(caller)));
        }
        assert!(buckets.table.lock().unwrap().len() <= 100);
    }
}
