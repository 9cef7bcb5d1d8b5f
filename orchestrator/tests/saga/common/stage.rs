//! A world of fakes with one process in it. Time is the test's own: it passes when all tasks wait.

use super::{
    fakes::{FakeBroker, FakeLog, FakeStore, TestClock},
    request, settings,
};
use contract::{
    Event, ReservationId, StreamName,
    collections::RESERVATIONS,
    events::{CancelReason, CancellationRequested, SagaResumed},
};
use orchestrator::{Orchestrator, Settings};
use ports::{Clock as _, EventLog as _};
use std::sync::Arc;
use tokio::{sync::watch, task::JoinHandle};

/// A whole world, and a process in it that can be killed.
pub struct Stage {
    pub log: Arc<FakeLog>,
    pub broker: Arc<FakeBroker>,
    pub store: Arc<FakeStore>,
    pub clock: Arc<TestClock>,
    pub process: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

impl Stage {
    pub async fn new() -> Self {
        let mut stage = Self::dark();
        stage.start(settings()).await;
        stage
    }

    /// Without a process.
    pub fn dark() -> Self {
        let (log, clock) = (FakeLog::new(), TestClock::new());
        let broker = FakeBroker::new(log.clone(), clock.clone());
        Self {
            log,
            broker,
            store: FakeStore::new(),
            clock,
            process: None,
        }
    }

    /// Starts a process, whose read models are where the log is.
    pub async fn start(&mut self, settings: Settings) {
        self.store.applied.send_replace(self.log.head().await.unwrap());
        self.start_behind(settings);
        // Until it has subscribed: the test's clock moves only when every task waits.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }

    /// Starts a process, whose read models know nothing yet.
    pub fn start_behind(&mut self, settings: Settings) {
        let (log, broker) = (self.log.clone(), self.broker.clone());
        let orchestrator = Orchestrator::new(log, broker, self.store.clone(), self.clock.clone(), settings);
        let (stop, stopped) = watch::channel(false);
        self.process = Some((tokio::spawn(orchestrator.run(stopped)), stop));
    }

    /// The process is gone at once.
    pub async fn kill(&mut self) {
        let (running, _stop) = self.process.take().unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        self.log.repair();
    }

    pub fn request(&self, id: ReservationId) -> Arc<contract::Recorded> {
        let mut request = request(id);
        request.requested_at_ms = self.clock.now();
        request.line_until_ms = self.clock.now().plus_ms(30_000);
        self.store.put(&RESERVATIONS, id.to_string(), "{}");
        self.log.put(&StreamName::reservation(id), request)
    }

    pub fn cancel(&self, reservation_id: ReservationId) {
        let reason = CancelReason::Buyer;
        let event = CancellationRequested {
            reservation_id,
            reason,
            at_ms: self.clock.now(),
        };
        self.log.put(&StreamName::reservation(reservation_id), event);
    }

    pub fn resume(&self, reservation_id: ReservationId) {
        let event = SagaResumed {
            reservation_id,
            at_ms: self.clock.now(),
        };
        self.log.put(&StreamName::reservation(reservation_id), event);
    }

    pub async fn settled(&self, id: ReservationId) -> Vec<Event> {
        self.log.until(id, |events| outcome(events).is_some()).await
    }

    /// Returns when nothing is left to do: the test's clock moves only when every task waits.
    pub async fn is_idle(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }

    pub fn stays_consistent(&self, id: ReservationId) {
        let world = self.broker.world(id);
        match outcome(&self.log.stream(id)).unwrap() {
            "reservation_confirmed.v1" => assert!(world.is_sold(), "{world:?}"),
            _ => assert!(world.is_undone(), "{world:?}"),
        }
    }
}

/// The kind of the last event, when the saga rests with it.
pub fn outcome(events: &[Event]) -> Option<&'static str> {
    let last = events.last()?.kind();
    [
        "reservation_confirmed.v1",
        "reservation_rejected.v1",
        "reservation_cancelled.v1",
    ]
    .contains(&last)
    .then_some(last)
}
