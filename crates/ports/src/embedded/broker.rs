//! The broker within one process: a bounded channel per lane, and one per subscription.

use crate::{Broker, BrokerError, Clock, Delivery, Events, Heard, Interest, Lanes, Subscription};
use async_trait::async_trait;
use contract::{Ask, Recorded, Reply, StreamKind};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// How many lanes there are and how much they and the subscriptions may hold.
#[derive(Clone, Copy, Debug)]
pub struct BrokerOptions {
    /// Lanes of each kind.
    pub lanes: usize,
    /// Asks that may wait in one lane; past it, askers are told `Busy`.
    pub mailbox: usize,
    /// Batches that may wait in one subscription; past it, `publish` waits.
    pub subscription: usize,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            lanes: 8,
            mailbox: 4_096,
            subscription: 64,
        }
    }
}

/// The broker within one process. What waits in it is lost with the process: asks are asked again, and events are
/// published again from the log.
pub struct MemoryBroker {
    options: BrokerOptions,
    clock: Arc<dyn Clock>,
    /// By kind of stream; empty where nobody serves.
    lanes: [RwLock<Arc<[mpsc::Sender<Delivery>]>>; StreamKind::ALL.len()],
    subscriptions: RwLock<Vec<Listener>>,
}

#[derive(Clone)]
struct Listener {
    interests: &'static [Interest],
    batches: mpsc::Sender<Vec<Heard>>,
}

impl MemoryBroker {
    /// A broker that nobody serves and nobody listens to yet.
    pub fn new(options: BrokerOptions, clock: Arc<dyn Clock>) -> Arc<Self> {
        let lanes = std::array::from_fn(|_| RwLock::new(Arc::from([])));
        Arc::new(Self {
            options,
            clock,
            lanes,
            subscriptions: RwLock::new(Vec::new()),
        })
    }

    /// Puts an ask into its lane's mailbox.
    fn send(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        let kind = ask.command.service();
        let nobody = || BrokerError::Unavailable(format!("nobody serves the {} lanes", kind.prefix()));
        let (reply, answer) = oneshot::channel();
        let lanes = self.lanes(kind).read().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes
            .get(lane_of(ask.command.key(), lanes.len()))
            .ok_or_else(nobody)?;
        lane.try_send(Delivery { ask, reply, term: 0 })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => BrokerError::Busy,
                mpsc::error::TrySendError::Closed(_) => nobody(),
            })?;
        Ok(answer)
    }

    fn lanes(&self, kind: StreamKind) -> &RwLock<Arc<[mpsc::Sender<Delivery>]>> {
        &self.lanes[kind as usize]
    }

    /// Those that still listen.
    fn subscriptions(&self) -> Vec<Listener> {
        let all = self.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|subscription| subscription.batches.is_closed()) {
            drop(all);
            let mut all = self.subscriptions.write().unwrap_or_else(PoisonError::into_inner);
            all.retain(|subscription| !subscription.batches.is_closed());
            return all.clone();
        }
        all.clone()
    }
}

/// The lane of a key: FNV-1a over the id. Fixed for good: with queues that outlive a process, a key must keep its
/// lane.
pub fn lane_of(key: Uuid, lanes: usize) -> usize {
    let hash = key
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    // The remainder is below `lanes`, so it is a usize again.
    usize::try_from(hash % lanes.max(1) as u64).unwrap_or(0)
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        let deadline = ask.deadline_ms;
        let answer = self.send(ask)?;
        tokio::select! {
            // An answer that is there counts, however late we look.
            biased;
            answer = answer => answer.map_err(|_| BrokerError::NoAnswer),
            () = self.clock.sleep_until(deadline) => Err(BrokerError::NoAnswer),
        }
    }

    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        self.send(ask)
    }

    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError> {
        let mut lanes = self.lanes(kind).write().unwrap_or_else(PoisonError::into_inner);
        if lanes.iter().any(|lane| !lane.is_closed()) {
            return Err(BrokerError::Unavailable(format!(
                "the {} lanes are being served already",
                kind.prefix()
            )));
        }
        let count = self.options.lanes.max(1);
        let (senders, receivers): (Vec<_>, Lanes) = (0..count)
            .map(|_| mpsc::channel(self.options.mailbox.max(1)))
            .unzip();
        *lanes = senders.into();
        Ok(receivers)
    }

    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        let subscriptions = self.subscriptions();
        if subscriptions.is_empty() {
            return Ok(());
        }
        let kinds: Vec<_> = events
            .iter()
            .map(|event| event.stream.parts().map(|(kind, _)| kind))
            .collect();
        for Listener { interests, batches } in subscriptions {
            let covered = |kind: Option<StreamKind>, event: &Recorded| {
                kind.is_some_and(|kind| {
                    interests
                        .iter()
                        .any(|interest| interest.covers(kind, &event.kind))
                })
            };
            let batch: Vec<_> = events
                .iter()
                .zip(&kinds)
                .filter(|(event, kind)| covered(**kind, event))
                .map(|(event, _)| Heard::once(event.clone()))
                .collect();
            if !batch.is_empty() {
                // Waits while the subscriber is behind. One that went away meanwhile is no failure.
                let _ = batches.send(batch).await;
            }
        }
        Ok(())
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError> {
        let (batches, receiver) = mpsc::channel(self.options.subscription.max(1));
        let listener = Listener {
            interests: subscription.interests,
            batches,
        };
        self.subscriptions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
        Ok(receiver)
    }
}
