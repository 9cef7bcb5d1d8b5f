//! Read models in memory.

use super::lock;
use async_trait::async_trait;
use bytes::Bytes;
use contract::{Position, collections::Collection};
use ports::{Change, Document, Generation, Query, ReadStore, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;

/// Read models that a test writes by hand.
pub struct FakeStore {
    pub documents: Mutex<BTreeMap<(&'static str, String), Bytes>>,
    pub applied: watch::Sender<Option<Position>>,
}

impl FakeStore {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            documents: Mutex::default(),
            applied: watch::Sender::new(None),
        })
    }

    pub fn put(&self, collection: &'static Collection, key: String, body: &'static str) {
        lock(&self.documents).insert((collection.name, key), Bytes::from_static(body.as_bytes()));
    }
}

#[async_trait]
impl ReadStore for FakeStore {
    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        let after = query.after.map(|(_, key)| key).unwrap_or_default();
        let documents = lock(&self.documents);
        let here = documents
            .iter()
            .filter(|((name, key), _)| *name == collection.name && *key > after);
        Ok(here
            .take(query.limit)
            .map(|((_, key), body)| {
                Arc::new(Document {
                    key: key.clone(),
                    version: 1,
                    body: body.clone(),
                })
            })
            .collect())
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.applied.subscribe()
    }

    async fn apply(&self, _: Generation, _: Vec<Change>, _: Position) -> Result<(), StoreError> {
        panic!("the orchestrator only reads")
    }
    async fn checkpoint(&self, _: Generation) -> Result<Option<Position>, StoreError> {
        panic!("the orchestrator only finds")
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        panic!("the orchestrator only finds")
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        panic!("the orchestrator only reads")
    }
    async fn activate(&self, _: Generation) -> Result<(), StoreError> {
        panic!("the orchestrator only reads")
    }
    async fn get(&self, _: &'static Collection, _: &str) -> Result<Option<Arc<Document>>, StoreError> {
        panic!("the orchestrator only finds")
    }
    async fn get_in(
        &self,
        _: Generation,
        _: &'static Collection,
        _: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        panic!("the orchestrator only finds")
    }
    async fn count(&self, _: &'static Collection) -> Result<u64, StoreError> {
        panic!("the orchestrator only finds")
    }
    async fn mark(&self, _: &str) -> Result<Option<Position>, StoreError> {
        panic!("the orchestrator has no marks")
    }
    async fn set_mark(&self, _: &str, _: Position) -> Result<(), StoreError> {
        panic!("the orchestrator has no marks")
    }
}
