//! The log's writer: checks, inserts, and publishes what was committed.

use super::{Dated, LogOptions, Shared, reader::Head, schema::length};
use crate::{
    AppendError, Appended, Clock, Expected,
    embedded::{
        commit::Work,
        sqlite::{Journal, Text, number, optional_number, stored},
    },
};
use contract::{NewEvent, Position, Recorded, Revision, StreamName};
use metrics::{Counter, Histogram};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How far back an append that expects no revision looks for itself. A retry comes soon; a long search would hold up
/// everybody's commit.
const LATEST: u64 = 256;

/// Where an append belongs.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Where its writer believes the stream to end.
    Behind(Expected),
    /// Wherever the stream ends.
    End { must_exist: bool },
}

/// One append, whose size was checked.
pub(super) struct Append {
    pub stream: StreamName,
    pub place: Place,
    pub events: Vec<NewEvent>,
}

/// Where a stream ends.
#[derive(Clone, Copy)]
struct End {
    id: i64,
    next: Revision,
}

/// The writer's thread and all that only it knows.
pub(super) struct Writer {
    clock: Arc<dyn Clock>,
    /// The head as it will be when the open transaction commits.
    head: Head,
    /// The head as it was committed.
    durable: Head,
    /// Ends of streams, as they will be when the open transaction commits.
    ends: Cache<StreamName, End>,
    /// What the open transaction has inserted.
    inserted: Vec<Dated>,
    shared: Arc<Shared>,
    publish: watch::Sender<Option<Position>>,
    journal: Journal,
    measures: Measures,
}

struct Measures {
    commits: Counter,
    events: Counter,
    seconds: Histogram,
    batch: Histogram,
}

impl Writer {
    pub(super) fn new(
        path: &Path,
        options: &LogOptions,
        head: Head,
        shared: Arc<Shared>,
        publish: watch::Sender<Option<Position>>,
    ) -> Self {
        Self {
            clock: options.clock.clone(),
            head,
            durable: head,
            ends: Cache::new(options.known_streams),
            inserted: Vec::new(),
            shared,
            publish,
            journal: Journal::of(path),
            measures: Measures {
                commits: metrics::counter!("eventflow_append_commits_total"),
                events: metrics::counter!("eventflow_append_events_total"),
                seconds: metrics::histogram!("eventflow_append_commit_seconds"),
                batch: metrics::histogram!("eventflow_append_batch_events"),
            },
        }
    }

    /// Where the stream ends. One that does not exist is made when the append expects none, so that a new stream,
    /// the most frequent case, costs one statement.
    fn end(&mut self, connection: &Connection, append: &Append) -> rusqlite::Result<Option<End>> {
        if let Some(end) = self.ends.get(&append.stream) {
            return Ok(Some(*end));
        }
        let name = append.stream.as_str();
        if matches!(
            append.place,
            Place::Behind(Expected::NoStream) | Place::End { must_exist: false }
        ) {
            let mut make = connection
                .prepare_cached("INSERT INTO streams (name) VALUES (?1) ON CONFLICT (name) DO NOTHING")?;
            if make.execute([name])? == 1 {
                return Ok(Some(End {
                    id: connection.last_insert_rowid(),
                    next: 0,
                }));
            }
        }
        let id: Option<i64> = connection
            .prepare_cached("SELECT id FROM streams WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let Some(id) = id else {
            return Ok(None);
        };
        let last = connection
            .prepare_cached("SELECT max(revision) FROM events WHERE stream = ?1")?
            .query_row([id], |row| optional_number(row, 0))?;
        Ok(Some(End {
            id,
            next: last.map_or(0, |last| last + 1),
        }))
    }

    /// Whether this very append already stands from revision `first` on, and where it ends.
    fn repeated(
        connection: &Connection,
        append: &Append,
        first: Revision,
        end: End,
    ) -> rusqlite::Result<Option<Appended>> {
        let behind = first.saturating_add(append.events.len() as u64);
        if behind > end.next {
            return Ok(None);
        }
        let mut select = connection.prepare_cached(
            "SELECT event_id, pos FROM events WHERE stream = ?1 AND revision >= ?2 AND revision < ?3 ORDER BY revision",
        )?;
        let mut rows = select.query(params![end.id, stored(first), stored(behind)])?;
        let mut position = 0;
        for event in &append.events {
            match rows.next()? {
                Some(row) if row.get::<_, [u8; 16]>(0)? == *event.id.0.as_bytes() => {
                    position = number(row, 1)?
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(Appended {
            position: Position(position),
            revision: behind - 1,
        }))
    }

    /// Where the first event of this append stands among the stream's latest, if it does.
    fn latest(connection: &Connection, append: &Append, end: End) -> rusqlite::Result<Option<Revision>> {
        let Some(event) = append.events.first() else {
            return Ok(None);
        };
        let back = LATEST + append.events.len() as u64;
        connection
            .prepare_cached(
                "SELECT revision FROM events WHERE stream = ?1 AND revision >= ?2 AND event_id = ?3",
            )?
            .query_row(
                params![
                    end.id,
                    stored(end.next.saturating_sub(back)),
                    event.id.0.as_bytes()
                ],
                |row| number(row, 0),
            )
            .optional()
    }

    /// Inserts the events behind the stream's end.
    fn insert(&mut self, connection: &Connection, append: Append, end: End) -> rusqlite::Result<Appended> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO events (pos, stream, revision, type, event_id, created, data, meta)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let created = self.clock.now();
        let mut revision = end.next;
        let mut position = self.head.next;
        for event in append.events {
            position = self.head.next;
            insert.execute(params![
                stored(position.0),
                end.id,
                stored(revision),
                &*event.kind,
                event.id.0.as_bytes(),
                created.0,
                Text(&event.data),
                Text(&event.meta),
            ])?;
            let next = Position(position.0 + length(&event.data, &event.meta));
            self.head = Head {
                last: Some(position),
                next,
                count: self.head.count + 1,
            };
            let event = Arc::new(Recorded {
                position,
                stream: append.stream.clone(),
                revision,
                id: event.id,
                kind: event.kind,
                data: event.data,
                meta: event.meta,
                decoded: event.decoded,
            });
            self.inserted.push(Dated { event, created });
            revision += 1;
        }
        self.ends.insert(
            append.stream,
            End {
                id: end.id,
                next: revision,
            },
        );
        Ok(Appended {
            position,
            revision: revision - 1,
        })
    }
}

impl Work for Writer {
    type Request = Append;
    type Reply = Result<Appended, AppendError>;

    fn carry_out(&mut self, connection: &Connection, append: Append) -> rusqlite::Result<Self::Reply> {
        let Some(end) = self.end(connection, &append)? else {
            return Ok(Err(AppendError::Conflict { current: None }));
        };
        let first = match append.place {
            Place::Behind(expected) if expected.next() == end.next => None,
            Place::Behind(expected) => Some(expected.next()),
            // A stream that has a number but no event is one that somebody began by hand.
            Place::End { must_exist: true } if end.next == 0 => {
                return Ok(Err(AppendError::Conflict { current: None }));
            }
            Place::End { .. } => Self::latest(connection, &append, end)?,
        };
        let Some(first) = first else {
            return self.insert(connection, append, end).map(Ok);
        };
        let repeated = Self::repeated(connection, &append, first, end)?;
        self.ends.insert(append.stream, end);
        Ok(repeated.ok_or(AppendError::Conflict {
            current: end.next.checked_sub(1),
        }))
    }

    fn before_commit(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.inserted.is_empty() {
            return Ok(());
        }
        let Head { last, next, count } = self.head;
        let mut update = connection.prepare_cached("UPDATE head SET last = ?1, next = ?2, count = ?3")?;
        update.execute(params![
            last.map(|last| stored(last.0)),
            stored(next.0),
            stored(count)
        ])?;
        Ok(())
    }

    fn committed(&mut self, _connection: &Connection, took: Duration) {
        if self.inserted.is_empty() {
            return;
        }
        self.durable = self.head;
        self.measures.commits.increment(1);
        self.measures.events.increment(self.inserted.len() as u64);
        self.measures.batch.record(self.inserted.len() as f64);
        self.measures.seconds.record(took);
        // Readable in memory first, then announced: whoever hears of an event finds it.
        self.shared
            .recent
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(self.inserted.drain(..));
        self.publish.send_replace(self.durable.last);
    }

    fn rolled_back(&mut self) {
        self.head = self.durable;
        self.inserted.clear();
        // Some of the ends are of streams that were not made; which, is not worth remembering.
        self.ends.clear();
    }

    fn at_rest(&mut self, connection: &Connection) {
        self.journal.keep_short(connection);
    }
}
