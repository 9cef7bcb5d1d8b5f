//! How often one caller may ask: token buckets, in the form of GCRA, which needs one number per caller.

use contract::Timestamp;
use quick_cache::sync::Cache;
use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// How many callers are told apart at once. Past it the least seen start anew.
const CALLERS: usize = 65_536;
/// How many seconds' worth of requests may come at once.
const BURST_S: i64 = 5;

/// How often one caller may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second on average, five times as many at once; 0 = no limit.
    pub per_second: u32,
}

/// The buckets of all callers, in bounded memory.
pub struct RateLimits<K> {
    /// What one request costs, in microseconds; 0 = no limit.
    interval_us: i64,
    /// What a full bucket holds, in microseconds.
    window_us: i64,
    /// When each caller's bucket is full again, in microseconds since 1970.
    full_at_us: Cache<K, Arc<AtomicI64>>,
}

impl<K: Hash + Eq + Clone> RateLimits<K> {
    /// Full buckets for everybody.
    pub fn new(limit: RateLimit) -> Self {
        let interval_us = match i64::from(limit.per_second) {
            0 => 0,
            per_second => (1_000_000 / per_second).max(1),
        };
        Self {
            interval_us,
            window_us: BURST_S * 1_000_000,
            full_at_us: Cache::new(CALLERS),
        }
    }

    /// Takes one request out of the caller's bucket.
    ///
    /// # Errors
    /// When it is empty: after how many seconds there is one again, at least 1.
    pub fn take(&self, caller: K, now: Timestamp) -> Result<(), u64> {
        if self.interval_us == 0 {
            return Ok(());
        }
        let now_us = now.0.saturating_mul(1_000);
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::new(AtomicI64::new(now_us)));
        let Ok(full_at) = self.full_at_us.get_or_insert_with(&caller, fresh);
        let mut known = full_at.load(Ordering::Relaxed);
        loop {
            // A clock that was set back leaves nobody waiting longer than an empty bucket does.
            let from = known.clamp(now_us, now_us.saturating_add(self.window_us));
            let next = from.saturating_add(self.interval_us);
            let over_us = next.saturating_sub(now_us.saturating_add(self.window_us));
            if over_us > 0 {
                if from < known {
                    let _ = full_at.compare_exchange(known, from, Ordering::Relaxed, Ordering::Relaxed);
                }
                return Err(u64::try_from(over_us).unwrap_or(0).div_ceil(1_000_000));
            }
            match full_at.compare_exchange_weak(known, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => known = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limits: &RateLimits<u8>, caller: u8, now_ms: i64) -> usize {
        (0..10_000)
            .take_while(|_| limits.take(caller, Timestamp(now_ms)).is_ok())
            .count()
    }

    #[test]
    fn five_seconds_worth_may_come_at_once_and_then_as_many_as_the_rate_says() {
        let limits = RateLimits::new(RateLimit { per_second: 100 });
        let start = 1_800_000_000_000;
        assert_eq!(taken(&limits, 1, start), 500);
        assert_eq!(limits.take(1, Timestamp(start)), Err(1));
        assert_eq!(taken(&limits, 1, start + 1_000), 100);
        assert_eq!(
            taken(&limits, 1, start + 60_000),
            500,
            "a bucket holds no more than it can"
        );
    }

    #[test]
    fn callers_do_not_take_from_one_another() {
        let limits = RateLimits::new(RateLimit { per_second: 1 });
        assert_eq!(taken(&limits, 1, 0), 5);
        assert_eq!(taken(&limits, 2, 0), 5);
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(taken(&RateLimits::new(RateLimit { per_second: 0 }), 1, 0), 10_000);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = RateLimits::new(RateLimit { per_second: 10 });
        assert_eq!(taken(&limits, 1, 1_000_000), 50);
        assert_eq!(taken(&limits, 1, 0), 0);
        assert_eq!(taken(&limits, 1, 0), 0);
        assert_eq!(taken(&limits, 1, 1_000), 10);
    }
}
