//! Snapshots: a shortcut past a long stream. Losing them costs time, never truth.

use crate::StoreError;
use async_trait::async_trait;
use contract::{Digest, Position, Revision, StreamName};

/// An aggregate's state behind some revision of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last revision that is in it.
    pub revision: Revision,
    /// That event's digest, to link the next event and to see whether the log is still the same.
    pub digest: Digest,
    /// That event's position.
    pub position: Position,
    /// Which form the state has; another form is ignored.
    pub form: u32,
    /// The state as JSON.
    pub state: Vec<u8>,
}

/// Where snapshots are kept: the latest per stream.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The latest snapshot of a stream.
    async fn load(&self, stream: &StreamName) -> Result<Option<Snapshot>, StoreError>;

    /// Keeps a snapshot in place of the one before.
    async fn save(&self, stream: &StreamName, snapshot: Snapshot) -> Result<(), StoreError>;
}
