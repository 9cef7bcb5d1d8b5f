//! The vault in MongoDB: a key per person, wrapped by the master key.
//!
//! | collection | |
//! |---|---|
//! | `keys` | `_id`: the person; `wrapped`: nonce, key and tag under the master key, or null once destroyed; `at` |
//! | `secrets` | `pseudonym_key`: the key of the pseudonyms, wrapped likewise |
//!
//! A destroyed key's document stays, without the key, so that nobody makes the person a new one. All writes are on a
//! majority of the nodes, and on their disks, when they are acknowledged. What the servers keep of the past (the
//! oplog, backups) is useless without the master key, and beyond a program's reach.
//!
//! A key is looked for in memory, in the second place ([`WrappedKeys`], when there is one), and then in `keys`. So
//! people can be read while MongoDB is away. A key that another process destroys is used here for [`TRUSTED_FOR`] at
//! the most, as long as the second place has heard of it, and `destroy` fails until it has.

use super::{
    Mongo, MongoError,
    failure::{Failure, Remedy},
};
use ::mongodb::{
    Collection,
    bson::{Binary, Bson, Document, doc, spec::BinarySubtype},
};
use async_trait::async_trait;
use contract::{Digest, Sealed, UserId};
use futures_util::TryStreamExt;
use ports::{
    Rewrapping, Vault, VaultError,
    sealing::{self, Kept, KeyBytes, Masters, PSEUDONYM_KEY, Pseudonyms, Rewrapped, WrappedKeys},
};
use quick_cache::sync::Cache;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How many keys stay unwrapped in memory.
const KNOWN_KEYS: usize = 10_000;
/// How long a key in memory is used without looking again whether it was destroyed.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long the second place is waited for.
const SECOND_PLACE_WITHIN: Duration = Duration::from_millis(250);
/// How many keys one call wraps anew at the most.
const REWRAPPED_AT_ONCE: usize = 200;
/// Under whom the key of the pseudonyms is in the second place: nobody's id.
const OF_PSEUDONYMS: UserId = UserId(Uuid::nil());

/// The vault in MongoDB.
pub struct MongoVault {
    mongo: Mongo,
    keys: Collection<Document>,
    masters: Masters,
    pseudonyms: Pseudonyms,
    second: Option<Arc<dyn WrappedKeys>>,
    known: KnownKeys,
}

impl MongoVault {
    /// The vault of a database. In a new one the key of the pseudonyms is made; of several processes that start
    /// together one makes it, and all take that one. While MongoDB is away it is taken from the second place, so
    /// that a process can start then.
    ///
    /// # Errors
    /// [`MongoError::WrongMasterKey`]; [`MongoError::Unavailable`] when there is no key of the pseudonyms to be had:
    /// try again.
    pub async fn open(
        mongo: &Mongo,
        master: KeyBytes,
        second: Option<Arc<dyn WrappedKeys>>,
    ) -> Result<Arc<Self>, MongoError> {
        Self::open_with(mongo, Masters::new(master, None), second).await
    }

    /// As [`MongoVault::open`], while one master key is exchanged for another: keys that either wrapped are opened,
    /// and [`Vault::rewrap`] wraps them all by the current one. All processes must accept both before the first
    /// wraps by the new one.
    ///
    /// # Errors
    /// As [`MongoVault::open`].
    pub async fn open_with(
        mongo: &Mongo,
        masters: Masters,
        second: Option<Arc<dyn WrappedKeys>>,
    ) -> Result<Arc<Self>, MongoError> {
        let second_place = SecondPlace(second.as_deref());
        let wrapped = match secret(mongo, &masters).await {
            Ok(wrapped) => {
                second_place.put(OF_PSEUDONYMS, &wrapped).await;
                wrapped
            }
            Err(failure) => match second_place.get(OF_PSEUDONYMS).await {
                Some(Kept::Wrapped(wrapped)) => wrapped,
                _ => return Err(failure.into()),
            },
        };
        let pseudonyms = masters.pseudonyms(&wrapped).ok_or(MongoError::WrongMasterKey)?;
        Ok(Arc::new(Self {
            mongo: mongo.clone(),
            keys: mongo.durable("keys"),
            masters,
            pseudonyms,
            second,
            known: KnownKeys::new(),
        }))
    }

    fn second(&self) -> SecondPlace<'_> {
        SecondPlace(self.second.as_deref())
    }

    async fn key(&self, person: UserId) -> Result<KeyBytes, VaultError> {
        if let Some(key) = self.known.get(person) {
            return Ok(key);
        }
        let ticket = self.known.ticket();
        let key = match self.second().get(person).await {
            Some(Kept::Destroyed) => return Err(VaultError::Forgotten),
            // One that does not open is none: what counts is in `keys`.
            Some(Kept::Wrapped(wrapped)) => self.masters.unwrap(person, &wrapped),
            None => None,
        };
        let key = match key {
            Some(key) => key,
            None => self.stored_key(person).await?,
        };
        self.known.fill(ticket, person, key);
        Ok(key)
    }

    async fn stored_key(&self, person: UserId) -> Result<KeyBytes, VaultError> {
        let wrapped = match self.kept(person).await? {
            Some(Kept::Wrapped(wrapped)) => wrapped,
            Some(Kept::Destroyed) => {
                // It may have forgotten that it was told so; this is only to spare the next look.
                let _ = self.second().destroyed(person).await;
                return Err(VaultError::Forgotten);
            }
            None => return Err(VaultError::NoKey),
        };
        let key = self.masters.unwrap(person, &wrapped);
        let key = key.ok_or_else(|| VaultError::Unavailable("a wrapped key does not open".into()))?;
        self.second().put(person, &wrapped).await;
        Ok(key)
    }

    /// What is stored about a person's key.
    async fn kept(&self, person: UserId) -> Result<Option<Kept>, VaultError> {
        let found = self.mongo.call("key", self.keys.find_one(of(person))).await?;
        Ok(found.map(|found| wrapped_in(&found).map_or(Kept::Destroyed, Kept::Wrapped)))
    }
}

/// Wrapping anew. A key is replaced only where the wrapping that was read still stands, so that a destruction in
/// between stays one.
impl MongoVault {
    /// The keys behind a person, in the order of their ids.
    async fn batch(&self, after: Option<UserId>) -> Result<Vec<(UserId, Vec<u8>)>, VaultError> {
        let mut filter = doc! { "wrapped": { "$ne": Bson::Null } };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after.to_string() });
        }
        let limit = i64::try_from(REWRAPPED_AT_ONCE).unwrap_or(i64::MAX);
        let find = self.keys.find(filter).sort(doc! { "_id": 1 }).limit(limit);
        let found = self
            .mongo
            .call("keys", async { find.await?.try_collect::<Vec<_>>().await })
            .await?;
        let key = |found: &Document| {
            let person = found.get_str("_id").ok()?.parse().ok()?;
            Some((person, wrapped_in(found)?))
        };
        let keys: Option<Vec<_>> = found.iter().map(key).collect();
        keys.ok_or_else(|| VaultError::Unavailable("what stands among the keys is none".into()))
    }

    /// One person's key, here and in the second place; true when it was wrapped anew here.
    async fn rewrap_key(&self, person: UserId, wrapped: &[u8]) -> Result<bool, VaultError> {
        let changed = match self.masters.rewrap(person, wrapped)? {
            Rewrapped::Already => false,
            Rewrapped::Anew(anew) => {
                let was = doc! { "_id": person.to_string(), "wrapped": binary(wrapped) };
                let set = doc! { "$set": { "wrapped": binary(&anew), "at": now() } };
                let update = self.keys.update_one(was, set);
                self.mongo.call("rewrap_key", update).await?.modified_count == 1
            }
        };
        self.rewrap_in_second(person, |wrapped| self.masters.rewrap(person, wrapped))
            .await?;
        Ok(changed)
    }

    async fn rewrap_pseudonyms(&self) -> Result<bool, VaultError> {
        let secrets: Collection<Document> = self.mongo.durable("secrets");
        let find = secrets.find_one(doc! { "_id": PSEUDONYM_KEY });
        let found = self.mongo.call("secret", find).await?;
        let wrapped = found.as_ref().and_then(wrapped_in);
        let wrapped =
            wrapped.ok_or_else(|| VaultError::Unavailable("the key of the pseudonyms is gone".into()))?;
        let changed = match self.masters.rewrap_pseudonyms(&wrapped)? {
            Rewrapped::Already => false,
            Rewrapped::Anew(anew) => {
                let was = doc! { "_id": PSEUDONYM_KEY, "wrapped": binary(&wrapped) };
                let set = doc! { "$set": { "wrapped": binary(&anew) } };
                let update = secrets.update_one(was, set);
                self.mongo.call("rewrap_secret", update).await?.modified_count == 1
            }
        };
        self.rewrap_in_second(OF_PSEUDONYMS, |wrapped| self.masters.rewrap_pseudonyms(wrapped))
            .await?;
        Ok(changed)
    }

    /// In the second place, too: what an old master key opens must be nowhere, and what is there must open. One that
    /// does not open is none, as everywhere.
    async fn rewrap_in_second(
        &self,
        person: UserId,
        rewrap: impl Fn(&[u8]) -> Result<Rewrapped, VaultError>,
    ) -> Result<(), VaultError> {
        let Some(second) = &self.second else { return Ok(()) };
        if let Some(Kept::Wrapped(wrapped)) = second.get(person).await?
            && let Ok(Rewrapped::Anew(anew)) = rewrap(&wrapped)
        {
            second.replace(person, &wrapped, &anew).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Vault for MongoVault {
    async fn create_key(&self, person: UserId) -> Result<(), VaultError> {
        if self.known.get(person).is_some() {
            return Ok(());
        }
        let key = sealing::fresh_key()?;
        let wrapped = self.masters.wrap(person, &key)?;
        let ticket = self.known.ticket();
        let document = doc! { "_id": person.to_string(), "wrapped": binary(&wrapped), "at": now() };
        match self
            .mongo
            .call("create_key", self.keys.insert_one(document))
            .await
        {
            Ok(_) => {
                self.second().put(person, &wrapped).await;
                self.known.fill(ticket, person, key);
                Ok(())
            }
            Err(failure) if failure.remedy == Remedy::LookAtIt => match self.kept(person).await? {
                Some(Kept::Destroyed) => Err(VaultError::Forgotten),
                _ => Ok(()),
            },
            Err(failure) => Err(failure.into()),
        }
    }

    async fn seal(&self, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
        sealing::seal(&self.key(person).await?, person, field, clear)
    }

    async fn open(&self, person: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, VaultError> {
        sealing::open(&self.key(person).await?, person, field, sealed)
    }

    async fn destroy(&self, person: UserId) -> Result<(), VaultError> {
        // Also a person without a key: one who is forgotten before they came gets none.
        let set = doc! { "$set": { "wrapped": Bson::Null, "at": now() } };
        let update = self.keys.update_one(of(person), set).upsert(true);
        let destroyed = self.mongo.call("destroy_key", update).await;
        // Whether or not it is known that it went through: it is wanted.
        self.known.remove(person);
        destroyed?;
        let told = self.second().destroyed(person).await;
        // Whoever asked in between may have had it from the second place.
        self.known.remove(person);
        told
    }

    async fn rewrap(&self, after: Option<UserId>) -> Result<Rewrapping, VaultError> {
        if !self.masters.are_two() {
            let next = None;
            return Ok(Rewrapping { rewrapped: 0, next });
        }
        let batch = self.batch(after).await?;
        let mut rewrapped = 0;
        for (person, wrapped) in &batch {
            rewrapped += u64::from(self.rewrap_key(*person, wrapped).await?);
        }
        let next = batch.last().map(|(person, _)| *person);
        if batch.len() == REWRAPPED_AT_ONCE {
            return Ok(Rewrapping { rewrapped, next });
        }
        rewrapped += u64::from(self.rewrap_pseudonyms().await?);
        let next = None;
        Ok(Rewrapping { rewrapped, next })
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest {
        self.pseudonyms.of(purpose, value)
    }
}

/// The wrapped key of the pseudonyms: what is stored, or a new one where nothing is.
async fn secret(mongo: &Mongo, masters: &Masters) -> Result<Vec<u8>, Failure> {
    let secrets: Collection<Document> = mongo.durable("secrets");
    let find = || secrets.find_one(doc! { "_id": PSEUDONYM_KEY });
    let mut found = mongo.call("secret", find()).await?;
    if found.is_none() {
        let fresh = masters
            .fresh_pseudonyms()
            .map_err(|error| Failure::refused(error.to_string()))?;
        let document = doc! { "_id": PSEUDONYM_KEY, "wrapped": binary(&fresh) };
        match mongo.call("secret", secrets.insert_one(document)).await {
            Ok(_) => {}
            Err(failure) if failure.remedy == Remedy::LookAtIt => {}
            Err(failure) => return Err(failure),
        }
        // Read back what a majority has: another process may have been first.
        found = mongo.call("secret", find()).await?;
    }
    let wrapped = found.as_ref().and_then(wrapped_in);
    wrapped.ok_or_else(|| Failure::refused("the key of the pseudonyms is not there yet"))
}

fn of(person: UserId) -> Document {
    doc! { "_id": person.to_string() }
}

fn binary(bytes: &[u8]) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    }
}

/// For operators; nothing here goes by it.
fn now() -> ::mongodb::bson::DateTime {
    ::mongodb::bson::DateTime::now()
}

fn wrapped_in(found: &Document) -> Option<Vec<u8>> {
    match found.get("wrapped") {
        Some(Bson::Binary(wrapped)) => Some(wrapped.bytes.clone()),
        _ => None,
    }
}

/// The second place, which may be absent, away, or slow; none of that keeps the vault from working.
struct SecondPlace<'a>(Option<&'a dyn WrappedKeys>);

impl SecondPlace<'_> {
    async fn get(&self, person: UserId) -> Option<Kept> {
        let found = tokio::time::timeout(SECOND_PLACE_WITHIN, self.0?.get(person)).await;
        found.ok()?.ok()?
    }

    async fn put(&self, person: UserId, wrapped: &[u8]) {
        if let Some(second) = self.0 {
            let _ = tokio::time::timeout(SECOND_PLACE_WITHIN, second.put(person, wrapped)).await;
        }
    }

    async fn destroyed(&self, person: UserId) -> Result<(), VaultError> {
        let Some(second) = self.0 else { return Ok(()) };
        let told = tokio::time::timeout(SECOND_PLACE_WITHIN, second.destroyed(person)).await;
        told.unwrap_or_else(|_| {
            Err(VaultError::Unavailable(
                "the second place of keys does not answer".into(),
            ))
        })
    }
}

/// Unwrapped keys, each for a short time.
///
/// A reader who has fetched a key and is overtaken by its destruction must not bring it back: it takes a ticket
/// before it fetches, and what it has is not kept when a key was destroyed after that.
struct KnownKeys {
    keys: Cache<UserId, (KeyBytes, Instant)>,
    destroyed: Mutex<u64>,
}

/// How many keys had been destroyed, and when.
#[derive(Clone, Copy)]
struct Ticket(u64, Instant);

impl KnownKeys {
    fn new() -> Self {
        Self {
            keys: Cache::new(KNOWN_KEYS),
            destroyed: Mutex::new(0),
        }
    }

    fn get(&self, person: UserId) -> Option<KeyBytes> {
        let (key, at) = self.keys.get(&person)?;
        (at.elapsed() < TRUSTED_FOR).then_some(key)
    }

    fn ticket(&self) -> Ticket {
        let destroyed = self.destroyed.lock().unwrap_or_else(PoisonError::into_inner);
        Ticket(*destroyed, Instant::now())
    }

    fn fill(&self, ticket: Ticket, person: UserId, key: KeyBytes) {
        let destroyed = self.destroyed.lock().unwrap_or_else(PoisonError::into_inner);
        if *destroyed == ticket.0 {
            self.keys.insert(person, (key, ticket.1));
        }
    }

    fn remove(&self, person: UserId) {
        let mut destroyed = self.destroyed.lock().unwrap_or_else(PoisonError::into_inner);
        *destroyed += 1;
        self.keys.remove(&person);
    }
}
