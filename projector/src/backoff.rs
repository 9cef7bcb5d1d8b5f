//! Waiting longer after each failure.

use ports::Clock;

const FIRST_MS: u64 = 50;
/// The longest pause, unless told otherwise.
pub(crate) const LONGEST_MS: u64 = 5_000;

/// 50 ms, then twice as long each time, up to 5 s.
#[derive(Debug)]
pub(crate) struct Backoff {
    next_ms: u64,
    longest_ms: u64,
}

impl Backoff {
    pub fn new() -> Self {
        Self::up_to(LONGEST_MS)
    }

    /// With another longest pause.
    pub fn up_to(longest_ms: u64) -> Self {
        Self {
            next_ms: FIRST_MS,
            longest_ms,
        }
    }

    /// After a success: the next failure waits briefly again.
    pub fn reset(&mut self) {
        self.next_ms = FIRST_MS;
    }

    pub async fn wait(&mut self, clock: &dyn Clock) {
        let until = clock.now().plus_ms(self.next_ms);
        self.next_ms = (self.next_ms * 2).min(self.longest_ms);
        clock.sleep_until(until).await;
    }
}
