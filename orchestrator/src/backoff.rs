//! Pauses that grow.

use crate::Settings;

/// The pauses between tries of one thing: each twice as long as the one before, up to a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    next_ms: u64,
    last_ms: u64,
}

impl Backoff {
    pub fn new(settings: &Settings) -> Self {
        Self {
            next_ms: settings.backoff_first_ms,
            last_ms: settings.backoff_last_ms,
        }
    }

    /// How long to wait now, in milliseconds.
    pub fn next_ms(&mut self) -> u64 {
        let now = self.next_ms.min(self.last_ms);
        self.next_ms = now.saturating_mul(2);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let settings = Settings {
            backoff_first_ms: 20,
            backoff_last_ms: 100,
            ..Settings::default()
        };
        let mut backoff = Backoff::new(&settings);
        assert_eq!([(); 5].map(|()| backoff.next_ms()), [20, 40, 80, 100, 100]);
    }
}
