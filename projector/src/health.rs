//! How the projector is doing, for health checks and operators.

use contract::Position;
use metrics::gauge;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Shared between the run that writes it and whoever asks. Values may be a moment old.
#[derive(Debug, Default)]
pub struct Health {
    /// The label `store` of its metrics.
    label: &'static str,
    failing: AtomicBool,
    parked: AtomicU64,
    lag_ms: AtomicU64,
    /// The position and one, so that 0 is "nothing yet".
    applied: AtomicU64,
}

impl Health {
    pub(crate) fn of(label: &'static str) -> Self {
        Self {
            label,
            ..Self::default()
        }
    }

    /// True when nothing is parked and nothing fails. Lag alone is not ill health: it may be catching up.
    pub fn is_green(&self) -> bool {
        !self.is_failing() && self.parked_streams() == 0
    }

    /// True while the log or the read store cannot be reached, or cannot be relied upon.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// How many streams are parked.
    pub fn parked_streams(&self) -> u64 {
        self.parked.load(Relaxed)
    }

    /// The age in milliseconds of the oldest event that is not applied, looked at once a second; 0 when all are.
    pub fn lag_ms(&self) -> u64 {
        self.lag_ms.load(Relaxed)
    }

    /// How far this run has applied the log; `None` before the first event.
    pub fn applied(&self) -> Option<Position> {
        self.applied.load(Relaxed).checked_sub(1).map(Position)
    }

    pub(crate) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Relaxed);
    }

    pub(crate) fn set_lag_ms(&self, lag_ms: u64) {
        self.lag_ms.store(lag_ms, Relaxed);
        gauge!("eventflow_projection_lag_ms", "store" => self.label).set(lag_ms as f64);
    }

    pub(crate) fn set_progress(&self, applied: Option<Position>, parked: usize) {
        let applied = applied.map_or(0, |position| position.0.saturating_add(1));
        self.applied.store(applied, Relaxed);
        gauge!("eventflow_projection_position", "store" => self.label).set(applied.saturating_sub(1) as f64);
        if self.parked.swap(parked as u64, Relaxed) != parked as u64 || parked == 0 {
            gauge!("eventflow_parked_streams", "store" => self.label).set(parked as f64);
        }
    }
}
