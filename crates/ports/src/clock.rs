//! Time and fresh ids, as ports: a simulation brings its own.

use async_trait::async_trait;
use contract::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now. May jump; nothing may rely on it never going back.
    fn now(&self) -> Timestamp;

    /// Returns when `deadline` has passed, at once when it has already.
    async fn sleep_until(&self, deadline: Timestamp);
}

/// Fresh identifiers.
pub trait Ids: Send + Sync {
    /// A new id, never given before. Ids given later sort later, which keeps indexes compact.
    fn fresh(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        // In pieces, because the wall clock may be set while we sleep.
        loop {
            let left = deadline.ms_since(self.now());
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left.min(60_000))).await;
        }
    }
}

/// UUID version 7: time-ordered, random.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn fresh(&self) -> Uuid {
        Uuid::now_v7()
    }
}
