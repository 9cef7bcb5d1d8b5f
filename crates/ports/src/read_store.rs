//! The read models' store: documents by key, found by indexed fields, each set with its runner's checkpoint.

use async_trait::async_trait;
use bytes::Bytes;
use contract::{Position, collections::Collection};
use std::sync::Arc;
use tokio::sync::watch;

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its key, unique in its collection.
    pub key: String,
    /// Grows with every change of this document; the projection sets it.
    pub version: u64,
    /// A JSON object.
    pub body: Bytes,
}

/// One change of one document.
#[derive(Clone, Debug)]
pub enum Change {
    /// Sets the whole document.
    Put {
        /// Where.
        collection: &'static Collection,
        /// The document.
        document: Arc<Document>,
    },
    /// Removes it; one that is not there needs nothing.
    Delete {
        /// Where.
        collection: &'static Collection,
        /// Which.
        key: String,
    },
}

/// One build of all collections. A rebuild makes a new one beside the one that readers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u32);

/// How a field is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Equal.
    Eq(serde_json::Value),
    /// Equal or greater.
    AtLeast(i64),
    /// Less.
    Below(i64),
    /// A text that contains this one. Compared byte by byte: fold case and accents before storing.
    Contains(String),
}

/// A condition on a field of the document's top level.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The field.
    pub field: &'static str,
    /// The condition.
    pub op: Op,
}

/// The order of results: by a numeric field of the top level, then by key, both in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field, a number in every document.
    pub field: &'static str,
    /// Greatest first.
    pub descending: bool,
}

/// What to find.
#[derive(Clone, Debug)]
pub struct Query {
    /// All must hold.
    pub filters: Vec<Filter>,
    /// In which order; `None` = by key.
    pub order: Option<Order>,
    /// Only documents behind this place in the order: value of the order's field (0 without one) and key.
    pub after: Option<(i64, String)>,
    /// How many at the most.
    pub limit: usize,
}

/// Why the store could not do it. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is away; try again.
    #[error("the read store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored is damaged: rebuild.
    #[error("the read store is damaged: {0}")]
    Damaged(String),
}

/// Documents with the checkpoint of the runner that makes them.
///
/// `apply` is atomic: after a crash either all changes and the checkpoint are there, or none. It need not be
/// durable at once: a lost tail is projected again.
#[async_trait]
pub trait ReadStore: Send + Sync {
    /// Applies a change set and moves the generation's checkpoint, in one atomic step. When a key is changed
    /// twice, the later change counts.
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError>;

    /// How far a generation is; `None` = at the start of the log.
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError>;

    /// The generation that readers see.
    async fn active(&self) -> Result<Generation, StoreError>;

    /// A new, empty generation beside the active one, for a rebuild. An unfinished earlier one is dropped.
    async fn begin(&self) -> Result<Generation, StoreError>;

    /// Makes a generation the one that readers see, in one atomic step, and drops the one before.
    async fn activate(&self, generation: Generation) -> Result<(), StoreError>;

    /// A document of the active generation.
    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError>;

    /// A document of any generation: what a runner continues from.
    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError>;

    /// Documents of the active generation.
    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError>;

    /// How many documents the active generation has there.
    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError>;

    /// The checkpoint of the active generation, as it moves. Readers wait on it.
    fn applied(&self) -> watch::Receiver<Option<Position>>;

    /// A small named checkpoint beside the read models (the forwarder's). Last write wins.
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError>;

    /// Sets a named checkpoint.
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError>;
}
