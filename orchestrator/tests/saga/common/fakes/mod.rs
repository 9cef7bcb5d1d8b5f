//! Ports in memory that do what a test tells them.

mod broker;
mod log;
mod store;

pub use broker::{FakeBroker, Manner};
pub use log::{FakeLog, Fault};
pub use store::FakeStore;

use super::T0;
use async_trait::async_trait;
use contract::Timestamp;
use ports::Clock;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// The paused time of the test.
pub struct TestClock(Instant);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        T0.plus_ms(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        tokio::time::sleep(Duration::from_millis(deadline.ms_since(self.now()))).await;
    }
}
