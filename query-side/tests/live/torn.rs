//! A read store and a log that can be told to misbehave.

use async_trait::async_trait;
use contract::{Position, Recorded, Revision, StreamName, collections::Collection};
use ports::{
    AppendError, Appended, Change, Document, EventLog, Expected, Generation, LogError, Query, ReadStore,
    StoreError, Tail,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};
use tokio::sync::watch;

/// Reads from a store; it may be away, or show documents of different moments.
pub struct TornStore {
    inner: Arc<dyn ReadStore>,
    pub away: AtomicBool,
    /// How documents were read.
    pub reads: AtomicUsize,
    /// What is shown in place of a collection's documents.
    shown: Mutex<Option<(&'static str, Arc<Document>)>>,
    /// What readers are told of how far it is.
    pub applied: watch::Sender<Option<Position>>,
}

impl TornStore {
    pub fn over(inner: Arc<dyn ReadStore>) -> Arc<Self> {
        let applied = watch::Sender::new(*inner.applied().borrow());
        Arc::new(Self {
            inner,
            away: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            shown: Mutex::default(),
            applied,
        })
    }

    /// Keeps showing a document as it is now.
    pub async fn freeze(&self, collection: &'static Collection, key: &str) {
        let document = self.inner.get(collection, key).await.unwrap().unwrap();
        self.show(collection, document);
    }

    /// Shows this in place of what there is.
    pub fn show(&self, collection: &'static Collection, document: Arc<Document>) {
        *self.shown.lock().unwrap() = Some((collection.name, document));
    }

    pub fn thaw(&self) {
        *self.shown.lock().unwrap() = None;
    }

    /// Tells readers that it has moved.
    pub fn announce(&self) {
        self.applied.send_replace(*self.inner.applied().borrow());
    }
}

#[async_trait]
impl ReadStore for TornStore {
    async fn apply(&self, _: Generation, _: Vec<Change>, _: Position) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("only for readers".into()))
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.inner.checkpoint(generation).await
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        self.inner.active().await
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        self.inner.begin().await
    }
    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.inner.activate(generation).await
    }
    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.reads.fetch_add(1, SeqCst);
        if self.away.load(SeqCst) {
            return Err(StoreError::Unavailable("away".into()));
        }
        if let Some((name, document)) = &*self.shown.lock().unwrap()
            && *name == collection.name
        {
            return Ok(Some(document.clone()));
        }
        self.inner.get(collection, key).await
    }
    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.inner.get_in(generation, collection, key).await
    }
    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        self.inner.find(collection, query).await
    }
    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        self.inner.count(collection).await
    }
    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.applied.subscribe()
    }
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.inner.mark(name).await
    }
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.inner.set_mark(name, position).await
    }
}

/// A log that is away.
pub struct NoLog;

fn away<T>() -> Result<T, LogError> {
    Err(LogError::Unavailable("away".into()))
}

#[async_trait]
impl EventLog for NoLog {
    async fn append(
        &self,
        _: &StreamName,
        _: Expected,
        _: Vec<contract::NewEvent>,
    ) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable("away".into()))
    }
    async fn read(&self, _: &StreamName, _: Revision, _: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        away()
    }
    async fn read_all(&self, _: Option<Position>, _: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        away()
    }
    async fn head(&self) -> Result<Option<Position>, LogError> {
        away()
    }
    async fn tail(&self, _: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        away()
    }
}
