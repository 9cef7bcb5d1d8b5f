//! The broker: asks to lanes, and events to whoever wants them.

use async_trait::async_trait;
use contract::{Answer, Ask, Recorded, Reply, StreamKind, commands::Failure};
use std::{fmt, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// An ask as a lane receives it.
#[derive(Debug)]
pub struct Delivery {
    /// The ask.
    pub ask: Ask,
    /// Where the reply goes. Dropping it unanswered gives the ask back: a broker that keeps asks delivers it
    /// again, another tells the asker that the outcome is unknown.
    pub reply: oneshot::Sender<Reply>,
    /// Grows whenever another process may have served this lane since the delivery before: what was remembered of
    /// its aggregates may be out of date then. The same for all deliveries of an uninterrupted subscription.
    pub term: u32,
}

/// The mailboxes of the lanes that this process serves, one per lane, each in order.
pub type Lanes = Vec<mpsc::Receiver<Delivery>>;

/// An event as a subscriber hears it.
#[derive(Debug)]
pub struct Heard {
    /// The event.
    pub event: Arc<Recorded>,
    /// It was delivered before, and whoever had it did not say that it was done. False proves nothing: events
    /// may also be published twice.
    pub again: bool,
    /// What tells the broker that the event needs no other reader.
    pub receipt: Receipt,
}

impl Heard {
    /// An event of a broker that keeps none.
    pub fn once(event: Arc<Recorded>) -> Self {
        Self {
            event,
            again: false,
            receipt: Receipt::none(),
        }
    }
}

/// The batches of a subscription, in order.
pub type Events = mpsc::Receiver<Vec<Heard>>;

/// Tells the broker that a shared event was dealt with. Dropped without that, the event is somebody else's as soon
/// as this process is gone from the broker.
#[derive(Default)]
pub struct Receipt(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Receipt {
    /// Nobody needs to be told.
    pub fn none() -> Self {
        Self(None)
    }

    /// Runs this when the event was dealt with; it must not block.
    pub fn new(done: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(done)))
    }

    /// The event was dealt with: nobody else need hear it.
    pub fn done(mut self) {
        if let Some(done) = self.0.take() {
            done();
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Receipt"
        } else {
            "Receipt(none)"
        })
    }
}

/// Who hears the events of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every subscriber hears all that is published while it listens; nothing is kept for one who does not.
    Each,
    /// Subscribers of the same name share the events: each is heard by one of them, a stream's by the same one in
    /// their order as long as it listens. A broker that keeps queues keeps what nobody has heard, and gives what
    /// was heard without [`Receipt::done`] to another.
    Shared,
}

/// Which events a subscriber wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Of streams of this kind …
    pub kind: StreamKind,
    /// … those with these names and versions; empty = all.
    pub events: &'static [&'static str],
}

impl Interest {
    /// All events of this kind of stream.
    pub const fn all(kind: StreamKind) -> Self {
        Self { kind, events: &[] }
    }

    /// Whether it is about this event.
    pub fn covers(&self, kind: StreamKind, event: &str) -> bool {
        self.kind == kind && (self.events.is_empty() || self.events.contains(&event))
    }
}

/// What somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its name, by which [`Audience::Shared`] subscribers find together.
    pub name: &'static str,
    /// Who hears it.
    pub audience: Audience,
    /// What is heard.
    pub interests: &'static [Interest],
}

/// Why the broker could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The mailbox is full: nothing was taken.
    #[error("the lane's mailbox is full")]
    Busy,
    /// Nothing was taken: the broker is away, or nobody serves these lanes.
    #[error("the broker is unavailable: {0}")]
    Unavailable(String),
    /// The ask was taken, or may have been, and was not answered in time: it may still be carried out. Ask again
    /// under the same id.
    #[error("no answer in time")]
    NoAnswer,
}

impl From<BrokerError> for Answer {
    fn from(error: BrokerError) -> Answer {
        Answer::Failed(match error {
            BrokerError::Busy => Failure::Busy {
                retry_after_ms: 1_000,
            },
            BrokerError::Unavailable(what) => Failure::Unavailable { what },
            BrokerError::NoAnswer => Failure::Unknown {
                what: "the lane did not answer in time".into(),
            },
        })
    }
}

/// How asks reach lanes and events reach their readers.
///
/// - An ask goes to the one lane that its key hashes to; asks with the same key are delivered in the order in
///   which they were accepted. At least once: a lane may see an ask twice.
/// - `publish` returns when the broker has confirmed. Subscribers get every event at least once and each
///   stream's events in order.
/// - Every queue is bounded.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Sends an ask and waits for its reply, until the ask's deadline.
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError>;

    /// Sends an ask and returns when the broker has taken it; the reply comes later, or the sender is dropped
    /// when it is known that none will. With [`Broker::keeps_asks`], what was taken survives a crash of every
    /// process and is delivered until it is answered.
    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError>;

    /// Whether asks that were taken outlive the processes that sent and serve them.
    fn keeps_asks(&self) -> bool {
        false
    }

    /// Serves the lanes of a kind. Once per process and kind.
    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError>;

    /// Publishes events, in order.
    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError>;

    /// Receives events in batches. The channel closes when the broker is lost: subscribe again, and look up what
    /// was missed.
    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError>;
}
