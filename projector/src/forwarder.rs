//! The forwarder: the log is the only outbox, this carries it to the broker.

use crate::{Shutdown, backoff::Backoff, item::decided_at, told_to_end};
use contract::{Position, Recorded, Timestamp};
use metrics::{counter, gauge};
use ports::{Broker, BrokerError, Clock, EventLog, LogError, ReadStore, StoreError, Tail};
use std::{convert::Infallible, sync::Arc};

/// What can be set.
#[derive(Clone, Copy, Debug)]
pub struct ForwarderOptions {
    /// The name under which the mark is saved.
    pub mark: &'static str,
    /// How many events are published at once.
    pub batch_events: usize,
    /// The mark is saved at most this often. What was published behind it is published again after a crash.
    pub mark_every_ms: u64,
}

impl Default for ForwarderOptions {
    fn default() -> Self {
        Self {
            mark: "forwarder",
            batch_events: 1_024,
            mark_every_ms: 1_000,
        }
    }
}

/// Publishes every event of this platform's streams to the broker, in order, at least once.
pub struct Forwarder {
    log: Arc<dyn EventLog>,
    store: Arc<dyn ReadStore>,
    broker: Arc<dyn Broker>,
    clock: Arc<dyn Clock>,
    options: ForwarderOptions,
}

#[derive(Debug, thiserror::Error)]
enum ForwardError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// How far the broker has confirmed, and how much of that is saved.
struct Mark {
    confirmed: Option<Position>,
    saved: Option<Position>,
    save_at: Timestamp,
}

impl Forwarder {
    /// A forwarder; [`Forwarder::run`] starts it. Once per mark.
    pub fn new(
        log: Arc<dyn EventLog>,
        store: Arc<dyn ReadStore>,
        broker: Arc<dyn Broker>,
        clock: Arc<dyn Clock>,
        options: ForwarderOptions,
    ) -> Self {
        Self {
            log,
            store,
            broker,
            clock,
            options,
        }
    }

    /// Goes on at its mark (without one, at the start of the log) and follows the log until `shutdown`, saving
    /// the mark at the end. What fails is tried again, with growing pauses.
    pub async fn run(&self, mut shutdown: Shutdown) {
        let mut mark = Mark {
            confirmed: None,
            saved: None,
            save_at: self.clock.now(),
        };
        tokio::select! {
            // Whatever is being waited for when it ends: what is not confirmed is published again.
            () = told_to_end(&mut shutdown) => {}
            never = self.forward(&mut mark) => match never {},
        }
        if let Err(error) = self.save(&mut mark).await {
            tracing::warn!(%error, "the forwarder's mark was not saved; some events will be published again");
        }
    }

    async fn forward(&self, mark: &mut Mark) -> Infallible {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.follow(mark, &mut backoff).await;
            counter!("eventflow_forwarder_failures_total").increment(1);
            tracing::warn!(%error, "forwarding failed; it is tried again");
            backoff.wait(&*self.clock).await;
        }
    }

    /// Follows the log until the first error.
    async fn follow(&self, mark: &mut Mark, backoff: &mut Backoff) -> Result<Infallible, ForwardError> {
        if mark.confirmed.is_none() {
            mark.saved = self.store.mark(self.options.mark).await?;
            mark.confirmed = mark.saved;
        }
        let mut tail: Box<dyn Tail> = self.log.tail(mark.confirmed).await?;
        loop {
            tokio::select! {
                biased;
                events = tail.next(self.options.batch_events) => {
                    self.publish(events?, mark).await?;
                    backoff.reset();
                }
                // The last events before a pause.
                () = self.clock.sleep_until(mark.save_at), if mark.is_unsaved() => {}
            }
            if mark.is_unsaved()
                && self.clock.now() >= mark.save_at
                && let Err(error) = self.save(mark).await
            {
                // What sells tickets does not wait for what is read: without the read store the mark is in memory,
                // and a restart publishes a little more again.
                tracing::warn!(%error, "the forwarder's mark is not saved; it goes on");
                mark.save_at = self.clock.now().plus_ms(self.options.mark_every_ms);
            }
        }
    }

    async fn publish(&self, events: Vec<Arc<Recorded>>, mark: &mut Mark) -> Result<(), ForwardError> {
        let Some((position, at)) = events.last().map(|last| (last.position, decided_at(last))) else {
            return Ok(());
        };
        let mut own = events;
        own.retain(|event| event.stream.parts().is_some());
        if !own.is_empty() {
            self.broker.publish(&own).await?;
        }
        mark.confirmed = Some(position);
        counter!("eventflow_forwarder_events_total").increment(own.len() as u64);
        gauge!("eventflow_forwarder_position").set(position.0 as f64);
        if let Some(at) = at {
            gauge!("eventflow_forwarder_lag_ms").set(self.clock.now().ms_since(at) as f64);
        }
        Ok(())
    }

    async fn save(&self, mark: &mut Mark) -> Result<(), StoreError> {
        if let Some(confirmed) = mark.confirmed.filter(|_| mark.is_unsaved()) {
            self.store.set_mark(self.options.mark, confirmed).await?;
            mark.saved = Some(confirmed);
        }
        mark.save_at = self.clock.now().plus_ms(self.options.mark_every_ms);
        Ok(())
    }
}

impl Mark {
    fn is_unsaved(&self) -> bool {
        self.confirmed != self.saved
    }
}
