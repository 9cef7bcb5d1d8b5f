//! The log: the only authority. Everything else can be rebuilt from it.

use async_trait::async_trait;
use contract::{NewEvent, Position, Recorded, Revision, StreamName};
use std::sync::Arc;

/// What the writer believes of the stream. There is no blind append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The stream does not exist.
    NoStream,
    /// The stream's last event has this revision.
    Exactly(Revision),
}

impl Expected {
    /// What a writer expects that would write `next` as the next revision.
    pub fn before(next: Revision) -> Self {
        next.checked_sub(1).map_or(Self::NoStream, Self::Exactly)
    }

    /// The revision that the first appended event gets. Saturates: no stream is that long.
    pub fn next(self) -> Revision {
        match self {
            Self::NoStream => 0,
            Self::Exactly(revision) => revision.saturating_add(1),
        }
    }
}

/// Where an append ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the last event.
    pub position: Position,
    /// The revision of the last event.
    pub revision: Revision,
}

/// Why an append did not succeed, or is not known to have.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not where it was expected; nothing was written.
    #[error("the stream is at {current:?}, not where it was expected")]
    Conflict {
        /// Its last revision; `None` when it does not exist.
        current: Option<Revision>,
    },
    /// It may or may not have been written: read back by event id before anything is decided.
    #[error("unknown whether the append was written: {0}")]
    Unknown(String),
    /// Nothing was written: the log is away, full or overloaded.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// Nothing was written: no events, or more than [`MAX_APPEND_EVENTS`] or [`MAX_EVENT_BYTES`].
    #[error("the append is not acceptable: {0}")]
    Unacceptable(String),
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log is away; try again.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// What is stored is damaged.
    #[error("the log is damaged: {0}")]
    Damaged(String),
}

/// How many events one append may have.
pub const MAX_APPEND_EVENTS: usize = 4_096;
/// How large one event's data and metadata may be together.
pub const MAX_EVENT_BYTES: usize = 4 << 20;

/// Append-only streams of events, and all of them in one order.
///
/// - **Durable**: when `append` returns `Ok`, the events survive a crash of the machine.
/// - **All or nothing**: the events of one append are there together, in their order, without another stream's
///   event lost, or none is.
/// - **Idempotent**: an append whose event ids already stand at that very place succeeds without writing.
/// - **Ordered**: positions grow in commit order; a reader never sees a position appear before one it has read.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Appends to one stream.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError>;

    /// The stream's events from revision `from` on, in order, `limit` at the most. Empty when there are none.
    async fn read(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError>;

    /// All events behind `after` (`None` = from the start), in order, `limit` at the most.
    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError>;

    /// The position of the last durable event; `None` for an empty log.
    async fn head(&self) -> Result<Option<Position>, LogError>;

    /// Follows the log from behind `after`: first what is there, then what comes.
    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError>;
}

/// A reader that follows the log. Dropping it ends it.
#[async_trait]
pub trait Tail: Send {
    /// Waits for at least one event and returns up to `max`, in order, without gaps or repetitions. Cancel-safe:
    /// when the future is dropped, nothing is lost. After an error the next call goes on from the same place.
    async fn next(&mut self, max: usize) -> Result<Vec<Arc<Recorded>>, LogError>;
}
