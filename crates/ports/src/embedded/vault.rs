//! The vault in one SQLite file, `vault.db`: a key per person, wrapped by the master key.
//!
//! | table | |
//! |---|---|
//! | `persons` | `person` (UUID, 16 bytes), `wrapped` (nonce, key and tag under the master key; NULL once destroyed) |
//! | `secrets` | the key of the pseudonyms, wrapped likewise |
//!
//! A destroyed key is overwritten (`secure_delete`) and cut out of the journal before `destroy` returns; its row
//! stays, so that nobody makes the person a new one. What a disk keeps of overwritten blocks is out of a program's
//! reach, and useless without the master key.

use crate::{
    Rewrapping, Vault, VaultError,
    embedded::{
        OpenError,
        commit::{CommitError, GroupCommit, Work},
        sqlite::{Durability, File, Journal, ReadPool, bytes, cut_journal, open_reader},
        write_through::WriteThrough,
    },
    sealing::{self, KeyBytes, Masters, PSEUDONYM_KEY, Pseudonyms, Rewrapped},
};
use async_trait::async_trait;
use contract::{Digest, Sealed, UserId};
use quick_cache::UnitWeighter;
use rusqlite::{Connection, OptionalExtension, params};
use std::{path::Path, sync::Arc, time::Duration};
use uuid::Uuid;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS persons (person BLOB PRIMARY KEY, wrapped BLOB) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
";
/// How many keys stay unwrapped in memory.
const KNOWN_KEYS: usize = 10_000;
/// How many keys one transaction wraps anew: some milliseconds.
const REWRAPPED_AT_ONCE: usize = 500;

type Keys = WriteThrough<UserId, KeyBytes, UnitWeighter>;

/// The embedded vault.
pub struct FileVault {
    masters: Masters,
    pseudonyms: Pseudonyms,
    keys: Arc<Keys>,
    writer: GroupCommit<Writer>,
    readers: Arc<ReadPool<Connection>>,
}

impl FileVault {
    /// Opens the vault, makes it when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a vault, or was made with another master key.
    pub fn open(path: &Path, master: [u8; 32]) -> Result<Arc<Self>, OpenError> {
        Self::open_with(path, Masters::new(master, None))
    }

    /// As [`FileVault::open`], while one master key is exchanged for another: keys that either wrapped are opened,
    /// and [`Vault::rewrap`] wraps them all by the current one.
    ///
    /// # Errors
    /// As [`FileVault::open`].
    pub fn open_with(path: &Path, masters: Masters) -> Result<Arc<Self>, OpenError> {
        let file = File {
            path,
            durability: Durability::Machine,
            cache_kib: 2 << 10,
            tables: TABLES,
            version: 1,
        };
        let connection = file.open()?;
        connection
            .execute_batch("PRAGMA secure_delete = ON")
            .map_err(OpenError::at(path))?;
        // A crash may have come between a destruction and the cutting of the journal that belongs to it.
        let uncut = !cut_journal(&connection);
        let pseudonyms = pseudonyms(path, &connection, &masters)?;
        let keys = Arc::new(Keys::new(KNOWN_KEYS, KNOWN_KEYS as u64, UnitWeighter));
        let work = Writer {
            keys: keys.clone(),
            journal: Journal::of(path),
            effects: Vec::new(),
            uncut,
            masters: masters.clone(),
        };
        let writer = GroupCommit::start("vault-writer", connection, work)?;
        let readers = ReadPool::new(vec![open_reader(path, 1 << 10)?, open_reader(path, 1 << 10)?]);
        Ok(Arc::new(Self {
            masters,
            pseudonyms,
            keys,
            writer,
            readers,
        }))
    }

    async fn key(&self, person: UserId) -> Result<KeyBytes, VaultError> {
        if let Some(key) = self.keys.get(&person) {
            return Ok(key);
        }
        let ticket = self.keys.ticket();
        let found = self
            .readers
            .read(move |connection| wrapped(connection, person))
            .await;
        let found = found.ok_or_else(|| VaultError::Unavailable("the vault is closing".into()))?;
        let wrapped = found.map_err(|error| VaultError::Unavailable(error.to_string()))?;
        let wrapped = wrapped.ok_or(VaultError::NoKey)?.ok_or(VaultError::Forgotten)?;
        let key = self.masters.unwrap(person, &wrapped);
        let key = key.ok_or_else(|| VaultError::Unavailable("a wrapped key does not open".into()))?;
        self.keys.fill(ticket, person, key);
        Ok(key)
    }

    async fn submit(&self, request: Request) -> Result<Done, VaultError> {
        self.writer.submit(request).await.map_err(|error| match error {
            CommitError::RolledBack(why) | CommitError::Unknown(why) => VaultError::Unavailable(why),
        })?
    }
}

#[async_trait]
impl Vault for FileVault {
    async fn create_key(&self, person: UserId) -> Result<(), VaultError> {
        if self.keys.get(&person).is_some() {
            return Ok(());
        }
        let key = sealing::fresh_key()?;
        let wrapped = self.masters.wrap(person, &key)?;
        self.submit(Request::Create { person, key, wrapped })
            .await
            .map(drop)
    }

    async fn seal(&self, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
        sealing::seal(&self.key(person).await?, person, field, clear)
    }

    async fn open(&self, person: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, VaultError> {
        sealing::open(&self.key(person).await?, person, field, sealed)
    }

    async fn destroy(&self, person: UserId) -> Result<(), VaultError> {
        self.submit(Request::Destroy(person)).await.map(drop)
    }

    async fn rewrap(&self, after: Option<UserId>) -> Result<Rewrapping, VaultError> {
        if !self.masters.are_two() {
            return Ok(NOTHING_TO_REWRAP);
        }
        self.submit(Request::Rewrap { after }).await
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest {
        self.pseudonyms.of(purpose, value)
    }
}

/// What a request that does not rewrap is answered, too.
const NOTHING_TO_REWRAP: Rewrapping = Rewrapping {
    rewrapped: 0,
    next: None,
};

/// Reads the key of the pseudonyms, or makes it in a new vault. That it opens proves the master key.
fn pseudonyms(path: &Path, connection: &Connection, masters: &Masters) -> Result<Pseudonyms, OpenError> {
    let failed = OpenError::at(path);
    let select = "SELECT wrapped FROM secrets WHERE name = ?1";
    let found: Option<Vec<u8>> = connection
        .query_row(select, [PSEUDONYM_KEY], |row| row.get(0))
        .optional()
        .map_err(&failed)?;
    let wrapped = match found {
        Some(wrapped) => wrapped,
        None => {
            let wrapped = masters.fresh_pseudonyms().map_err(std::io::Error::other)?;
            let insert = "INSERT INTO secrets (name, wrapped) VALUES (?1, ?2)";
            connection
                .execute(insert, params![PSEUDONYM_KEY, wrapped])
                .map_err(&failed)?;
            wrapped
        }
    };
    masters
        .pseudonyms(&wrapped)
        .ok_or_else(|| OpenError::WrongMasterKey { path: path.into() })
}

/// A person's wrapped key: `None` when there never was one, `Some(None)` when it was destroyed.
fn wrapped(connection: &Connection, person: UserId) -> rusqlite::Result<Option<Option<Vec<u8>>>> {
    let mut select = connection.prepare_cached("SELECT wrapped FROM persons WHERE person = ?1")?;
    let wrapped = |row: &rusqlite::Row<'_>| match row.get_ref(0)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => bytes(row, 0).map(|wrapped| Some(wrapped.to_vec())),
    };
    select.query_row([person.0.as_bytes()], wrapped).optional()
}

enum Request {
    Create {
        person: UserId,
        key: KeyBytes,
        wrapped: Vec<u8>,
    },
    Destroy(UserId),
    Rewrap {
        after: Option<UserId>,
    },
}

/// What a request is answered; only one that rewraps has something to tell.
type Done = Rewrapping;

/// What a commit brings about in memory, in order.
enum Effect {
    Created(UserId, KeyBytes),
    Destroyed(UserId),
    /// A key has another wrapping; in memory it is the same.
    Rewrapped,
}

impl Effect {
    /// What it replaced must not stay in the journal.
    fn leaves_traces(&self) -> bool {
        matches!(self, Effect::Destroyed(_) | Effect::Rewrapped)
    }
}

struct Writer {
    masters: Masters,
    keys: Arc<Keys>,
    journal: Journal,
    effects: Vec<Effect>,
    /// A destroyed key, or an old wrapping, may still be in the journal.
    uncut: bool,
}

impl Writer {
    /// One batch. All of it is read before anything is written, so that a key which does not open leaves nothing
    /// behind.
    fn rewrap(
        &mut self,
        connection: &Connection,
        after: Option<UserId>,
    ) -> rusqlite::Result<Result<Done, VaultError>> {
        let mut select = connection.prepare_cached(
            "SELECT person, wrapped FROM persons WHERE person > ?1 AND wrapped IS NOT NULL
             ORDER BY person LIMIT ?2",
        )?;
        let after = after.map_or(Vec::new(), |person| person.0.as_bytes().to_vec());
        let limit = i64::try_from(REWRAPPED_AT_ONCE).unwrap_or(i64::MAX);
        let found: Vec<(Uuid, Vec<u8>)> = select
            .query_map(params![after, limit], |row| {
                let person: [u8; 16] = row.get(0)?;
                Ok((Uuid::from_bytes(person), row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut anew = Vec::new();
        for (person, wrapped) in &found {
            match self.masters.rewrap(UserId(*person), wrapped) {
                Ok(Rewrapped::Anew(wrapped)) => anew.push((*person, wrapped)),
                Ok(Rewrapped::Already) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        let last = found.len() < REWRAPPED_AT_ONCE;
        let secret = match last {
            true => {
                let select = "SELECT wrapped FROM secrets WHERE name = ?1";
                let wrapped: Vec<u8> = connection.query_row(select, [PSEUDONYM_KEY], |row| row.get(0))?;
                match self.masters.rewrap_pseudonyms(&wrapped) {
                    Ok(Rewrapped::Anew(wrapped)) => Some(wrapped),
                    Ok(Rewrapped::Already) => None,
                    Err(error) => return Ok(Err(error)),
                }
            }
            false => None,
        };
        let rewrapped = (anew.len() + usize::from(secret.is_some())) as u64;
        let mut update = connection.prepare_cached("UPDATE persons SET wrapped = ?2 WHERE person = ?1")?;
        for (person, wrapped) in anew {
            update.execute(params![person.as_bytes(), wrapped])?;
        }
        if let Some(wrapped) = secret {
            let update = "UPDATE secrets SET wrapped = ?2 WHERE name = ?1";
            connection.execute(update, params![PSEUDONYM_KEY, wrapped])?;
        }
        if rewrapped > 0 || last {
            // Also when a run before this one was killed before it could cut the journal.
            self.effects.push(Effect::Rewrapped);
        }
        Ok(Ok(Rewrapping {
            rewrapped,
            next: found.last().map(|(person, _)| UserId(*person)).filter(|_| !last),
        }))
    }
}

impl Work for Writer {
    type Request = Request;
    type Reply = Result<Done, VaultError>;

    fn carry_out(&mut self, connection: &Connection, request: Request) -> rusqlite::Result<Self::Reply> {
        match request {
            Request::Create { person, key, wrapped } => {
                let mut insert = connection.prepare_cached(
                    "INSERT INTO persons (person, wrapped) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?;
                if insert.execute(params![person.0.as_bytes(), wrapped])? == 1 {
                    self.effects.push(Effect::Created(person, key));
                } else if let Some(None) = self::wrapped(connection, person)? {
                    return Ok(Err(VaultError::Forgotten));
                }
            }
            Request::Destroy(person) => {
                // Also a person without a key: one who is forgotten before they came gets none.
                let mut destroy = connection.prepare_cached(
                    "INSERT INTO persons (person, wrapped) VALUES (?1, NULL) ON CONFLICT DO UPDATE SET wrapped = NULL",
                )?;
                destroy.execute([person.0.as_bytes()])?;
                self.effects.push(Effect::Destroyed(person));
            }
            Request::Rewrap { after } => return self.rewrap(connection, after),
        }
        Ok(Ok(NOTHING_TO_REWRAP))
    }

    fn committed(&mut self, connection: &Connection, _took: Duration) {
        if self.effects.is_empty() {
            return;
        }
        self.uncut |= self.effects.iter().any(Effect::leaves_traces);
        self.keys.committed(|cache| {
            for effect in self.effects.drain(..) {
                match effect {
                    Effect::Created(person, key) => cache.insert(person, key),
                    Effect::Destroyed(person) => {
                        cache.remove(&person);
                    }
                    Effect::Rewrapped => {}
                }
            }
        });
        if self.uncut {
            self.uncut = !cut_journal(connection);
        }
    }

    fn rolled_back(&mut self) {
        self.effects.clear();
    }

    fn at_rest(&mut self, connection: &Connection) {
        if self.uncut {
            self.uncut = !cut_journal(connection);
        }
        self.journal.keep_short(connection);
    }
}
