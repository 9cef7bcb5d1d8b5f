//! The read store's writer.

use super::{Shared, no_such, sql};
use crate::{
    Change, Generation, Snapshot, StoreError,
    embedded::{
        commit::Work,
        sqlite::{Journal, Text, stored},
    },
};
use contract::{Position, StreamName, collections::Collection};
use rusqlite::{Connection, params};
use std::{path::Path, sync::Arc, sync::atomic::Ordering, time::Duration};

/// What the writer can be asked.
pub(super) enum Request {
    Apply {
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    },
    Begin,
    Activate(Generation),
    Mark {
        name: String,
        position: Position,
    },
    Snapshot {
        stream: StreamName,
        snapshot: Snapshot,
    },
}

/// What a commit brings about in memory, in order.
enum Effect {
    Applied {
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    },
    Activated {
        generation: Generation,
        checkpoint: Option<Position>,
    },
    Dropped(Generation),
}

/// The two statements that change a collection's table.
struct Statements {
    generation: Generation,
    collection: &'static str,
    put: String,
    delete: String,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    journal: Journal,
    /// A few per generation; kept so that they are not written anew for every document.
    statements: Vec<Statements>,
    effects: Vec<Effect>,
    /// Generations that nobody reads any more and whose tables are still there.
    dropped: Vec<Generation>,
}

impl Writer {
    pub(super) fn new(path: &Path, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            journal: Journal::of(path),
            statements: Vec::new(),
            effects: Vec::new(),
            dropped: Vec::new(),
        }
    }

    fn statements(&mut self, generation: Generation, collection: &'static Collection) -> &Statements {
        let known =
            |known: &Statements| known.generation == generation && known.collection == collection.name;
        let index = self.statements.iter().position(known).unwrap_or_else(|| {
            let table = sql::table(collection, generation);
            self.statements.push(Statements {
                generation,
                collection: collection.name,
                put: format!(
                    "INSERT INTO {table} (key, version, body) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body"
                ),
                delete: format!("DELETE FROM {table} WHERE key = ?1"),
            });
            self.statements.len() - 1
        });
        &self.statements[index]
    }

    fn apply(
        &mut self,
        connection: &Connection,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> rusqlite::Result<Result<Option<Generation>, StoreError>> {
        let mut moved = connection.prepare_cached("UPDATE generations SET checkpoint = ?2 WHERE id = ?1")?;
        if moved.execute(params![generation.0, stored(checkpoint.0)])? == 0 {
            return Ok(Err(no_such(generation)));
        }
        for change in &changes {
            match change {
                Change::Put { collection, document } => {
                    let put = &self.statements(generation, collection).put;
                    let values = params![document.key, stored(document.version), Text(&document.body)];
                    connection.prepare_cached(put)?.execute(values)?;
                }
                Change::Delete { collection, key } => {
                    let delete = &self.statements(generation, collection).delete;
                    connection.prepare_cached(delete)?.execute([key])?;
                }
            }
        }
        self.effects.push(Effect::Applied {
            generation,
            changes,
            checkpoint,
        });
        Ok(Ok(None))
    }

    fn begin(&mut self, connection: &Connection) -> rusqlite::Result<Generation> {
        let generation = sql::next_generation(connection)?;
        self.drop_inactive(connection)?;
        connection.execute(
            "INSERT INTO generations (id, checkpoint, active) VALUES (?1, NULL, 0)",
            [generation.0],
        )?;
        sql::make(connection, generation)?;
        Ok(generation)
    }

    fn activate(
        &mut self,
        connection: &Connection,
        generation: Generation,
    ) -> rusqlite::Result<Result<Option<Generation>, StoreError>> {
        let Some(checkpoint) = sql::checkpoint(connection, generation)? else {
            return Ok(Err(no_such(generation)));
        };
        connection.execute("UPDATE generations SET active = (id = ?1)", [generation.0])?;
        self.drop_inactive(connection)?;
        self.effects.push(Effect::Activated {
            generation,
            checkpoint,
        });
        Ok(Ok(None))
    }

    /// Takes the generations that are not active out of the list; their tables go after the commit.
    fn drop_inactive(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut delete =
            connection.prepare_cached("DELETE FROM generations WHERE active = 0 RETURNING id")?;
        let mut rows = delete.query(())?;
        while let Some(row) = rows.next()? {
            self.effects.push(Effect::Dropped(Generation(row.get(0)?)));
        }
        Ok(())
    }
}

impl Work for Writer {
    type Request = Request;
    type Reply = Result<Option<Generation>, StoreError>;

    fn carry_out(&mut self, connection: &Connection, request: Request) -> rusqlite::Result<Self::Reply> {
        match request {
            Request::Apply {
                generation,
                changes,
                checkpoint,
            } => {
                return self.apply(connection, generation, changes, checkpoint);
            }
            Request::Begin => return self.begin(connection).map(|generation| Ok(Some(generation))),
            Request::Activate(generation) => return self.activate(connection, generation),
            Request::Mark { name, position } => {
                let mut set = connection.prepare_cached(
                    "INSERT INTO marks (name, position) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                )?;
                set.execute(params![name, stored(position.0)])?;
            }
            Request::Snapshot { stream, snapshot } => {
                let mut set = connection.prepare_cached(
                    "INSERT OR REPLACE INTO snapshots (stream, revision, digest, position, form, state)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?;
                let (revision, position) = (stored(snapshot.revision), stored(snapshot.position.0));
                let (digest, form) = (snapshot.digest.0, snapshot.form);
                set.execute(params![
                    stream.as_str(),
                    revision,
                    digest,
                    position,
                    form,
                    snapshot.state
                ])?;
            }
        }
        Ok(Ok(None))
    }

    fn committed(&mut self, _connection: &Connection, _took: Duration) {
        for effect in self.effects.drain(..) {
            match effect {
                // In memory first, then announced: whoever waits for the position finds the documents.
                Effect::Applied {
                    generation,
                    changes,
                    checkpoint,
                } => {
                    self.shared.memory.committed(generation, changes);
                    if generation == self.shared.active() {
                        self.shared.applied.send_replace(Some(checkpoint));
                    }
                }
                Effect::Activated {
                    generation,
                    checkpoint,
                } => {
                    self.shared.active.store(generation.0, Ordering::Release);
                    self.shared.applied.send_replace(checkpoint);
                }
                Effect::Dropped(generation) => self.dropped.push(generation),
            }
        }
    }

    fn rolled_back(&mut self) {
        self.effects.clear();
    }

    fn at_rest(&mut self, connection: &Connection) {
        for generation in self.dropped.drain(..) {
            self.statements.retain(|known| known.generation != generation);
            self.shared.memory.forget(generation);
            // Left over, they are dropped when the store is opened next.
            if let Err(error) = sql::drop_tables(connection, generation) {
                tracing::warn!(%error, generation = generation.0, "a past generation's tables were not dropped");
            }
        }
        self.journal.keep_short(connection);
    }
}
