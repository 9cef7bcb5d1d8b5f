//! Reading documents: from memory, from Redis, by looking at all.

use super::{
    Shared, empty,
    finding::Found,
    keys::{self, Lookup, Named},
    link::{Link, Sight, Verdict},
    scripts, standing, unavailable,
};
use contract::{Position, collections::Collection};
use ports::{Document, Generation, Query, StoreError};
use redis::{RedisError, cmd};
use std::{collections::HashSet, sync::Arc, time::Instant};

/// How often a read is begun anew because another generation became active under it.
const ATTEMPTS: usize = 4;
/// How many keys one step of a walk looks at, about.
const STEP: usize = 512;

/// What a reader demands before it believes what Redis says.
#[derive(Clone, Copy, Default)]
pub(super) struct Demand {
    /// The documents must have been complete once.
    pub complete: bool,
    /// They must be there, or beyond.
    pub position: Option<Position>,
}

impl Demand {
    fn is_met(&self, sight: &Sight) -> bool {
        (sight.state.complete || !self.complete) && sight.state.applied >= self.position
    }
}

impl Shared {
    /// A document of the active generation, if this process has it in memory.
    pub fn cached(
        &self,
        collection: &'static Collection,
        key: &str,
        demand: Demand,
    ) -> Option<Arc<Document>> {
        let link = self.link.borrow();
        let (seen, now) = (&link.as_ref()?.seen, Instant::now());
        let sight = seen.sight().filter(|sight| demand.is_met(sight))?;
        if !seen.is_trusted(now) {
            return None;
        }
        let found = seen
            .documents
            .get(&lookup(sight.state.active, collection, key), now)?;
        standing::count(&self.counts.from_memory);
        Some(found)
    }

    /// A document of the active generation.
    pub async fn read(
        &self,
        collection: &'static Collection,
        key: &str,
        demand: Demand,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        if let Some(document) = self.cached(collection, key, demand) {
            return Ok(Some(document));
        }
        let link = self.link().await?;
        for _ in 0..ATTEMPTS {
            let sight = link.seen.sight().ok_or_else(empty)?;
            if !demand.is_met(&sight) {
                return Err(StoreError::Unavailable("redis is not ready".into()));
            }
            let found = self.fetch(&link, sight.state.active, collection, key).await?;
            if self.counts_for(&link, &sight, found.is_some()).await? {
                return Ok(found);
            }
        }
        Err(restless())
    }

    /// A document of any generation.
    pub async fn read_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        let link = self.link().await?;
        for _ in 0..ATTEMPTS {
            let sight = link.seen.sight().ok_or_else(empty)?;
            let (place, now) = (lookup(generation, collection, key), Instant::now());
            if let Some(found) = link.seen.documents.get(&place, now)
                && link.seen.is_trusted(now)
            {
                return Ok(Some(found));
            }
            let found = self.fetch(&link, generation, collection, key).await?;
            if self.counts_for(&link, &sight, found.is_some()).await? {
                return Ok(found);
            }
        }
        Err(restless())
    }

    /// Whether an answer counts. A document that was found does unless all was wiped meanwhile; one that is missing
    /// may also have gone with its generation, which the state tells.
    async fn counts_for(&self, link: &Link, sight: &Sight, found: bool) -> Result<bool, StoreError> {
        match (link.seen.verdict(sight), found) {
            (Verdict::Void, _) => return Err(empty()),
            (Verdict::Counts, _) | (Verdict::Unsure, true) => return Ok(true),
            (Verdict::Unsure, false) => {}
        }
        link.refresh().await.map_err(|error| unavailable(&error))?;
        let now = link.seen.sight().ok_or_else(empty)?.state;
        Ok((now.born_us, now.active) == (sight.state.born_us, sight.state.active))
    }

    /// Asks Redis, and keeps what it says.
    async fn fetch(
        &self,
        link: &Link,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        let place = lookup(generation, collection, key);
        let ticket = link.seen.documents.ticket(&place);
        let stored = self.keys.document(generation, collection.name, key);
        let value: Option<Vec<u8>> = link
            .read(cmd("GET").arg(stored))
            .await
            .map_err(|error| unavailable(&error))?;
        let Some(value) = value else {
            standing::count(&self.counts.misses);
            return Ok(None);
        };
        standing::count(&self.counts.from_server);
        let document = keys::decode(key, value).ok_or_else(|| damaged(collection, key))?;
        link.seen
            .documents
            .fill(ticket, &place, document.clone(), Instant::now());
        Ok(Some(document))
    }

    /// Documents of the active generation, by looking at all of them.
    pub async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        let link = self.link().await?;
        for _ in 0..ATTEMPTS {
            let sight = link.seen.sight().ok_or_else(empty)?;
            let mut found = Found::new(query.clone());
            let mut cursor = 0;
            loop {
                let (next, keys) = self.step(&link, sight.state.active, collection, cursor).await?;
                for document in self.values(&link, collection, keys).await? {
                    let key = document.key.clone();
                    found.offer(document).map_err(|_| damaged(collection, &key))?;
                }
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            if self.counts_for(&link, &sight, false).await? {
                return Ok(found.finish());
            }
        }
        Err(restless())
    }

    /// How many documents the active generation has there.
    pub async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        let link = self.link().await?;
        for _ in 0..ATTEMPTS {
            let sight = link.seen.sight().ok_or_else(empty)?;
            // A walk may come upon a key twice.
            let (mut all, mut cursor) = (HashSet::new(), 0);
            loop {
                let (next, keys) = self.step(&link, sight.state.active, collection, cursor).await?;
                all.extend(keys);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            if self.counts_for(&link, &sight, false).await? {
                return Ok(all.len() as u64);
            }
        }
        Err(restless())
    }

    async fn step(
        &self,
        link: &Link,
        generation: Generation,
        collection: &Collection,
        cursor: u64,
    ) -> Result<(u64, Vec<String>), StoreError> {
        let pattern = self.keys.documents(generation, collection.name);
        walk(link, cursor, &pattern)
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn values(
        &self,
        link: &Link,
        collection: &'static Collection,
        keys: Vec<String>,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let answer: Result<Vec<Option<Vec<u8>>>, RedisError> =
            cmd("MGET").arg(&keys).query_async(&mut link.writes()).await;
        let values = link.noticed(answer).map_err(|error| unavailable(&error))?;
        let mut documents = Vec::with_capacity(values.len());
        for (stored, value) in keys.iter().zip(values) {
            if let (Named::Document(place), Some(value)) = (self.keys.named(stored), value) {
                let document =
                    keys::decode(place.key, value).ok_or_else(|| damaged(collection, place.key))?;
                documents.push(document);
            }
        }
        Ok(documents)
    }

    /// Removes the documents of generations that are gone, also those that an earlier sweep left behind.
    pub async fn sweep(&self, link: &Link) -> Result<(), RedisError> {
        let fields = link.refresh().await?;
        let (pattern, mut cursor) = (self.keys.all_documents(), 0);
        loop {
            let (next, mut keys) = walk(link, cursor, &pattern).await?;
            keys.retain(|key| match self.keys.named(key) {
                Named::Document(place) => !scripts::may_exist(&fields, Generation(place.generation)),
                _ => false,
            });
            if !keys.is_empty() {
                let removed = cmd("UNLINK").arg(&keys).exec_async(&mut link.writes()).await;
                link.noticed(removed)?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

/// One step over all keys: where to go on, 0 at the end, and keys that fit. On the connection that is not tracked.
async fn walk(link: &Link, cursor: u64, pattern: &str) -> Result<(u64, Vec<String>), RedisError> {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(STEP);
    link.noticed(scan.query_async(&mut link.writes()).await)
}

fn lookup<'a>(generation: Generation, collection: &'a Collection, key: &'a str) -> Lookup<'a> {
    Lookup {
        generation: generation.0,
        collection: collection.name,
        key,
    }
}

fn damaged(collection: &Collection, key: &str) -> StoreError {
    StoreError::Damaged(format!("redis: {} {key} is no document", collection.name))
}

fn restless() -> StoreError {
    StoreError::Unavailable("redis: another generation became active again and again".into())
}
