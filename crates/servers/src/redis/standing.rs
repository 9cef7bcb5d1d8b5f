//! What is counted, and what health checks are told.

use contract::Position;
use metrics::counter;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How Redis stands. Values may be a moment old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisHealth {
    /// There is a connection, and it answered within the last second or so.
    pub connected: bool,
    /// The documents were complete once, so that what is missing does not exist.
    pub complete: bool,
    /// How far they are.
    pub position: Option<Position>,
    /// Why there is no connection.
    pub trouble: Option<String>,
}

/// How the two stores stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontedHealth {
    /// The one in front.
    pub redis: RedisHealth,
    /// Hot documents are answered by Redis now.
    pub redis_serves: bool,
    /// The store behind it answers.
    pub base_alive: bool,
}

/// Counted without a look-up per read, and published with each heartbeat.
#[derive(Default)]
pub(super) struct Counts {
    pub from_memory: AtomicU64,
    pub from_server: AtomicU64,
    pub misses: AtomicU64,
    pub fallbacks: AtomicU64,
    connected: AtomicBool,
}

impl Counts {
    pub fn publish(&self) {
        let taken = |count: &AtomicU64| count.swap(0, Relaxed);
        counter!("eventflow_redis_hits_total", "from" => "memory").increment(taken(&self.from_memory));
        counter!("eventflow_redis_hits_total", "from" => "server").increment(taken(&self.from_server));
        counter!("eventflow_redis_misses_total").increment(taken(&self.misses));
        counter!("eventflow_redis_fallbacks_total").increment(taken(&self.fallbacks));
    }

    pub fn connected(&self) {
        self.connected.store(true, Relaxed);
    }

    /// Whether there ever was a connection.
    pub fn has_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }
}

/// One more.
pub(super) fn count(count: &AtomicU64) {
    count.fetch_add(1, Relaxed);
}
