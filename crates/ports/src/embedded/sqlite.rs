//! What all SQLite files here have in common: how they are opened, read and kept short.

use rusqlite::{
    Connection, ErrorCode, OpenFlags, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::Semaphore;

/// How long to wait for a lock that another process holds, such as a person looking into the file.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long a checkpoint waits for readers before it leaves the rest for later.
const CHECKPOINT_WAIT: Duration = Duration::from_millis(50);
/// How many pages of 4 KiB a journal may have before they are copied into its file: 64 MiB.
const MAX_JOURNAL_PAGES: i64 = 16_384;

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite refused.
    #[error("cannot open {}: {source}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is not what this program writes, or was damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A later version of this program wrote the file.
    #[error("{} has format {found}; this program knows {known}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The vault was made with another master key.
    #[error("{} was made with another master key", path.display())]
    WrongMasterKey {
        /// Which file.
        path: PathBuf,
    },
    /// The system refused something else that is needed.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl OpenError {
    /// Says which file it was.
    pub(super) fn at(path: &Path) -> impl Fn(rusqlite::Error) -> OpenError + '_ {
        |source| OpenError::Sqlite {
            path: path.into(),
            source,
        }
    }
}

/// What a commit survives.
#[derive(Clone, Copy)]
pub(super) enum Durability {
    /// A crash of the machine: every commit waits for the disk.
    Machine,
    /// A crash of the process. A crash of the machine may lose the last commits, never part of one.
    Process,
}

/// How a file is opened for writing.
pub(super) struct File<'a> {
    pub path: &'a Path,
    pub durability: Durability,
    /// Memory for pages.
    pub cache_kib: u32,
    /// Makes the tables when there are none: `CREATE TABLE IF NOT EXISTS …`.
    pub tables: &'a str,
    /// The format of the tables, kept in `user_version`.
    pub version: i64,
}

impl File<'_> {
    /// Opens the file, makes it when there is none, and makes its tables.
    pub(super) fn open(&self) -> Result<Connection, OpenError> {
        let failed = OpenError::at(self.path);
        let connection = Connection::open(self.path).map_err(&failed)?;
        let synchronous = match self.durability {
            Durability::Machine => "FULL",
            Durability::Process => "NORMAL",
        };
        connection.busy_timeout(LOCK_WAIT).map_err(&failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Checkpoints are the writer's own business: see `Journal`.
        let settings = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -{};
             PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF;",
            self.cache_kib
        );
        connection.execute_batch(&settings).map_err(&failed)?;
        let found: i64 = connection
            .query_row("PRAGMA user_version", (), |row| row.get(0))
            .map_err(&failed)?;
        if found != 0 && found != self.version {
            return Err(OpenError::Version {
                path: self.path.into(),
                found,
                known: self.version,
            });
        }
        let tables = format!(
            "BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT;",
            self.tables, self.version
        );
        connection.execute_batch(&tables).map_err(&failed)?;
        Ok(connection)
    }
}

/// Opens an existing file for reading only.
pub(super) fn open_reader(path: &Path, cache_kib: u32) -> Result<Connection, OpenError> {
    let failed = OpenError::at(path);
    // A reader of a file in WAL mode shares the journal's index with the writer, which takes write access to it;
    // where there is none, reading still works beside a running writer.
    let writable = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, writable)
        .or_else(|_| Connection::open_with_flags(path, read_only))
        .map_err(&failed)?;
    connection.busy_timeout(LOCK_WAIT).map_err(&failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let settings =
        format!("PRAGMA query_only = ON; PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;");
    connection.execute_batch(&settings).map_err(&failed)?;
    Ok(connection)
}

/// A few readers that take turns on the runtime's blocking threads.
pub(super) struct ReadPool<R> {
    idle: Mutex<Vec<R>>,
    turns: Arc<Semaphore>,
}

impl<R: Send + 'static> ReadPool<R> {
    pub(super) fn new(readers: Vec<R>) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(readers.len()));
        Arc::new(Self {
            idle: Mutex::new(readers),
            turns,
        })
    }

    /// Waits for a reader and reads with it on a blocking thread. `None` when the runtime is shutting down. When
    /// the caller stops waiting, the read still ends and gives its reader back.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&mut R) -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let pool = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let mut reader = pool.idle().pop()?;
            let found = read(&mut reader);
            pool.idle().push(reader);
            drop(turn);
            Some(found)
        });
        task.await.ok().flatten()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<R>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a file's journal short.
///
/// Left to itself the journal of a busy file grows without end: it begins anew only when all of it is in the file and
/// nobody reads from it, which under constant writing never happens by itself. The writer can make it happen between
/// two commits, but copying tens of megabytes meanwhile would be felt. So most is copied beside the writer, and then
/// the writer copies what came in the meantime and begins the journal anew. The journal's file keeps its length:
/// writing over it costs the disk half of what growing it costs.
pub(super) struct Journal {
    path: PathBuf,
    limit: i64,
    copying: Option<JoinHandle<()>>,
}

impl Journal {
    /// The journal of this file.
    pub(super) fn of(path: &Path) -> Self {
        Self {
            path: path.into(),
            limit: MAX_JOURNAL_PAGES,
            copying: None,
        }
    }

    /// To be called by the writer between two commits.
    pub(super) fn keep_short(&mut self, connection: &Connection) {
        let pages = checkpoint(connection, "NOOP").map_or(0, |(_, pages)| pages);
        match &self.copying {
            None if pages >= self.limit => self.begin_copying(),
            Some(copying) if copying.is_finished() || pages >= 2 * self.limit => {
                self.finish_copying();
                let begun_anew = wait_for_readers(connection, "RESTART");
                // A reader in the way keeps the rest; not asked again after every commit.
                self.limit = if begun_anew {
                    MAX_JOURNAL_PAGES
                } else {
                    pages + MAX_JOURNAL_PAGES / 4
                };
            }
            _ => {}
        }
    }

    fn begin_copying(&mut self) {
        let path = self.path.clone();
        let copy = move || {
            let copied = open_reader(&path, 64).and_then(|connection| {
                connection
                    .pragma_update(None, "query_only", false)
                    .map_err(OpenError::at(&path))?;
                checkpoint(&connection, "PASSIVE").map_err(OpenError::at(&path))
            });
            if let Err(error) = copied {
                tracing::warn!(%error, "a checkpoint failed; the journal keeps growing until one succeeds");
            }
        };
        match thread::Builder::new().name("checkpoint".into()).spawn(copy) {
            Ok(copying) => self.copying = Some(copying),
            Err(error) => tracing::warn!(%error, "no thread for a checkpoint"),
        }
    }

    fn finish_copying(&mut self) {
        if self.copying.take().is_some_and(|copying| copying.join().is_err()) {
            tracing::error!("a checkpoint had panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finish_copying();
    }
}

/// Copies the whole journal into its file and cuts it to nothing; false when a reader was in the way.
pub(super) fn cut_journal(connection: &Connection) -> bool {
    wait_for_readers(connection, "TRUNCATE")
}

fn wait_for_readers(connection: &Connection, mode: &str) -> bool {
    let done = connection
        .busy_timeout(CHECKPOINT_WAIT)
        .and_then(|()| checkpoint(connection, mode));
    if let Err(error) = connection.busy_timeout(LOCK_WAIT) {
        tracing::warn!(%error, "the lock wait could not be set");
    }
    done.map(|(busy, _)| !busy).unwrap_or_else(|error| {
        tracing::warn!(%error, "a checkpoint failed; the journal keeps growing until one succeeds");
        false
    })
}

/// Runs a checkpoint; returns whether something was in its way, and how many pages the journal has.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(bool, i64)> {
    let mut checkpoint = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
    checkpoint.query_row((), |row| Ok((row.get::<_, i64>(0)? != 0, row.get(1)?)))
}

/// Whether an error says that the file itself is damaged, rather than that it cannot be reached now.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => true,
        _ => false,
    }
}

/// Bytes that are stored as text as they are, without looking whether they are UTF-8.
pub(super) struct Text<'a>(pub &'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// The bytes of a text or blob column.
pub(super) fn bytes<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(rusqlite::Error::InvalidColumnType(
            column,
            column.to_string(),
            other.data_type(),
        )),
    }
}

/// A number as SQLite keeps it. What is past 63 bits is past every stored number.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that is never negative, from a column.
pub(super) fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The same from a column that may be NULL.
pub(super) fn optional_number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => number(row, column).map(Some),
    }
}
