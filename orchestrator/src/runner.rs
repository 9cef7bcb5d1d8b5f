//! The orchestrator: hears of reservations and has each driven by a task of its own.

use crate::{
    Settings,
    backoff::Backoff,
    meters::Meters,
    recovery::{self, Found},
    registry::Registry,
    saga::Start,
};
use contract::{Position, ReservationId, ShowId, StreamKind};
use ports::{Audience, Broker, Clock, EventLog, Events, Heard, Interest, ReadStore, Receipt, Subscription};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinSet,
};

/// How many finds of the recovery may wait to be started.
const FOUND: usize = 256;
/// How many shows are woken or swept at a time; the others wait.
const SHOWS_AT_ONCE: usize = 32;

/// What the orchestrators of all processes share, each event going to one of them.
pub const SUBSCRIPTION: Subscription = Subscription {
    name: "orchestrator",
    audience: Audience::Shared,
    interests: &[
        Interest {
            kind: StreamKind::Reservation,
            events: &[
                "reservation_requested.v1",
                "cancellation_requested.v1",
                "saga_resumed.v1",
            ],
        },
        Interest {
            kind: StreamKind::Show,
            events: &["show_cancelled.v1"],
        },
    ],
};

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
    /// The shows that the recovery has found and that are being looked after.
    attended: Mutex<BTreeSet<ShowId>>,
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
            attended: Mutex::default(),
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

    /// Waits, unless the program is to end.
    pub(crate) async fn rest(&self, ms: u64) {
        self.clock.sleep_until(self.clock.now().plus_ms(ms)).await;
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
                            self.take_batch(tasks, batch, &mut newest).await;
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

    async fn subscribe(&self) -> Events {
        let mut backoff = Backoff::new(&self.settings);
        loop {
            match self.broker.subscribe(&SUBSCRIPTION).await {
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
        batch: Vec<Heard>,
        newest: &mut Option<Position>,
    ) {
        for Heard {
            event,
            again,
            receipt,
        } in batch
        {
            let Some((kind, id)) = event.stream.parts() else {
                receipt.done();
                continue;
            };
            match (kind, &*event.kind) {
                (StreamKind::Reservation, "reservation_requested.v1") => {
                    // Only a request behind all before it, that nobody had, is known to come for the first time;
                    // another may have been worked on already, which the log tells.
                    let (id, revision) = (ReservationId(id), event.revision);
                    let start = if !again && newest.is_none_or(|newest| event.position > newest) {
                        *newest = Some(event.position);
                        Start::Requested(event)
                    } else {
                        Start::Logged
                    };
                    self.enter(tasks, id, revision, start, receipt).await;
                }
                (StreamKind::Reservation, "cancellation_requested.v1" | "saga_resumed.v1") => {
                    let id = ReservationId(id);
                    self.enter(tasks, id, event.revision, Start::Logged, receipt)
                        .await;
                }
                (StreamKind::Show, "show_cancelled.v1") => {
                    let orchestrator = self.clone();
                    tasks.spawn(async move {
                        if orchestrator.cancel_sales(ShowId(id)).await {
                            receipt.done();
                        }
                    });
                }
                _ => receipt.done(),
            }
        }
    }

    async fn take_found(self: &Arc<Self>, tasks: &mut JoinSet<()>, found: Found) {
        match found {
            Found::Open(id) => self.enter(tasks, id, 0, Start::Logged, Receipt::none()).await,
            Found::Unsettled { show_id, cancelled } => {
                // Found again while it is still being looked after: once is enough.
                if !lock(&self.attended).insert(show_id) {
                    return;
                }
                let orchestrator = self.clone();
                tasks.spawn(async move {
                    orchestrator.clone().wake(show_id).await;
                    if cancelled {
                        orchestrator.clone().cancel_sales(show_id).await;
                    }
                    lock(&orchestrator.attended).remove(&show_id);
                });
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
        receipt: Receipt,
    ) {
        let Some(active) = self.registry.enter(id, revision, receipt) else {
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

/// A set that is only put into and taken from is whole whoever panicked.
fn lock(shows: &Mutex<BTreeSet<ShowId>>) -> MutexGuard<'_, BTreeSet<ShowId>> {
    shows.lock().unwrap_or_else(PoisonError::into_inner)
}
