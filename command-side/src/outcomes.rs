//! Outcomes: what becomes of the reservations that somebody waits for.
//!
//! One subscription to the reservation streams serves every waiting request. Events of reservations that nobody
//! waits for cost one look-up. Nothing here is stored: whoever asks again after a crash is told from the log.
//!
//! Deliberately absent: polling, and the read models (a waiter would wait for the projector too).

use contract::{Position, Recorded, ReservationId, StreamKind, StreamName, Unreadable};
use metrics::{Counter, Gauge, counter, gauge};
use ports::{Audience, Broker, BrokerError, Clock, EventLog, Events, Interest, Subscription};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;
use uuid::Uuid;
use views::reservation::{self, Reservation};

/// How many maps share the load.
const SHARDS: usize = 16;
/// How many events of one reservation may arrive before the waiter has read what came before them. A saga that
/// writes more while one stream is read is no saga of ours; the waiter would miss the outcome and answer 202.
const EARLY_EVENTS: usize = 64;

/// A reservation as far as its events have come.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// The reservation; `None` before its first event.
    pub reservation: Option<Reservation>,
    /// Where its last event stands in the log.
    pub position: Option<Position>,
}

impl Followed {
    /// Has the saga come to rest?
    pub fn is_settled(&self) -> bool {
        self.reservation
            .as_ref()
            .is_some_and(|reservation| reservation.settled_at_ms.is_some())
    }

    fn next_revision(&self) -> u64 {
        self.reservation
            .as_ref()
            .map_or(0, |reservation| reservation.revision + 1)
    }

    /// Takes an event in; false when one before it is missing.
    fn take(&mut self, recorded: &Recorded) -> Result<bool, Unreadable> {
        if recorded.revision > self.next_revision() {
            return Ok(false);
        }
        if recorded.revision == self.next_revision() {
            let decoded = recorded.decode()?;
            self.reservation = reservation::evolve(self.reservation.take(), &decoded.0, recorded.revision);
            self.position = Some(recorded.position);
        }
        Ok(true)
    }
}

/// Those who wait, by reservation.
pub struct Outcomes {
    shards: [Mutex<HashMap<Uuid, Entry>>; SHARDS],
    waiting: Gauge,
    events: Counter,
}

struct Entry {
    /// How many wait; the entry goes with the last.
    waiters: usize,
    followed: watch::Sender<Followed>,
    /// Events that came before those between them and `followed` were read.
    early: Vec<Arc<Recorded>>,
}

impl Entry {
    /// Takes an event in, and those that waited for it.
    fn take(&mut self, recorded: &Arc<Recorded>) {
        let mut missing = false;
        let early = &mut self.early;
        self.followed.send_if_modified(|followed| {
            let read = followed.take(recorded).and_then(|fits| {
                missing = !fits;
                for event in std::mem::take(early) {
                    if !followed.take(&event)? {
                        early.push(event);
                    }
                }
                Ok(())
            });
            if let Err(error) = read {
                tracing::error!(stream = %recorded.stream, revision = recorded.revision, %error,
                    "an event cannot be read; whoever waits is answered without it");
            }
            // Waking somebody costs more than an event: they are woken once, for the outcome.
            followed.is_settled()
        });
        if missing && self.early.len() < EARLY_EVENTS {
            self.early.push(recorded.clone());
        }
    }
}

/// What every process that answers buyers listens to.
const SUBSCRIPTION: Subscription = Subscription {
    name: "outcomes",
    audience: Audience::Each,
    interests: &[Interest::all(StreamKind::Reservation)],
};
/// The pause before the next try to subscribe.
const SUBSCRIBE_AGAIN_MS: u64 = 250;

/// Begins to follow the reservation streams, until `shutdown` turns true. The subscription stands when this
/// returns; when the broker is lost it is made again, and those who wait are told from the log what they missed.
///
/// # Errors
/// When the broker refuses the first subscription.
pub async fn start(
    broker: Arc<dyn Broker>,
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    shutdown: watch::Receiver<bool>,
) -> Result<Arc<Outcomes>, BrokerError> {
    let events = broker.subscribe(&SUBSCRIPTION).await?;
    let outcomes = Arc::new(Outcomes::new());
    let followed = outcomes.clone();
    let mut stop = shutdown;
    tokio::spawn(async move {
        tokio::select! {
            () = follow(&followed, events, &*broker, &*log, &*clock) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    });
    Ok(outcomes)
}

async fn follow(
    outcomes: &Outcomes,
    mut events: Events,
    broker: &dyn Broker,
    log: &dyn EventLog,
    clock: &dyn Clock,
) {
    loop {
        while let Some(batch) = events.recv().await {
            let batch: Vec<_> = batch.into_iter().map(|heard| heard.event).collect();
            outcomes.take(&batch);
        }
        tracing::warn!("the broker closed the subscription to outcomes; it is made again");
        events = loop {
            clock.sleep_until(clock.now().plus_ms(SUBSCRIBE_AGAIN_MS)).await;
            match broker.subscribe(&SUBSCRIPTION).await {
                Ok(events) => break events,
                Err(error) => tracing::debug!(%error, "the subscription to outcomes is not there yet"),
            }
        };
        outcomes.look_up(log).await;
    }
}

impl Outcomes {
    /// Outcomes that hear of events only through [`Outcomes::take`].
    pub fn new() -> Self {
        Self {
            shards: Default::default(),
            waiting: gauge!("eventflow_outcomes_waiting"),
            events: counter!("eventflow_outcomes_events_total"),
        }
    }

    /// Takes events in, each stream's in order. Events that were taken before change nothing.
    pub fn take(&self, batch: &[Arc<Recorded>]) {
        self.events.increment(batch.len() as u64);
        for recorded in batch {
            if let Some((StreamKind::Reservation, id)) = recorded.stream.parts()
                && let Some(entry) = self.shard(id).get_mut(&id)
            {
                entry.take(recorded);
            }
        }
    }

    /// Begins to wait for a reservation. Called before the command that makes it is sent, so that no event can
    /// come unheard.
    pub fn register(self: &Arc<Self>, id: ReservationId) -> Waiter {
        let mut shard = self.shard(id.0);
        let entry = shard.entry(id.0).or_insert_with(|| Entry {
            waiters: 0,
            followed: watch::Sender::new(Followed::default()),
            early: Vec::new(),
        });
        entry.waiters += 1;
        self.waiting.increment(1.0);
        Waiter {
            id,
            followed: entry.followed.subscribe(),
            outcomes: self.clone(),
        }
    }

    /// Reads what became of all reservations that somebody waits for. One that cannot be read is answered as far
    /// as it is known.
    async fn look_up(&self, log: &dyn EventLog) {
        let waiting: Vec<Uuid> = self
            .shards
            .iter()
            .flat_map(|shard| {
                let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
                shard.keys().copied().collect::<Vec<_>>()
            })
            .collect();
        for id in waiting {
            let stream = StreamName::reservation(ReservationId(id));
            match log.read(&stream, 0, EARLY_EVENTS).await {
                Ok(events) => self.take(&events),
                Err(error) => tracing::warn!(%stream, %error, "an outcome cannot be looked up"),
            }
        }
    }

    fn shard(&self, id: Uuid) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        let shard = &self.shards[usize::from(id.as_bytes()[15]) % SHARDS];
        // A fold that panicked has left one reservation as it was before the event; the map is whole.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Outcomes {
    fn default() -> Self {
        Self::new()
    }
}

/// Somebody who waits for a reservation. Dropping it ends the wait and changes nothing else.
pub struct Waiter {
    id: ReservationId,
    followed: watch::Receiver<Followed>,
    outcomes: Arc<Outcomes>,
}

impl Waiter {
    /// The stream that is followed.
    pub fn stream(&self) -> StreamName {
        StreamName::reservation(self.id)
    }

    /// Tells what the log says already: for a reservation that existed before the wait began. Events between
    /// this and what the subscription brings are not lost, whichever comes first.
    pub fn seed(&self, events: &[Arc<Recorded>]) {
        self.outcomes.take(events);
    }

    /// Tells how a reservation begins, to whoever has made it: its first event need not come around first.
    pub fn begin(&self, reservation: Option<Reservation>, position: Option<Position>) {
        if let Some(entry) = self.outcomes.shard(self.id.0).get_mut(&self.id.0) {
            entry.followed.send_if_modified(|followed| {
                if followed.reservation.is_none() {
                    *followed = Followed {
                        reservation,
                        position,
                    };
                }
                false
            });
        }
    }

    /// The reservation as far as it is known now.
    pub fn now(&self) -> Followed {
        self.followed.borrow().clone()
    }

    /// Waits until the saga has come to rest, or until `until`, and tells how far it is then.
    pub async fn settled(&mut self, clock: &dyn Clock, until: contract::Timestamp) -> Followed {
        if until > clock.now() {
            tokio::select! {
                biased;
                // The sender lives in the entry, which lives as long as this waiter.
                _ = self.followed.wait_for(Followed::is_settled) => {}
                () = clock.sleep_until(until) => {}
            }
        }
        self.now()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut shard = self.outcomes.shard(self.id.0);
        if let Some(entry) = shard.get_mut(&self.id.0) {
            entry.waiters -= 1;
            if entry.waiters == 0 {
                shard.remove(&self.id.0);
            }
        }
        drop(shard);
        self.outcomes.waiting.decrement(1.0);
    }
}

#[cfg(test)]
mod tests;
