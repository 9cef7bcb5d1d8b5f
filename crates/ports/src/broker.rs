//! The broker: asks to lanes, and events to whoever wants them.

use async_trait::async_trait;
use contract::{Answer, Ask, Recorded, Reply, StreamKind, commands::Failure};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// An ask as a lane receives it.
#[derive(Debug)]
pub struct Delivery {
    /// The ask.
    pub ask: Ask,
    /// Where the reply goes. Dropping it unanswered tells the asker that the outcome is unknown.
    pub reply: oneshot::Sender<Reply>,
}

/// The mailboxes of the lanes that this process serves, one per lane, each in order.
pub type Lanes = Vec<mpsc::Receiver<Delivery>>;

/// Why the broker could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The mailbox is full: nothing was taken.
    #[error("the lane's mailbox is full")]
    Busy,
    /// Nothing was taken: the broker is away, or nobody serves these lanes.
    #[error("the broker is unavailable: {0}")]
    Unavailable(String),
    /// The ask was taken and not answered in time: it may still be carried out. Ask again under the same id.
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

    /// Serves the lanes of a kind. Once per process and kind.
    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError>;

    /// Publishes events, in order.
    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError>;

    /// Receives the events of these kinds of stream, in batches. `name` names the subscription: with a broker
    /// that keeps queues, equal names share one.
    async fn subscribe(
        &self,
        name: &str,
        kinds: &[StreamKind],
    ) -> Result<mpsc::Receiver<Vec<Arc<Recorded>>>, BrokerError>;
}
