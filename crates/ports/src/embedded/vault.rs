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
    Vault, VaultError,
    embedded::{
        OpenError,
        commit::{CommitError, GroupCommit, Work},
        sqlite::{Durability, File, Journal, ReadPool, bytes, cut_journal, open_reader},
        write_through::WriteThrough,
    },
};
use aes_gcm::{
    Aes256Gcm, Key, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use async_trait::async_trait;
use contract::{Digest, Sealed, UserId};
use hmac::{Hmac, Mac};
use quick_cache::UnitWeighter;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::Sha256;
use std::{path::Path, sync::Arc, time::Duration};
use uuid::Uuid;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS persons (person BLOB PRIMARY KEY, wrapped BLOB) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
";
/// The name of the pseudonyms' key, and what it is sealed for.
const PSEUDONYM_KEY: &str = "pseudonym_key";
/// The field that a person's key is sealed for, under the master key.
const PERSON_KEY: &str = "person_key";
/// How many keys stay unwrapped in memory.
const KNOWN_KEYS: usize = 10_000;
const NONCE_BYTES: usize = 12;

type KeyBytes = [u8; 32];
type Keys = WriteThrough<UserId, KeyBytes, UnitWeighter>;

/// The embedded vault.
pub struct FileVault {
    master: KeyBytes,
    /// Begun with the key of the pseudonyms.
    pseudonyms: Hmac<Sha256>,
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
        let key = pseudonym_key(path, &connection, &master)?;
        let pseudonyms =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key).map_err(std::io::Error::other)?;
        let keys = Arc::new(Keys::new(KNOWN_KEYS, KNOWN_KEYS as u64, UnitWeighter));
        let work = Writer {
            keys: keys.clone(),
            journal: Journal::of(path),
            effects: Vec::new(),
            uncut: false,
        };
        let writer = GroupCommit::start("vault-writer", connection, work)?;
        let readers = ReadPool::new(vec![open_reader(path, 1 << 10)?, open_reader(path, 1 << 10)?]);
        Ok(Arc::new(Self {
            master,
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
        let key = decrypt(&self.master, person.0, PERSON_KEY, &wrapped).and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(|| VaultError::Unavailable("a wrapped key does not open".into()))?;
        self.keys.fill(ticket, person, key);
        Ok(key)
    }

    async fn submit(&self, request: Request) -> Result<(), VaultError> {
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
        let mut key = KeyBytes::default();
        getrandom::fill(&mut key).map_err(|error| VaultError::Unavailable(error.to_string()))?;
        let wrapped = encrypt(&self.master, person.0, PERSON_KEY, &key)?;
        self.submit(Request::Create { person, key, wrapped }).await
    }

    async fn seal(&self, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
        let key = self.key(person).await?;
        encrypt(&key, person.0, field, clear.as_bytes()).map(Sealed::from_bytes)
    }

    async fn open(&self, person: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, VaultError> {
        let key = self.key(person).await?;
        let clear = decrypt(&key, person.0, field, sealed.as_bytes()).ok_or(VaultError::Altered)?;
        String::from_utf8(clear).map_err(|_| VaultError::Altered)
    }

    async fn destroy(&self, person: UserId) -> Result<(), VaultError> {
        self.submit(Request::Destroy(person)).await
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest {
        let mut mac = self.pseudonyms.clone();
        // With its length in front, so that no two pairs of purpose and value are the same input.
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(value);
        Digest(mac.finalize().into_bytes().into())
    }
}

/// Reads the key of the pseudonyms, or makes it in a new vault. That it opens proves the master key.
fn pseudonym_key(path: &Path, connection: &Connection, master: &KeyBytes) -> Result<KeyBytes, OpenError> {
    let failed = OpenError::at(path);
    let select = "SELECT wrapped FROM secrets WHERE name = ?1";
    let found: Option<Vec<u8>> = connection
        .query_row(select, [PSEUDONYM_KEY], |row| row.get(0))
        .optional()
        .map_err(&failed)?;
    if let Some(wrapped) = found {
        let key = decrypt(master, Uuid::nil(), PSEUDONYM_KEY, &wrapped).and_then(|key| key.try_into().ok());
        return key.ok_or_else(|| OpenError::WrongMasterKey { path: path.into() });
    }
    let mut key = KeyBytes::default();
    getrandom::fill(&mut key).map_err(std::io::Error::from)?;
    let wrapped = encrypt(master, Uuid::nil(), PSEUDONYM_KEY, &key).map_err(std::io::Error::other)?;
    let insert = "INSERT INTO secrets (name, wrapped) VALUES (?1, ?2)";
    connection
        .execute(insert, params![PSEUDONYM_KEY, wrapped])
        .map_err(&failed)?;
    Ok(key)
}

/// AES-256-GCM with a fresh nonce, bound to owner and field: nonce, ciphertext, tag.
fn encrypt(key: &KeyBytes, owner: Uuid, field: &str, clear: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| VaultError::Unavailable(error.to_string()))?;
    let payload = Payload {
        msg: clear,
        aad: &additional_data(owner, field),
    };
    let sealed = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| VaultError::Unavailable("the value is too large to be sealed".into()))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The clear bytes; `None` when the key, the owner or the field is another, or a byte was altered.
fn decrypt(key: &KeyBytes, owner: Uuid, field: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: sealed,
        aad: &additional_data(owner, field),
    };
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .decrypt(&Nonce::from(*nonce), payload)
        .ok()
}

fn additional_data(owner: Uuid, field: &str) -> Vec<u8> {
    [owner.as_bytes().as_slice(), field.as_bytes()].concat()
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
}

/// What a commit brings about in memory, in order.
enum Effect {
    Created(UserId, KeyBytes),
    Destroyed(UserId),
}

struct Writer {
    keys: Arc<Keys>,
    journal: Journal,
    effects: Vec<Effect>,
    /// A destroyed key may still be in the journal.
    uncut: bool,
}

impl Work for Writer {
    type Request = Request;
    type Reply = Result<(), VaultError>;

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
        }
        Ok(Ok(()))
    }

    fn committed(&mut self, connection: &Connection, _took: Duration) {
        if self.effects.is_empty() {
            return;
        }
        self.uncut |= self
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Destroyed(_)));
        self.keys.committed(|cache| {
            for effect in self.effects.drain(..) {
                match effect {
                    Effect::Created(person, key) => cache.insert(person, key),
                    Effect::Destroyed(person) => {
                        cache.remove(&person);
                    }
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
