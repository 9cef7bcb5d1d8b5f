//! The tables of the log, and the arithmetic of positions.

use crate::embedded::{
    OpenError,
    log::reader::Head,
    sqlite::{Durability, File, number, optional_number},
};
use contract::{Position, Recorded};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// Where the first event is.
pub(super) const FIRST_POSITION: u64 = 64;
/// What an event takes of the log's length beside its data and metadata.
const EVENT_OVERHEAD: u64 = 64;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE IF NOT EXISTS events (
        pos INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        type TEXT NOT NULL,
        event_id BLOB NOT NULL,
        created INTEGER NOT NULL,
        data TEXT NOT NULL,
        meta TEXT NOT NULL,
        UNIQUE (stream, revision)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        last INTEGER,
        next INTEGER NOT NULL,
        count INTEGER NOT NULL
    ) STRICT;
    INSERT INTO head (id, last, next, count) SELECT 1, NULL, 64, 0
        WHERE NOT EXISTS (SELECT 1 FROM head) AND NOT EXISTS (SELECT 1 FROM events);
";

/// How much of the log's length an event takes.
pub(super) fn length(data: &[u8], meta: &[u8]) -> u64 {
    data.len() as u64 + meta.len() as u64 + EVENT_OVERHEAD
}

/// Where the event behind this one is, or will be. An event found elsewhere means that one between was removed, or
/// that this one was cut.
pub fn next_position(event: &Recorded) -> Position {
    Position(event.position.0.saturating_add(length(&event.data, &event.meta)))
}

/// Opens the log for writing.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    File {
        path,
        durability: Durability::Machine,
        cache_kib: 16 << 10,
        tables: TABLES,
        version: 1,
    }
    .open()
}

/// Reads the head and holds it against the last event.
pub(super) fn read_head(path: &Path, connection: &Connection) -> Result<Head, OpenError> {
    let failed = OpenError::at(path);
    let damaged = |what: String| OpenError::Damaged {
        path: path.into(),
        what,
    };
    let head = head(connection)
        .map_err(&failed)?
        .ok_or_else(|| damaged("the log has no head".into()))?;
    let last = "SELECT pos, octet_length(data) + octet_length(meta) FROM events ORDER BY pos DESC LIMIT 1";
    let last: Option<(i64, i64)> = connection
        .query_row(last, (), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(&failed)?;
    let (last, next) = match last {
        None => (None, FIRST_POSITION),
        Some((position, bytes)) => {
            let position = position.unsigned_abs();
            (
                Some(Position(position)),
                position + bytes.unsigned_abs() + EVENT_OVERHEAD,
            )
        }
    };
    if head.last != last || head.next != Position(next) {
        let what = format!(
            "its head says {:?} and then {}, its last event {last:?} and then {next}",
            head.last, head.next
        );
        return Err(damaged(what));
    }
    Ok(head)
}

/// The head as it is stored.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT last, next, count FROM head")?
        .query_row((), |row| {
            Ok(Head {
                last: optional_number(row, 0)?.map(Position),
                next: Position(number(row, 1)?),
                count: number(row, 2)?,
            })
        })
        .optional()
}
