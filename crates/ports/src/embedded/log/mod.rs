//! The log in one SQLite file, `events.db`.
//!
//! | table | column | |
//! |---|---|---|
//! | `streams` | `id` | number of a stream, in the order of their first events |
//! | | `name` | `show-{uuid}`, `reservation-{uuid}` … |
//! | `events` | `pos` | position in the whole log |
//! | | `stream`, `revision` | `streams.id`, and the number in that stream from 0 |
//! | | `type` | kind and version: `tickets_sold.v1` |
//! | | `event_id` | UUID, 16 bytes |
//! | | `created` | when this log took it, in ms since 1970 UTC |
//! | | `data`, `meta` | JSON, byte for byte as it was appended |
//! | `head` | | one row: the `last` position, the `next` one, the `count` of events |
//!
//! ```sql
//! SELECT e.pos, e.revision, e.type, datetime(e.created / 1000, 'unixepoch') AS created, e.data
//! FROM events e JOIN streams s ON s.id = e.stream WHERE s.name = 'show-…' ORDER BY e.revision;
//! ```
//!
//! **Positions** are like offsets in one long file: the first event is at 64, and each event ends where the next
//! begins ([`next_position`]). They need no counter that could be lost, nothing can come to rely on them being
//! 1, 2, 3, and a removed or shortened event leaves a gap that anybody can see: `pos + size = next pos` all along,
//! and the end is in `head`, which every commit moves.
//!
//! **Writing.** One thread group-commits (see [`super::commit`]) with `synchronous = FULL`. Expected revisions are
//! checked before anything is inserted, so a conflict costs its batch mates nothing.
//!
//! **Reading.** The latest events stay in memory, as the values that were appended; whoever follows the log closely
//! never touches the file. Others read with a few connections of their own.

mod pages;
mod reader;
mod recent;
mod schema;
mod tail;
mod writer;

pub use pages::{Dated, Page, StreamPage, Towards};
pub use reader::{Head, LogReader, Scan};
pub use schema::next_position;
pub use tail::LogTail;

use crate::{
    AppendError, Appended, Clock, EventLog, Expected, LogError, SystemClock, Tail,
    embedded::{
        OpenError,
        commit::{CommitError, GroupCommit},
        sqlite::{self, ReadPool},
    },
    event_log::{MAX_APPEND_EVENTS, MAX_EVENT_BYTES},
};
use async_trait::async_trait;
use contract::{NewEvent, Position, Recorded, Revision, StreamName};
use recent::Recent;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::watch;
use writer::{Append, Place, Writer};

/// How many events one read returns at the most, whatever its caller wants.
const MAX_READ: usize = 65_536;

/// How much memory the log may use, and its clock.
pub struct LogOptions {
    /// What `created` is taken from.
    pub clock: Arc<dyn Clock>,
    /// How many of the latest events stay in memory.
    pub recent_events: usize,
    /// How many bytes they may have.
    pub recent_bytes: usize,
    /// How many streams the writer remembers the end of.
    pub known_streams: usize,
    /// How many connections read.
    pub readers: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            recent_events: 8_192,
            recent_bytes: 6 << 20,
            known_streams: 16_384,
            readers: 3,
        }
    }
}

/// The embedded log. Dropping it ends its writer after what is queued, and its tails with an error.
pub struct SqliteLog {
    path: PathBuf,
    writer: GroupCommit<Writer>,
    shared: Arc<Shared>,
}

/// What the log, its writer and its tails have in common.
struct Shared {
    recent: RwLock<Recent>,
    /// The position of the last durable event. Closed when the writer has ended.
    head: watch::Receiver<Option<Position>>,
    readers: Arc<ReadPool<LogReader>>,
}

impl SqliteLog {
    /// Opens the log, makes it when there is none. Install the metrics recorder before.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a log, or its head does not fit its last event.
    pub fn open(path: &Path, options: LogOptions) -> Result<Arc<Self>, OpenError> {
        Self::start(path, options, schema::open(path)?)
    }

    fn start(path: &Path, options: LogOptions, connection: Connection) -> Result<Arc<Self>, OpenError> {
        let head = schema::read_head(path, &connection)?;
        let readers = (0..options.readers.max(1))
            .map(|_| LogReader::open(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (sender, receiver) = watch::channel(head.last);
        let shared = Arc::new(Shared {
            recent: RwLock::new(Recent::new(
                head.last,
                options.recent_events,
                options.recent_bytes,
            )),
            head: receiver,
            readers: ReadPool::new(readers),
        });
        let work = Writer::new(path, &options, head, shared.clone(), sender);
        let writer = GroupCommit::start("log-writer", connection, work)?;
        Ok(Arc::new(Self {
            path: path.into(),
            writer,
            shared,
        }))
    }

    /// Opens an existing log for reading, also beside a process that writes it.
    ///
    /// # Errors
    /// When the file cannot be opened or is not a log.
    pub fn open_read_only(path: &Path) -> Result<LogReader, OpenError> {
        LogReader::open(path)
    }

    /// Reads the whole log behind `after` as fast as the disk gives it, on a thread of its own.
    ///
    /// # Errors
    /// When the file cannot be opened once more, or the system gives no thread.
    pub fn scan(&self, after: Option<Position>) -> Result<Scan, OpenError> {
        LogReader::open(&self.path)?.scan(after)
    }
}

impl Shared {
    /// The events behind `after`, when all of them are still in memory.
    fn recent(&self, after: Option<Position>, max: usize) -> Option<Vec<Dated>> {
        self.recent
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .behind(after, max)
    }

    /// The events behind `after`, from the file.
    async fn page_after(&self, after: Option<Position>, page: Page) -> Result<Vec<Dated>, LogError> {
        self.readers
            .read(move |reader| reader.page_after(after, page))
            .await
            .unwrap_or_else(|| Err(closing()))
    }
}

impl SqliteLog {
    /// Checks the size of an append and hands it to the writer.
    async fn submit(&self, append: Append) -> Result<Appended, AppendError> {
        let count = append.events.len();
        if count == 0 || count > MAX_APPEND_EVENTS {
            let what = format!("{count} events; 1 to {MAX_APPEND_EVENTS} are possible");
            return Err(AppendError::Unacceptable(what));
        }
        let too_large = |event: &&NewEvent| event.data.len() + event.meta.len() > MAX_EVENT_BYTES;
        if let Some(event) = append.events.iter().find(too_large) {
            let what = format!("{} is larger than {MAX_EVENT_BYTES} bytes", event.kind);
            return Err(AppendError::Unacceptable(what));
        }
        self.writer.submit(append).await.map_err(|error| match error {
            CommitError::RolledBack(why) => AppendError::Unavailable(why),
            CommitError::Unknown(why) => AppendError::Unknown(why),
        })?
    }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.submit(Append {
            stream: stream.clone(),
            place: Place::Behind(expected),
            events,
        })
        .await
    }

    async fn read(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        let stream = stream.clone();
        let read = move |reader: &mut LogReader| reader.read(&stream, from, limit.min(MAX_READ));
        self.shared
            .readers
            .read(read)
            .await
            .unwrap_or_else(|| Err(closing()))
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let events = self.page_after(after, Page::of(limit)).await?;
        Ok(events.into_iter().map(|dated| dated.event).collect())
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        Ok(*self.shared.head.borrow())
    }

    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(self.follow(after)))
    }
}

fn closing() -> LogError {
    LogError::Unavailable("the log is closing".into())
}

fn log_error(error: &rusqlite::Error) -> LogError {
    if sqlite::is_damage(error) {
        LogError::Damaged(error.to_string())
    } else {
        LogError::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests;
