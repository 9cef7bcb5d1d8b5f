//! The read models in MongoDB. All of it can be made again from the log.
//!
//! | collection | |
//! |---|---|
//! | `shows_g1`, `users_g1` … | one per kind of document and generation; see [`super::bodies`] |
//! | `meta` | the generations, their checkpoints and fences, the marks; see [`generations`] |
//! | `writers` | the sessions in which processes write; see [`sessions`] |
//! | `snapshots` | the latest state of long streams |
//!
//! **Applying** is a transaction of one change to the generation's document and one command per collection that
//! changes. The generation's document has a fence, a random text that every change set replaces: a change set is
//! applied only while the fence is what this process last knew, so change sets of two projectors never interleave,
//! whatever each believes of who leads. Whoever finds another fence is refused, forgets what it knew, and is to
//! begin again from the stored checkpoint. Nor does a checkpoint ever go back.
//!
//! A change set beyond a thousand changes or 8 MB is cut into several transactions, and only the last one moves the
//! checkpoint. After a crash in between, some documents are ahead of the checkpoint; they are projected again, which
//! changes nothing in them, because changes only set what events carry.
//!
//! **Reading** goes to the generation that is active; see [`view`] for how a process knows which one that is while
//! another swaps it.

mod changes;
mod generations;
mod queries;
mod sessions;
mod snapshots;
mod transactions;
mod view;
mod written;

use super::{
    Mongo, bodies,
    failure::{Failure, Remedy},
};
use ::mongodb::{
    Collection,
    bson::{Document as Stored, RawDocumentBuf, doc},
};
use async_trait::async_trait;
use changes::Part;
use contract::{Position, collections::Collection as Documents};
use futures_util::TryStreamExt;
use generations::{Known, Meta, fresh_fence, no_such, stored, whole};
use metrics::counter;
use ports::{Change, Document, Generation, Query, ReadStore, StoreError};
use sessions::Sessions;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};
use tokio::sync::watch;
use transactions::{Activate, Apply, Begin, transact};
use view::View;
use written::Written;

/// How many documents `find` returns at the most, whatever its caller wants.
const MAX_FOUND: usize = 10_000;

/// The read store and the snapshots in MongoDB.
pub struct MongoStore {
    mongo: Mongo,
    meta: Meta,
    snapshots: Collection<Stored>,
    view: Arc<View>,
    sessions: Sessions,
    /// Per generation, what its document was when this process last applied something, or first looked. Gone
    /// after a failure.
    known: Mutex<BTreeMap<Generation, Known>>,
    written: Written,
}

impl MongoStore {
    /// The read store of a database. The server need not be there: calls answer `Unavailable` until it is. Waits
    /// for its first answer, 2.5 seconds at the most, so that [`ReadStore::applied`] begins where the store is.
    pub async fn open(mongo: &Mongo) -> Arc<Self> {
        let meta = Meta::new(mongo.clone());
        let view = View::new(meta.clone());
        tokio::spawn(view::watch_server(Arc::downgrade(&view)));
        let store = Arc::new(Self {
            mongo: mongo.clone(),
            meta,
            snapshots: mongo.collection("snapshots"),
            view,
            sessions: Sessions::new(mongo),
            known: Mutex::default(),
            written: Written::new(),
        });
        if let Err(error) = store.view.active().await {
            tracing::warn!(%error, "the read store opens without its server");
        }
        store
    }

    /// Forgets what this process knew of the checkpoints. For a projector that takes the lead, before it reads where
    /// to begin: what a health check saw while another led is no longer true, and would cost it one refusal.
    pub fn take_over(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Generation, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a part of a change set; gives the fence that it leaves.
    async fn apply_part(
        &self,
        generation: Generation,
        part: &Part,
        fence: &str,
        checkpoint: Option<Position>,
    ) -> Result<String, StoreError> {
        let next = fresh_fence();
        let apply = Apply {
            meta: &self.meta,
            generation,
            part,
            fence,
            next: &next,
            checkpoint,
            written: &self.written,
            mistaken: AtomicBool::new(false),
        };
        match transact(&self.mongo, &self.sessions, &apply).await {
            Ok(()) => {
                counter!("eventflow_mongodb_documents_total").increment(part.changes() as u64);
                for (of, key) in part.put() {
                    self.written.remember(generation, of, key);
                }
                self.written.applied();
                Ok(next)
            }
            // Also when an earlier try of the same went through, and its answer was lost.
            Err(failure) if matches!(failure.remedy, Remedy::ReadBack | Remedy::CommitAgain) => {
                self.read_back(generation, next, failure).await
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether a change set was applied after all: then its fence stands.
    async fn read_back(
        &self,
        generation: Generation,
        next: String,
        failure: Failure,
    ) -> Result<String, StoreError> {
        match self.meta.known(generation).await? {
            None => Err(no_such(generation)),
            Some(known) if known.fence == next => Ok(next),
            Some(_) => {
                if failure.remedy == Remedy::ReadBack {
                    fenced(generation, &failure.why);
                }
                Err(failure.into())
            }
        }
    }

    fn documents(&self, documents: &Documents, generation: Generation) -> Collection<RawDocumentBuf> {
        self.mongo
            .collection(&generations::collection(documents.name, generation))
    }

    fn mark_id(name: &str) -> Stored {
        doc! { "_id": format!("mark_{name}") }
    }
}

fn fenced(generation: Generation, why: &str) {
    counter!("eventflow_mongodb_fenced_total").increment(1);
    tracing::warn!(generation = generation.0, why, "a change set was refused");
}

#[async_trait]
impl ReadStore for MongoStore {
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        let parts = changes::parts(&changes)?;
        // Taken out until it is known that this went well.
        let known = self.known().remove(&generation);
        let known = match known {
            Some(known) => known,
            None => self
                .meta
                .known(generation)
                .await?
                .ok_or_else(|| no_such(generation))?,
        };
        if known.checkpoint > Some(checkpoint) {
            let why = "the checkpoint would go back: another projector is ahead";
            fenced(generation, why);
            return Err(StoreError::Unavailable(why.into()));
        }
        let mut fence = known.fence;
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.iter().enumerate() {
            let checkpoint = (index == last).then_some(checkpoint);
            let applied = self.apply_part(generation, part, &fence, checkpoint).await;
            fence = applied.inspect_err(|_| {
                self.known().remove(&generation);
            })?;
        }
        let checkpoint_now = Some(checkpoint);
        self.known().insert(
            generation,
            Known {
                checkpoint: checkpoint_now,
                fence,
            },
        );
        self.view.moved(generation, checkpoint);
        Ok(())
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        let known = self
            .meta
            .known(generation)
            .await?
            .ok_or_else(|| no_such(generation))?;
        let checkpoint = known.checkpoint;
        // Never in place of what is known: whoever only looks must not lift the fence before one that has
        // documents of an older checkpoint in its hands.
        self.known().entry(generation).or_insert(known);
        Ok(checkpoint)
    }

    async fn active(&self) -> Result<Generation, StoreError> {
        Ok(self.view.active().await?.generation)
    }

    async fn begin(&self) -> Result<Generation, StoreError> {
        // Else a new database would have none yet.
        self.view.active().await?;
        let begun = transact(&self.mongo, &self.sessions, &Begin(&self.meta)).await?;
        let (generation, known) =
            begun.ok_or_else(|| StoreError::Unavailable("there is no active generation".into()))?;
        self.meta.make(generation).await?;
        self.known().insert(generation, known);
        tokio::spawn(self.meta.clone().sweep());
        Ok(generation)
    }

    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        let activated = transact(&self.mongo, &self.sessions, &Activate(&self.meta, generation)).await?;
        let known = activated.ok_or_else(|| {
            let number = generation.0;
            StoreError::Unavailable(format!(
                "there is no generation {number}, or the active one is further"
            ))
        })?;
        self.view.activated(generation, known.checkpoint);
        tokio::spawn(self.meta.clone().sweep());
        Ok(())
    }

    async fn get(
        &self,
        collection: &'static Documents,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        loop {
            let active = self.view.active().await?;
            let found = self.get_in(active.generation, collection, key).await?;
            if !View::is_stale(active) {
                return Ok(found);
            }
        }
    }

    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Documents,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        let documents = self.documents(collection, generation);
        let find = documents.find_one(doc! { "_id": key });
        let found = self.mongo.call("get", find).await?;
        found.map(|found| bodies::from_bson(&found)).transpose()
    }

    async fn find(
        &self,
        collection: &'static Documents,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        let limit = query.limit.min(MAX_FOUND);
        if limit == 0 {
            // To MongoDB this would mean: no limit.
            return Ok(Vec::new());
        }
        let (filter, sort) = (queries::filter(&query)?, queries::sort(&query));
        loop {
            let active = self.view.active().await?;
            let documents = self.documents(collection, active.generation);
            let find = documents
                .find(filter.clone())
                .sort(sort.clone())
                .limit(limit as i64);
            let work = async move { find.await?.try_collect::<Vec<_>>().await };
            let found = self.mongo.call("find", work).await?;
            if !View::is_stale(active) {
                return found.iter().map(|found| bodies::from_bson(found)).collect();
            }
        }
    }

    async fn count(&self, collection: &'static Documents) -> Result<u64, StoreError> {
        loop {
            let active = self.view.active().await?;
            let documents = self.documents(collection, active.generation);
            let count = self
                .mongo
                .call("count", documents.count_documents(doc! {}))
                .await?;
            if !View::is_stale(active) {
                return Ok(count);
            }
        }
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.view.applied()
    }

    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        let find = self.meta.documents().find_one(Self::mark_id(name));
        let found = self.mongo.call("mark", find).await?;
        Ok(found.and_then(|found| whole(&found, "position")).map(Position))
    }

    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        let set = doc! { "$set": { "position": stored(position) }, "$currentDate": { "at": true } };
        let update = self.meta.documents().update_one(Self::mark_id(name), set);
        self.mongo.call("set_mark", update.upsert(true)).await?;
        Ok(())
    }
}
