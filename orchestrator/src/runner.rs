//! The orchestrator: hears of reservations and has each driven by a task of its own.

use crate::{
    Settings,
    backoff::Backoff,
    meters::Meters,
    recovery::{self, Found},
    registry::Registry,
    saga::Start,
};
use contract::{Position, Recorded, ReservationId, ShowId, StreamKind};
use ports::{Broker, Clock, EventLog, ReadStore};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinSet,
};

/// How many finds of the recovery may wait to be started.
const FOUND: usize = 256;
/// How many shows are woken or swept at a time; the others wait.
const SHOWS_AT_ONCE: usize = 32;

type Subscription = mpsc::Receiver<Vec<Arc<Recorded>>>;

/// Runs the sagas of this process.
///
/// A task per open reservation, a bounded number at a time; when all places are taken, events wait at the broker.
/// Nothing is kept but what is in the log: dropping [`Orchestrator::run`] at any moment loses nothing.
pub struct Orchestrator {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) store: Arc<dyn ReadStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) meters: Meters,
    pub(crate) show_places: Semaphore,
    registry: Arc<Registry>,
    saga_places: Arc<Semaphore>,
    draining: AtomicBool,
}

impl Orchestrator {
    /// An orchestrator that does nothing yet. Install the metrics recorder before.
    pub fn new(
        log: Arc<dyn EventLog>,
        broker: Arc<dyn Broker>,
        store: Arc<dyn ReadStore>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Arc<Self> {
        let meters = Meters::new();
        Arc::new(Self {
            log,
            broker,
            store,
            clock,
            show_places: Semaphore::new(SHOWS_AT_ONCE),
            registry: Registry::new(meters.open().clone()),
            saga_places: Arc::new(Semaphore::new(settings.active_sagas)),
            draining: AtomicBool::new(false),
            settings,
            meters,
        })
    }

    /// Drives sagas until `shutdown` turns true (or its sender is dropped), then lets those at work finish, for
    /// [`Settings::drain_ms`] at the most. Run it once; the lanes that the sagas ask must outlive it.
    ///
    /// Every subscription begins with a recovery, so that nothing is missed between two of them.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|stop| *stop) => {}
            () = self.consume(&mut tasks) => {}
        }
        self.draining.store(true, Ordering::Relaxed);
        let until = self.clock.now().plus_ms(self.settings.drain_ms);
        tokio::select! {
            () = async { while tasks.join_next().await.is_some() {} } => {}
            () = self.clock.sleep_until(until) => {
                tracing::info!(left = tasks.len(), "sagas still at work go on at the next start");
            }
        }
    }

    /// True once the program is to end: what failed is not tried again.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Consumes events, for ever.
    async fn consume(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        let mut backoff = Backoff::new(&self.settings);
        loop {
            // First the subscription, then the head: what is behind the head comes through the subscription, the
            // rest is found by the recovery.
            let mut events = self.subscribe().await;
            let head = self.head().await;
            let (sender, mut found) = mpsc::channel(FOUND);
            // A set of its own: with this function, the recovery ends.
            let mut recovery = JoinSet::new();
            recovery.spawn(recovery::run(self.clone(), head, sender));
            let mut newest = head;
            loop {
                tokio::select! {
                    Some(found) = found.recv() => self.take_found(tasks, found).await,
                    batch = events.recv() => match batch {
                        Some(batch) => {
                            backoff = Backoff::new(&self.settings);
                            self.take_batch(tasks, &batch, &mut newest).await;
                        }
                        None => break,
                    },
                }
                while let Some(ended) = tasks.try_join_next() {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a saga's task ended by itself; it goes on at the next start");
                    }
                }
            }
            tracing::warn!("the broker closed the subscription of the orchestrator");
            self.clock
                .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
                .await;
        }
    }

    async fn subscribe(&self) -> Subscription {
        let mut backoff = Backoff::new(&self.settings);
        loop {
            let kinds = [StreamKind::Reservation, StreamKind::Show];
            match self.broker.subscribe("orchestrator", &kinds).await {
                Ok(events) => return events,
                Err(error) => tracing::warn!(%error, "the orchestrator cannot subscribe"),
            }
            self.clock
                .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
                .await;
        }
    }

    async fn head(&self) -> Option<Position> {
        let mut backoff = Backoff::new(&self.settings);
        loop {
            match self.log.head().await {
                Ok(head) => return head,
                Err(error) => tracing::warn!(%error, "the orchestrator waits for the log"),
            }
            self.clock
                .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
                .await;
        }
    }

    /// Starts what events start; told apart by their kind alone, so that all others cost nothing.
    async fn take_batch(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        batch: &[Arc<Recorded>],
        newest: &mut Option<Position>,
    ) {
        for recorded in batch {
            match &*recorded.kind {
                "reservation_requested.v1" => {
                    // Only a request behind all before it is known to come for the first time; another may
                    // have been worked on already, which the log tells.
                    let start = if newest.is_none_or(|newest| recorded.position > newest) {
                        *newest = Some(recorded.position);
                        Start::Requested(recorded.clone())
                    } else {
                        Start::Logged
                    };
                    self.start(tasks, recorded, start).await;
                }
                "cancellation_requested.v1" | "saga_resumed.v1" => {
                    self.start(tasks, recorded, Start::Logged).await;
                }
                "show_cancelled.v1" => {
                    if let Some((StreamKind::Show, id)) = recorded.stream.parts() {
                        tasks.spawn(self.clone().cancel_sales(ShowId(id)));
                    }
                }
                _ => {}
            }
        }
    }

    async fn start(self: &Arc<Self>, tasks: &mut JoinSet<()>, recorded: &Recorded, start: Start) {
        if let Some((StreamKind::Reservation, id)) = recorded.stream.parts() {
            self.enter(tasks, ReservationId(id), recorded.revision, start)
                .await;
        }
    }

    async fn take_found(self: &Arc<Self>, tasks: &mut JoinSet<()>, found: Found) {
        match found {
            Found::Open(id) => self.enter(tasks, id, 0, Start::Logged).await,
            Found::Unsettled { show_id, cancelled } => {
                tasks.spawn(self.clone().wake(show_id));
                if cancelled {
                    tasks.spawn(self.clone().cancel_sales(show_id));
                }
            }
        }
    }

    /// Has a saga driven, unless it is being driven: then its task is told.
    async fn enter(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        id: ReservationId,
        revision: u64,
        start: Start,
    ) {
        let Some(active) = self.registry.enter(id, revision) else {
            return;
        };
        let Some(place) = self.saga_place().await else {
            return;
        };
        tasks.spawn(self.clone().work(active, start, place));
    }

    /// A place for one more saga; waits for it, and so does the broker.
    async fn saga_place(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.saga_places.clone().acquire_owned().await.ok()
    }
}
