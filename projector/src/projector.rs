//! The run that keeps the read models up to date.

use crate::{
    Health, Shutdown,
    backoff::{self, Backoff},
    item::{Item, decided_at},
    projection::{Ports, ProjectError, Projection},
    rebuild::Handover,
    told_to_end,
};
use contract::{
    Position,
    collections::{Collection, SEARCHED},
};
use metrics::{counter, histogram};
use ports::{Clock, EventLog, ReadStore, StoreError};
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::sync::{Notify, Semaphore, watch};

/// Fewer events than these are not taken at once, however often it failed.
const FEWEST_EVENTS: usize = 32;

/// How often the lag is looked at.
const LAG_EVERY_MS: u64 = 1_000;

/// From how many events in a batch on there is enough going on for the next batch to gather first …
const GATHER_FROM_EVENTS: usize = 16;
/// … for so long. A purchase changes its reservation's document three times within some ten milliseconds; written
/// together they are one. Readers who need their own write say so with a position, and wait as long at the most.
const GATHER_MS: u64 = 40;

/// What can be set.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many events one change set has at the most. As many are taken as are there, so batches are small when
    /// there is little to do, and readers wait little.
    pub batch_events: usize,
    /// How many events a rebuild takes at once.
    pub rebuild_events: usize,
    /// About how many bytes of documents are kept in memory.
    pub cache_bytes: u64,
    /// Only documents of these collections are kept.
    pub collections: &'static [&'static Collection],
    /// The label `store` of this run's metrics, which tells the runs of one process apart.
    pub label: &'static str,
    /// A mark that is set in the store once the run has come to what was the end of the log when it began: for
    /// stores that may lose everything, and the mark with it, and must know whether what is missing does not exist.
    pub complete_mark: Option<&'static str>,
    /// The longest pause before what failed is tried again.
    pub longest_pause_ms: u64,
}

impl Options {
    pub(crate) fn keeps(&self, collection: &Collection) -> bool {
        self.collections.iter().any(|kept| kept.name == collection.name)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_events: 4_096,
            rebuild_events: 8_192,
            cache_bytes: 8 << 20,
            collections: &SEARCHED,
            label: "views",
            complete_mark: None,
            longest_pause_ms: backoff::LONGEST_MS,
        }
    }
}

/// Keeps the documents of `views` in the read store: one run for the whole log and all collections, or for those that
/// the options name.
pub struct Projector {
    pub(crate) ports: Ports,
    pub(crate) options: Options,
    health: Arc<Health>,
    /// Whoever holds this is the one writer of the active generation: the run as long as it lives, otherwise a
    /// rebuild that comes to its end.
    pub(crate) writer: tokio::sync::Mutex<()>,
    /// Where a rebuild hands over its generation to the writer.
    pub(crate) handover: Mutex<Option<Handover>>,
    /// Tells the run to look there.
    pub(crate) handed_over: Notify,
    /// One rebuild at a time.
    pub(crate) rebuilds: Arc<Semaphore>,
    /// How many events are taken at once: fewer after a failure, for it may be that the store is too slow for so many,
    /// and would be with the same again.
    batch_events: AtomicUsize,
}

impl Projector {
    /// A projector; [`Projector::run`] starts it.
    pub fn new(
        log: Arc<dyn EventLog>,
        store: Arc<dyn ReadStore>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Self {
        Self {
            ports: Ports { log, store, clock },
            options,
            health: Arc::new(Health::of(options.label)),
            writer: tokio::sync::Mutex::default(),
            handover: Mutex::default(),
            handed_over: Notify::new(),
            rebuilds: Arc::new(Semaphore::new(1)),
            batch_events: AtomicUsize::new(options.batch_events),
        }
    }

    /// How it is doing.
    pub fn health(&self) -> Arc<Health> {
        self.health.clone()
    }

    /// Goes on at the checkpoint of the active generation, tries parked streams again, and follows the log until
    /// `shutdown`. Returns only then: what fails is tried again from the checkpoint, with growing pauses. A
    /// second run waits until the first has ended.
    pub async fn run(&self, mut shutdown: Shutdown) {
        // Whatever is being waited for when it ends: a change set is applied as a whole or not at all.
        tokio::select! {
            () = told_to_end(&mut shutdown) => {}
            never = self.project() => match never {},
            never = self.watch_lag() => match never {},
        }
    }

    async fn project(&self) -> Infallible {
        // Held as long as the run lives: not to guard a critical section, but to be the writer.
        let _writer = self.writer.lock().await;
        let mut backoff = Backoff::up_to(self.options.longest_pause_ms);
        loop {
            let Err(error) = self.follow(&mut backoff).await;
            self.health.set_failing(true);
            let fewer =
                (self.batch_events.load(Relaxed) / 2).max(FEWEST_EVENTS.min(self.options.batch_events));
            self.batch_events.store(fewer, Relaxed);
            counter!("eventflow_projection_failures_total", "store" => self.options.label).increment(1);
            tracing::warn!(%error, "projecting failed; it is tried again from the checkpoint");
            backoff.wait(&*self.ports.clock).await;
        }
    }

    /// Follows the log until the first error.
    async fn follow(&self, backoff: &mut Backoff) -> Result<Infallible, ProjectError> {
        let mut projection = Projection::open_active(self.ports.clone(), self.options).await?;
        projection.retry_parked().await?;
        let end = self.ports.log.head().await?;
        self.health
            .set_failing(projection.position() < end && self.health.is_failing());
        let (mut stored, mut complete) = (self.ports.store.applied(), false);
        loop {
            self.health
                .set_progress(projection.position(), projection.parked());
            let mut tail = self.ports.log.tail(projection.position()).await?;
            let handover = loop {
                if !complete && projection.position() >= end {
                    complete = self.mark_complete(projection.position()).await?;
                }
                tokio::select! {
                    biased;
                    () = self.handed_over.notified() => if let Some(handover) = self.take_handover() {
                        break handover;
                    },
                    () = lost(&mut stored, projection.position()) => return Err(lost_error()),
                    events = tail.next(self.batch_events.load(Relaxed)) => {
                        let items = Item::read_all(events?);
                        projection.apply(&items).await?;
                        self.applied(&projection, &items);
                        backoff.reset();
                        let more = (self.batch_events.load(Relaxed) * 2).min(self.options.batch_events);
                        self.batch_events.store(more, Relaxed);
                        if projection.position() >= end {
                            self.health.set_failing(false);
                        }
                        if items.len() >= GATHER_FROM_EVENTS && projection.position() >= self.ports.log.head().await? {
                            let clock = &self.ports.clock;
                            clock.sleep_until(clock.now().plus_ms(GATHER_MS)).await;
                        }
                    }
                }
            };
            projection = handover
                .take_over(projection.position(), &self.ports, self.options)
                .await?;
        }
    }

    /// Tells the store that its documents are complete. False when there was nothing to be complete about yet.
    async fn mark_complete(&self, position: Option<Position>) -> Result<bool, StoreError> {
        if let (Some(mark), Some(position)) = (self.options.complete_mark, position) {
            self.ports.store.set_mark(mark, position).await?;
        }
        Ok(position.is_some())
    }

    /// How far the run of this process has come; `None` when there is none.
    pub(crate) fn applied_by_run(&self) -> Option<Position> {
        self.health.applied()
    }

    pub(crate) fn take_handover(&self) -> Option<Handover> {
        // The slot is only put into and taken from: whoever panicked holding it left it whole.
        self.handover
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn applied(&self, projection: &Projection, items: &[Item]) {
        self.health
            .set_progress(projection.position(), projection.parked());
        if let Some(at) = items.last().and_then(|item| decided_at(&item.recorded)) {
            let age_ms = self.ports.clock.now().ms_since(at);
            histogram!("eventflow_projection_delay_seconds", "store" => self.options.label)
                .record(age_ms as f64 / 1_000.0);
        }
    }

    /// Once a second: how old is the oldest event that readers do not see yet?
    async fn watch_lag(&self) -> Infallible {
        loop {
            let next = self.ports.clock.now().plus_ms(LAG_EVERY_MS);
            self.ports.clock.sleep_until(next).await;
            let applied = self.health.applied();
            let Ok(head) = self.ports.log.head().await else {
                continue;
            };
            if head <= applied {
                self.health.set_lag_ms(0);
                continue;
            }
            let Ok(events) = self.ports.log.read_all(applied, 1).await else {
                continue;
            };
            if let Some(at) = events.first().and_then(|event| decided_at(event)) {
                self.health.set_lag_ms(self.ports.clock.now().ms_since(at));
            }
        }
    }
}

/// Returns when the store has less than was applied: it was wiped, or came back with an older state.
async fn lost(stored: &mut watch::Receiver<Option<Position>>, applied: Option<Position>) {
    // A store that has not said yet how far it is has lost nothing.
    let was_there = stored.wait_for(|stored| *stored >= applied).await.is_ok();
    if !was_there || stored.wait_for(|stored| *stored < applied).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn lost_error() -> ProjectError {
    StoreError::Unavailable("it no longer has what was applied to it".into()).into()
}
