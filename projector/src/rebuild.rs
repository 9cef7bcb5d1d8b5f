//! A rebuild: a new generation of all documents beside the one that readers see, and a swap when it has caught
//! up. Selling and reading go on.
//!
//! The rebuild projects the log into the new generation by itself. At the end somebody has to decide at which
//! event the old generation stops and the new one goes on, and only the writer of the active generation can:
//! so the rebuild *hands over* its generation to the run, which brings it to where it is itself, activates it,
//! and goes on with it. No event is applied to the old one only, and readers never go back. When no run is
//! alive (an offline rebuild), the rebuild becomes the writer and does the same.

use crate::{
    Options, Projector,
    item::Item,
    projection::{Ports, ProjectError, Projection},
};
use contract::Position;
use ports::{Generation, LogError};
use std::sync::{Arc, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// How many batches may be read and decoded ahead.
const READ_AHEAD: usize = 2;
/// How many times a rebuild follows the run at the most before it hands over. Each time less is missing, as long as the
/// store keeps up with two that write.
const CLOSER: usize = 8;

/// What a rebuild came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The generation that readers see now.
    pub generation: Generation,
    /// How far it was when they began to see it.
    pub position: Option<Position>,
    /// How many events were projected before the handover.
    pub events: u64,
    /// How many streams could not be read and are parked.
    pub parked: usize,
}

/// Why a rebuild came to nothing. Readers still see what they saw before; it can be started again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another rebuild is at work, or one that was abandoned is just being taken over.
    #[error("another rebuild is at work")]
    Running,
    /// The log or the read store failed.
    #[error(transparent)]
    Failed(#[from] ProjectError),
    /// The run failed or ended while it was taking over.
    #[error("the projector ended or failed while it was taking over")]
    Interrupted,
}

impl From<LogError> for RebuildError {
    fn from(error: LogError) -> Self {
        Self::Failed(error.into())
    }
}

/// A generation that has almost caught up, on its way to the writer.
pub(crate) struct Handover {
    projection: Projection,
    done: oneshot::Sender<Rebuilt>,
    events: u64,
    /// No other rebuild begins before this one is over, also when whoever started it has gone.
    _one_at_a_time: OwnedSemaphorePermit,
}

impl Handover {
    /// Brings the generation to `at` or beyond, activates it, and gives it to go on with.
    pub async fn take_over(
        mut self,
        at: Option<Position>,
        ports: &Ports,
        options: Options,
    ) -> Result<Projection, ProjectError> {
        self.activate(at, ports, options).await?;
        Ok(self.finish())
    }

    async fn activate(
        &mut self,
        at: Option<Position>,
        ports: &Ports,
        options: Options,
    ) -> Result<(), ProjectError> {
        self.projection.catch_up(at, options.rebuild_events).await?;
        Ok(ports.store.activate(self.projection.generation()).await?)
    }

    fn finish(self) -> Projection {
        let Self {
            projection,
            done,
            events,
            _one_at_a_time,
        } = self;
        let (generation, position) = (projection.generation(), projection.position());
        tracing::info!(
            generation = generation.0,
            ?position,
            "readers see the rebuilt documents"
        );
        // Whoever started the rebuild may have gone; it is done all the same.
        let _ = done.send(Rebuilt {
            generation,
            position,
            events,
            parked: projection.parked(),
        });
        projection
    }
}

/// Takes back a handover that nobody has taken, when whoever started the rebuild stops waiting.
struct Offer<'a>(&'a Projector);

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.0.take_handover();
    }
}

impl Projector {
    /// Projects the whole log anew beside the documents that readers see, and swaps. Works while
    /// [`Projector::run`] runs and when it does not. `progress` is told how far it is: the position that was
    /// reached and the log's head when it began.
    ///
    /// # Errors
    /// [`RebuildError`]; readers then still see the old documents.
    pub async fn rebuild(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rebuilt, RebuildError> {
        let one_at_a_time = self
            .rebuilds
            .clone()
            .try_acquire_owned()
            .map_err(|_| RebuildError::Running)?;
        let generation = self.ports.store.begin().await.map_err(ProjectError::from)?;
        let mut projection = Projection::start(self.ports.clone(), generation, self.options);
        let events = self.project_all(&mut projection, progress).await?;
        self.come_close(&mut projection).await?;
        self.hand_over(projection, events, one_at_a_time).await
    }

    /// From the start of the log to what was its head when this began: it moves on. Reading and decoding run ahead of
    /// applying.
    async fn project_all(
        &self,
        projection: &mut Projection,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<u64, RebuildError> {
        let head = self.ports.log.head().await?;
        let total = head.map_or(0, |head| head.0);
        let mut batches = read_ahead(self.ports.clone(), head, self.options.rebuild_events);
        let mut events = 0;
        progress(0, total);
        while let Some(batch) = batches.recv().await {
            let items = batch?;
            projection.apply(&items).await?;
            events += items.len() as u64;
            let done = projection.position().map_or(0, |position| position.0);
            progress(done, total.max(done));
        }
        Ok(events)
    }

    /// What was appended while the rest was projected: readers get nothing new while the run takes over, so that is
    /// to be short.
    async fn come_close(&self, projection: &mut Projection) -> Result<(), RebuildError> {
        let mut took_before = u64::MAX;
        for _ in 0..CLOSER {
            let readers = self.applied_by_run();
            if projection.position() >= readers {
                break;
            }
            let begun = self.ports.clock.now();
            projection.catch_up(readers, self.options.rebuild_events).await?;
            let took = self.ports.clock.now().ms_since(begun);
            // No less was missing: the store cannot keep up with two that write, and one alone is quicker.
            if took.saturating_mul(4) > took_before.saturating_mul(3) {
                break;
            }
            took_before = took;
        }
        Ok(())
    }

    async fn hand_over(
        &self,
        projection: Projection,
        events: u64,
        one_at_a_time: OwnedSemaphorePermit,
    ) -> Result<Rebuilt, RebuildError> {
        let (done, mut outcome) = oneshot::channel();
        let handover = Handover {
            projection,
            done,
            events,
            _one_at_a_time: one_at_a_time,
        };
        let _offer = Offer(self);
        *self.handover.lock().unwrap_or_else(PoisonError::into_inner) = Some(handover);
        self.handed_over.notify_one();
        tokio::select! {
            biased;
            rebuilt = &mut outcome => return rebuilt.map_err(|_| RebuildError::Interrupted),
            // No run is alive, or it ended without taking the handover: this rebuild is the writer.
            _writer = self.writer.lock() => if let Some(handover) = self.take_handover() {
                self.finish_alone(handover).await?;
            },
        }
        outcome.await.map_err(|_| RebuildError::Interrupted)
    }

    /// No run of this process writes. Of another there may be one, when this process has lost the lead: the store does
    /// not let readers go back, so this is tried again from where they are.
    async fn finish_alone(&self, mut handover: Handover) -> Result<(), ProjectError> {
        let mut tries = CLOSER;
        loop {
            let active = self.ports.store.active().await?;
            let at = self.ports.store.checkpoint(active).await?;
            tries -= 1;
            match handover.activate(at, &self.ports, self.options).await {
                Ok(()) => break,
                Err(error) if tries == 0 => return Err(error),
                Err(error) => tracing::warn!(%error, "the rebuild could not be finished; tried again"),
            }
        }
        handover.finish();
        Ok(())
    }
}

/// Reads the log from its start and decodes it, a few batches ahead, up to a position. Ends when the receiver is
/// dropped.
fn read_ahead(
    ports: Ports,
    until: Option<Position>,
    batch_events: usize,
) -> mpsc::Receiver<Result<Vec<Item>, LogError>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    tokio::spawn(async move {
        let mut position = None;
        loop {
            let batch = ports.log.read_all(position, batch_events).await;
            let batch = batch.map(Item::read_all);
            let Ok(items) = &batch else {
                let _ = sender.send(batch).await;
                return;
            };
            let empty = items.is_empty();
            position = items.last().map(|item| item.recorded.position).or(position);
            if empty || sender.send(batch).await.is_err() || position >= until {
                return;
            }
        }
    });
    receiver
}

// The projector is shared between the run and whoever asks for a rebuild.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<Projector>>();
};
