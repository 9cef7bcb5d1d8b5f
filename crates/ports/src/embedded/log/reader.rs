//! Reading the log's file: streams, ranges, and the whole log at the speed of the disk.

use super::{Dated, Page, StreamPage, Towards, log_error, pages::bytes as weight, schema};
use crate::{
    LogError,
    embedded::{
        OpenError,
        sqlite::{bytes, number, open_reader, optional_number, stored},
    },
};
use bytes::{Bytes, BytesMut};
use contract::{EventId, Position, Recorded, Revision, StreamName, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, mpsc},
    thread,
};
use uuid::Uuid;

/// A reader's memory for pages.
const CACHE_KIB: u32 = 2 << 10;
/// How many names of streams a reader remembers.
const KNOWN_NAMES: usize = 8_192;
/// How many names are read at once: streams that began together are read together.
const NAMES_AHEAD: i64 = 64;
/// How many kinds of event a reader remembers. This platform has two dozen; other clients may have any.
const KNOWN_KINDS: usize = 1_024;
/// How many events a scan reads at once, and how many such batches ahead of who takes them.
const SCAN_BATCH: usize = 2_048;
const SCAN_AHEAD: usize = 3;
/// How many bytes of events a scan keeps in one piece of memory.
const SCAN_PIECE: usize = 256 << 10;

/// The end of the log, as its last commit wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last event; `None` in an empty log.
    pub last: Option<Position>,
    /// Where the next event will be: behind the last one, without a gap.
    pub next: Position,
    /// How many events there are.
    pub count: u64,
}

/// A connection that reads the log. It sees what is durable.
pub struct LogReader {
    connection: Connection,
    names: Names,
    kinds: HashSet<Arc<str>>,
}

impl LogReader {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = open_reader(path, CACHE_KIB)?;
        schema::head(&connection).map_err(OpenError::at(path))?;
        Ok(Self {
            connection,
            names: Names::default(),
            kinds: HashSet::new(),
        })
    }

    /// The end of the log at this moment.
    ///
    /// # Errors
    /// When the file cannot be read, or has no head, which `SqliteLog::open` always makes.
    pub fn head(&self) -> Result<Head, LogError> {
        let head = schema::head(&self.connection).map_err(|error| log_error(&error))?;
        head.ok_or_else(|| LogError::Damaged("the log has no head".into()))
    }

    /// Where the first event of every log is.
    pub const FIRST: Position = Position(schema::FIRST_POSITION);

    /// The stream's events from revision `from` on, `limit` at the most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(
        &mut self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        let page = self.stream_page(stream, from, Towards::End, Page::of(limit))?;
        Ok(page.events.into_iter().map(|dated| dated.event).collect())
    }

    /// The stream's events from revision `from`, which comes first, towards its end or its start.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stream_page(
        &mut self,
        stream: &StreamName,
        from: Revision,
        towards: Towards,
        page: Page,
    ) -> Result<StreamPage, LogError> {
        self.select_stream(stream, from, towards, page)
            .map_err(|error| log_error(&error))
    }

    /// All events behind `after`, `limit` at the most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_all(
        &mut self,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        let events = self.page_after(after, Page::of(limit))?;
        Ok(events.into_iter().map(|dated| dated.event).collect())
    }

    /// All events behind `after`, oldest first; from the first event on when it is `None`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page_after(&mut self, after: Option<Position>, page: Page) -> Result<Vec<Dated>, LogError> {
        let after = after.map_or(-1, |after| stored(after.0));
        self.all_page(Towards::End, after, page)
    }

    /// All events before `before`, latest first; from the last event on when it is `None`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page_before(&mut self, before: Option<Position>, page: Page) -> Result<Vec<Dated>, LogError> {
        let before = before.map_or(i64::MAX, |before| stored(before.0));
        self.all_page(Towards::Start, before, page)
    }

    fn all_page(&mut self, towards: Towards, bound: i64, page: Page) -> Result<Vec<Dated>, LogError> {
        let mut filling = Filling::new(page);
        self.select_all(
            towards,
            bound,
            page.events,
            Bytes::copy_from_slice,
            |event, created| filling.take(event, created),
        )
        .map_err(|error| log_error(&error))?;
        Ok(filling.events)
    }

    /// Reads everything behind `after` on a thread of its own, some batches ahead of whoever takes them. Ends where
    /// the log ends. The events share memory: to keep one for long, copy its bytes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn scan(mut self, after: Option<Position>) -> Result<Scan, OpenError> {
        let (sender, batches) = mpsc::sync_channel(SCAN_AHEAD);
        thread::Builder::new().name("log-scan".into()).spawn(move || {
            let mut after = after;
            let mut shared = BytesMut::new();
            loop {
                // One short statement per batch: a long one would keep the writer's journal from being folded.
                let mut events = Vec::with_capacity(SCAN_BATCH);
                let read = self.select_all(
                    Towards::End,
                    after.map_or(-1, |after: Position| stored(after.0)),
                    SCAN_BATCH,
                    |bytes| pack(&mut shared, bytes),
                    |event, _| {
                        events.push(event);
                        true
                    },
                );
                let batch = read.map(|()| events).map_err(|error| log_error(&error));
                after = match &batch {
                    Ok(events) if events.is_empty() => return,
                    Ok(events) => events.last().map(|event| event.position),
                    Err(_) => None,
                };
                // Nobody takes them any more, or nothing more can be read.
                if sender.send(batch).is_err() || after.is_none() {
                    return;
                }
            }
        })?;
        Ok(Scan { batches })
    }

    fn select_stream(
        &mut self,
        stream: &StreamName,
        from: Revision,
        towards: Towards,
        page: Page,
    ) -> rusqlite::Result<StreamPage> {
        let mut filling = Filling::new(page);
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM streams WHERE name = ?1")?
            .query_row([stream.as_str()], |row| row.get(0))
            .optional()?;
        let Some(id) = id else {
            return Ok(StreamPage {
                last: None,
                events: Vec::new(),
            });
        };
        let mut select = self.connection.prepare_cached(match towards {
            Towards::End => {
                "SELECT pos, stream, revision, type, event_id, data, meta, created FROM events
                 WHERE stream = ?1 AND revision >= ?2 ORDER BY revision LIMIT ?3"
            }
            Towards::Start => {
                "SELECT pos, stream, revision, type, event_id, data, meta, created FROM events
                 WHERE stream = ?1 AND revision <= ?2 ORDER BY revision DESC LIMIT ?3"
            }
        })?;
        let mut rows = select.query(params![id, stored(from), stored(page.events as u64)])?;
        while let Some(row) = rows.next()? {
            let event = recorded(row, stream.clone(), &mut self.kinds, &mut Bytes::copy_from_slice)?;
            if !filling.take(event, Timestamp(row.get(7)?)) {
                break;
            }
        }
        drop(rows);
        // After the events: what is appended meanwhile makes the end later, never earlier than the events.
        let last = self
            .connection
            .prepare_cached("SELECT max(revision) FROM events WHERE stream = ?1")?
            .query_row([id], |row| optional_number(row, 0))?;
        Ok(StreamPage {
            last,
            events: filling.events,
        })
    }

    /// Reads on from `bound` until `take` says that it has enough.
    fn select_all(
        &mut self,
        towards: Towards,
        bound: i64,
        limit: usize,
        mut body: impl FnMut(&[u8]) -> Bytes,
        mut take: impl FnMut(Recorded, Timestamp) -> bool,
    ) -> rusqlite::Result<()> {
        let mut select = self.connection.prepare_cached(match towards {
            Towards::End => {
                "SELECT pos, stream, revision, type, event_id, data, meta, created FROM events
                 WHERE pos > ?1 ORDER BY pos LIMIT ?2"
            }
            Towards::Start => {
                "SELECT pos, stream, revision, type, event_id, data, meta, created FROM events
                 WHERE pos < ?1 ORDER BY pos DESC LIMIT ?2"
            }
        })?;
        let mut rows = select.query(params![bound, stored(limit as u64)])?;
        while let Some(row) = rows.next()? {
            let id = row.get(1)?;
            let stream = match self.names.get(id) {
                Some(name) => name,
                None => self.names.read(&self.connection, id)?,
            };
            let event = recorded(row, stream, &mut self.kinds, &mut body)?;
            if !take(event, Timestamp(row.get(7)?)) {
                break;
            }
        }
        Ok(())
    }
}

/// A page while it is being read.
struct Filling {
    events: Vec<Dated>,
    room: usize,
}

impl Filling {
    fn new(page: Page) -> Self {
        Self {
            events: Vec::with_capacity(page.events.min(64)),
            room: page.bytes,
        }
    }

    /// Takes the event; false when there is no room for another.
    fn take(&mut self, event: Recorded, created: Timestamp) -> bool {
        let dated = Dated {
            event: Arc::new(event),
            created,
        };
        self.room = self.room.saturating_sub(weight(&dated));
        self.events.push(dated);
        self.room > 0
    }
}

/// Names of streams by their numbers. Each number has one slot, and takes it over from whichever had it before:
/// streams are numbered in the order in which they began, so whoever reads the log in order needs neighbours.
struct Names(Vec<Option<(i64, StreamName)>>);

impl Default for Names {
    fn default() -> Self {
        Self(vec![None; KNOWN_NAMES])
    }
}

impl Names {
    /// A number is never negative, and its remainder is below the number of slots.
    fn slot(id: i64) -> usize {
        usize::try_from(id).unwrap_or(0) % KNOWN_NAMES
    }

    fn get(&self, id: i64) -> Option<StreamName> {
        self.0[Self::slot(id)]
            .as_ref()
            .filter(|(known, _)| *known == id)
            .map(|(_, name)| name.clone())
    }

    /// Reads the name of a stream, and with it those that will be needed next.
    fn read(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<StreamName> {
        let mut select =
            connection.prepare_cached("SELECT id, name FROM streams WHERE id >= ?1 ORDER BY id LIMIT ?2")?;
        let mut rows = select.query([id, NAMES_AHEAD])?;
        while let Some(row) = rows.next()? {
            let found = row.get(0)?;
            self.0[Self::slot(found)] = Some((found, StreamName::new(row.get_ref(1)?.as_str()?)));
        }
        // An event of a stream that has no name: somebody has changed the file.
        self.get(id)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(1, id))
    }
}

fn recorded(
    row: &Row<'_>,
    stream: StreamName,
    kinds: &mut HashSet<Arc<str>>,
    body: &mut impl FnMut(&[u8]) -> Bytes,
) -> rusqlite::Result<Recorded> {
    let kind = row.get_ref(3)?.as_str()?;
    let kind = match kinds.get(kind) {
        Some(kind) => kind.clone(),
        None => {
            let kind: Arc<str> = kind.into();
            if kinds.len() < KNOWN_KINDS {
                kinds.insert(kind.clone());
            }
            kind
        }
    };
    Ok(Recorded {
        position: Position(number(row, 0)?),
        stream,
        revision: number(row, 2)?,
        id: EventId(Uuid::from_bytes(row.get(4)?)),
        kind,
        data: body(bytes(row, 5)?),
        meta: body(bytes(row, 6)?),
        decoded: None,
    })
}

/// Puts bytes behind one another into shared memory: a scan is faster without two allocations per event. Whoever
/// keeps one of the events keeps the whole piece, so only scans do this, whose events are soon dropped together.
fn pack(shared: &mut BytesMut, bytes: &[u8]) -> Bytes {
    if shared.capacity() < bytes.len() {
        *shared = BytesMut::with_capacity(bytes.len().max(SCAN_PIECE));
    }
    shared.extend_from_slice(bytes);
    shared.split().freeze()
}

/// The log in order, in batches; nothing behind an error. Dropping it ends its thread.
pub struct Scan {
    batches: mpsc::Receiver<Result<Vec<Recorded>, LogError>>,
}

impl Iterator for Scan {
    type Item = Result<Vec<Recorded>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.recv().ok()
    }
}
