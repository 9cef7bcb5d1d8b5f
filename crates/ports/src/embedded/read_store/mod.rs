//! The read models in one SQLite file, `views.db`. All of it can be made again from the log.
//!
//! | table | |
//! |---|---|
//! | `shows_g1`, `users_g1` … | one per collection and generation: `key`, `version`, `body` (the document as JSON) |
//! | `generations` | `id`, the `checkpoint` that its documents are at, and which one is `active` |
//! | `marks` | small named positions, such as the forwarder's |
//! | `snapshots` | the latest state of long streams |
//!
//! ```sql
//! SELECT key, json_extract(body, '$.name'), json_extract(body, '$.tally.free') FROM shows_g1;
//! ```
//!
//! Each index of a collection is an index over `json_extract(body, '$.field')`, with the key behind it.
//!
//! One thread writes (see [`super::commit`]); a change set and its checkpoint are in one transaction. Commits
//! survive a crash of the process; a crash of the machine may lose the last ones, never part of one, and they are
//! projected again from the log.
//!
//! Documents are read from memory when they are there ([`Memory`]), else with a few connections of their own.

mod memory;
mod sql;
mod writer;

use crate::{
    Change, Document, Generation, Query, ReadStore, Snapshot, Snapshots, StoreError,
    embedded::{
        OpenError,
        commit::{CommitError, GroupCommit},
        sqlite::{self, ReadPool, bytes, number, open_reader},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use contract::{Digest, Position, StreamName, collections::Collection};
use memory::Memory;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::watch;
use writer::{Request, Writer};

/// How many documents `find` returns at the most, whatever its caller wants.
const MAX_FOUND: usize = 10_000;
/// A reader's memory for pages.
const READER_CACHE_KIB: u32 = 2 << 10;

/// How much memory the store may use.
#[derive(Clone, Copy, Debug)]
pub struct ReadStoreOptions {
    /// Bytes for shows, which nothing else may push out.
    pub shows_bytes: u64,
    /// Bytes for all other documents.
    pub others_bytes: u64,
    /// How many connections read.
    pub readers: usize,
}

impl Default for ReadStoreOptions {
    fn default() -> Self {
        Self {
            shows_bytes: 12 << 20,
            others_bytes: 6 << 20,
            readers: 3,
        }
    }
}

/// The embedded read store. Dropping it ends its writer after what is queued.
pub struct SqliteReadStore {
    writer: GroupCommit<Writer>,
    shared: Arc<Shared>,
    readers: Arc<ReadPool<Connection>>,
}

/// What the store and its writer have in common.
struct Shared {
    active: AtomicU32,
    applied: watch::Sender<Option<Position>>,
    memory: Memory,
}

impl SqliteReadStore {
    /// Opens the store, makes it when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened or is not a read store.
    pub fn open(path: &Path, options: ReadStoreOptions) -> Result<Arc<Self>, OpenError> {
        let connection = sql::open(path)?;
        let (active, checkpoint) = sql::prepare(&connection).map_err(OpenError::at(path))?;
        let shared = Arc::new(Shared {
            active: AtomicU32::new(active.0),
            applied: watch::Sender::new(checkpoint),
            memory: Memory::new(options),
        });
        warm_up(&connection, active, &shared.memory).map_err(OpenError::at(path))?;
        let readers = (0..options.readers.max(1))
            .map(|_| open_reader(path, READER_CACHE_KIB))
            .collect::<Result<Vec<_>, _>>()?;
        let writer = GroupCommit::start("views-writer", connection, Writer::new(path, shared.clone()))?;
        Ok(Arc::new(Self {
            writer,
            shared,
            readers: ReadPool::new(readers),
        }))
    }

    async fn submit(&self, request: Request) -> Result<Option<Generation>, StoreError> {
        self.writer.submit(request).await.map_err(|error| match error {
            CommitError::RolledBack(why) | CommitError::Unknown(why) => StoreError::Unavailable(why),
        })?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outcome = self.readers.read(move |connection| read(connection)).await;
        outcome
            .ok_or_else(|| StoreError::Unavailable("the read store is closing".into()))?
            .map_err(|error| store_error(&error))
    }

    /// Reads from the active generation; once more when another became active meanwhile and took its tables away.
    async fn read_active<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Generation) -> rusqlite::Result<T> + Clone + Send + 'static,
    {
        loop {
            let active = self.shared.active();
            let again = read.clone();
            let found = self.read(move |connection| again(connection, active)).await;
            if found.is_ok() || active == self.shared.active() {
                return found;
            }
        }
    }
}

impl Shared {
    fn active(&self) -> Generation {
        Generation(self.active.load(Ordering::Acquire))
    }
}

/// Brings the shows into memory, as many as there is room for: they are what everybody looks at.
fn warm_up(connection: &Connection, active: Generation, memory: &Memory) -> rusqlite::Result<()> {
    let collection = &contract::collections::SHOWS;
    let table = sql::table(collection, active);
    let mut select = connection.prepare(&format!(
        "SELECT key, version, body FROM {table} ORDER BY rowid DESC"
    ))?;
    let mut rows = select.query(())?;
    let mut room = memory.shows_bytes();
    while let Some(row) = rows.next()? {
        let document = document(row)?;
        let weight = memory::weight(&document);
        if weight > room {
            break;
        }
        room -= weight;
        memory.fill(memory.ticket(collection), active, collection, document);
    }
    Ok(())
}

#[async_trait]
impl ReadStore for SqliteReadStore {
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        self.submit(Request::Apply {
            generation,
            changes,
            checkpoint,
        })
        .await
        .map(|_| ())
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        let found = self
            .read(move |connection| sql::checkpoint(connection, generation))
            .await?;
        found.ok_or_else(|| no_such(generation))
    }

    async fn active(&self) -> Result<Generation, StoreError> {
        Ok(self.shared.active())
    }

    async fn begin(&self) -> Result<Generation, StoreError> {
        let begun = self.submit(Request::Begin).await?;
        begun.ok_or_else(|| StoreError::Unavailable("no generation was begun".into()))
    }

    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.submit(Request::Activate(generation)).await.map(|_| ())
    }

    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        loop {
            let active = self.shared.active();
            let found = self.get_in(active, collection, key).await;
            if found.is_ok() || active == self.shared.active() {
                return found;
            }
        }
    }

    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        let memory = &self.shared.memory;
        if let Some(document) = memory.get(generation, collection, key) {
            return Ok(Some(document));
        }
        let ticket = memory.ticket(collection);
        let key = key.to_owned();
        let found = self
            .read(move |connection| sql::get(connection, collection, generation, &key))
            .await?;
        if let Some(document) = &found {
            memory.fill(ticket, generation, collection, document.clone());
        }
        Ok(found)
    }

    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        let query = Query {
            limit: query.limit.min(MAX_FOUND),
            ..query
        };
        self.read_active(move |connection, active| {
            let (statement, values) = sql::find(&sql::table(collection, active), &query)?;
            let mut select = connection.prepare_cached(&statement)?;
            select.query_map(params_from_iter(values), document)?.collect()
        })
        .await
    }

    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        self.read_active(move |connection, active| {
            let count = format!("SELECT count(*) FROM {}", sql::table(collection, active));
            connection
                .prepare_cached(&count)?
                .query_row((), |row| number(row, 0))
        })
        .await
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.shared.applied.subscribe()
    }

    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| {
            let mut select = connection.prepare_cached("SELECT position FROM marks WHERE name = ?1")?;
            select.query_row([name], |row| number(row, 0)).optional()
        })
        .await
        .map(|position| position.map(Position))
    }

    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.submit(Request::Mark {
            name: name.into(),
            position,
        })
        .await
        .map(|_| ())
    }
}

#[async_trait]
impl Snapshots for SqliteReadStore {
    async fn load(&self, stream: &StreamName) -> Result<Option<Snapshot>, StoreError> {
        let stream = stream.clone();
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "SELECT revision, digest, position, form, state FROM snapshots WHERE stream = ?1",
            )?;
            let snapshot = |row: &Row<'_>| {
                Ok(Snapshot {
                    revision: number(row, 0)?,
                    digest: Digest(row.get(1)?),
                    position: Position(number(row, 2)?),
                    form: row.get(3)?,
                    state: bytes(row, 4)?.to_vec(),
                })
            };
            select.query_row([stream.as_str()], snapshot).optional()
        })
        .await
    }

    async fn save(&self, stream: &StreamName, snapshot: Snapshot) -> Result<(), StoreError> {
        self.submit(Request::Snapshot {
            stream: stream.clone(),
            snapshot,
        })
        .await
        .map(|_| ())
    }
}

/// A row of `key, version, body`.
fn document(row: &Row<'_>) -> rusqlite::Result<Arc<Document>> {
    let (key, version, body) = (
        row.get(0)?,
        number(row, 1)?,
        Bytes::copy_from_slice(bytes(row, 2)?),
    );
    Ok(Arc::new(Document { key, version, body }))
}

fn no_such(generation: Generation) -> StoreError {
    StoreError::Unavailable(format!("there is no generation {}", generation.0))
}

fn store_error(error: &rusqlite::Error) -> StoreError {
    if sqlite::is_damage(error) {
        StoreError::Damaged(error.to_string())
    } else {
        StoreError::Unavailable(error.to_string())
    }
}
