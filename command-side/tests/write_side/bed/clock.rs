//! The machine's clock, which tests can put forward.

use async_trait::async_trait;
use contract::Timestamp;
use ports::{Clock, SystemClock};
use tokio::sync::watch;

pub struct HandClock {
    ahead_ms: watch::Sender<u64>,
}

impl Default for HandClock {
    fn default() -> Self {
        Self {
            ahead_ms: watch::Sender::new(0),
        }
    }
}

impl HandClock {
    /// Lets time pass, for everybody who waits for it as well.
    pub fn pass(&self, ms: u64) {
        self.ahead_ms.send_modify(|ahead| *ahead += ms);
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(*self.ahead_ms.borrow())
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let mut ahead = self.ahead_ms.subscribe();
        loop {
            let passed = *ahead.borrow_and_update();
            let on_the_machine = Timestamp(deadline.0.saturating_sub_unsigned(passed));
            tokio::select! {
                () = SystemClock.sleep_until(on_the_machine) => return,
                changed = ahead.changed() => if changed.is_err() { return },
            }
        }
    }
}
