//! Keys among several processes, with a second place for them, and while MongoDB is away.

use crate::bed::{connect, new_database, server, until};
use async_trait::async_trait;
use contract::UserId;
use ports::{
    Vault, VaultError,
    sealing::{Kept, Masters, WrappedKeys},
};
use servers::mongodb::{MongoError, MongoVault};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use uuid::Uuid;

pub const MASTER: [u8; 32] = [9; 32];

/// A second place in memory, as Redis is one.
#[derive(Default)]
pub struct Second {
    kept: Mutex<HashMap<UserId, Kept>>,
    pub away: AtomicBool,
}

impl Second {
    fn there(&self) -> Result<(), VaultError> {
        match self.away.load(Ordering::Acquire) {
            true => Err(VaultError::Unavailable("away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl WrappedKeys for Second {
    async fn get(&self, person: UserId) -> Result<Option<Kept>, VaultError> {
        self.there()?;
        Ok(self.kept.lock().unwrap().get(&person).cloned())
    }

    async fn put(&self, person: UserId, wrapped: &[u8]) -> Result<(), VaultError> {
        self.there()?;
        let mut kept = self.kept.lock().unwrap();
        kept.entry(person)
            .or_insert_with(|| Kept::Wrapped(wrapped.to_vec()));
        Ok(())
    }

    async fn replace(&self, person: UserId, wrapped: &[u8], anew: &[u8]) -> Result<(), VaultError> {
        self.there()?;
        let mut kept = self.kept.lock().unwrap();
        if kept.get(&person) == Some(&Kept::Wrapped(wrapped.to_vec())) {
            kept.insert(person, Kept::Wrapped(anew.to_vec()));
        }
        Ok(())
    }

    async fn destroyed(&self, person: UserId) -> Result<(), VaultError> {
        self.there()?;
        self.kept.lock().unwrap().insert(person, Kept::Destroyed);
        Ok(())
    }
}

fn somebody() -> UserId {
    UserId(Uuid::new_v4())
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_together_have_the_same_pseudonyms() {
    let (server, database) = (server(), new_database());
    let mut starting = Vec::new();
    for _ in 0..8 {
        let mongo = connect(&server, &database).await;
        starting.push(tokio::spawn(async move {
            MongoVault::open(&mongo, MASTER, None).await
        }));
    }
    let mut names = Vec::new();
    for started in starting {
        names.push(started.await.unwrap().unwrap().pseudonym("document", b"12345678"));
    }
    names.dedup();
    assert_eq!(names.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_noticed_at_once() {
    let (server, database) = (server(), new_database());
    let mongo = connect(&server, &database).await;
    MongoVault::open(&mongo, MASTER, None).await.unwrap();
    let other = MongoVault::open(&mongo, [1; 32], None).await;
    assert!(matches!(other, Err(MongoError::WrongMasterKey)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_process_destroys_is_soon_of_no_use_here() {
    let (server, database) = (server(), new_database());
    for second in [None, Some(Arc::new(Second::default()))] {
        let second = second.map(|second| second as Arc<dyn WrappedKeys>);
        let here = MongoVault::open(&connect(&server, &database).await, MASTER, second.clone())
            .await
            .unwrap();
        let there = MongoVault::open(&connect(&server, &database).await, MASTER, second)
            .await
            .unwrap();
        let person = somebody();
        here.create_key(person).await.unwrap();
        there.create_key(person).await.unwrap();
        let sealed = here.seal(person, "name", "Ana").await.unwrap();
        assert_eq!(there.open(person, "name", &sealed).await.unwrap(), "Ana");
        there.destroy(person).await.unwrap();
        let began = std::time::Instant::now();
        until("the key is forgotten here too", async || {
            matches!(
                here.open(person, "name", &sealed).await,
                Err(VaultError::Forgotten)
            )
        })
        .await;
        assert!(began.elapsed().as_millis() < 1_500, "after {:?}", began.elapsed());
        assert!(matches!(
            here.create_key(person).await,
            Err(VaultError::Forgotten)
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_read_from_the_second_place_while_mongodb_is_away() {
    let (server, database) = (stack::mongodb::start_durable().unwrap(), new_database());
    let second = Arc::new(Second::default());
    let vault = MongoVault::open(&connect(&server, &database).await, MASTER, Some(second.clone()))
        .await
        .unwrap();
    let (known, lost) = (somebody(), somebody());
    vault.create_key(known).await.unwrap();
    vault.create_key(lost).await.unwrap();
    let sealed = vault.seal(known, "name", "Ana").await.unwrap();
    let other = vault.seal(lost, "name", "Eva").await.unwrap();
    let pseudonym = vault.pseudonym("document", b"1");
    server.server().kill();
    // Another process, with nothing in memory, starts meanwhile.
    let vault = MongoVault::open(&connect(&server, &database).await, MASTER, Some(second.clone()))
        .await
        .unwrap();
    assert_eq!(vault.pseudonym("document", b"1"), pseudonym);
    assert_eq!(vault.open(known, "name", &sealed).await.unwrap(), "Ana");
    second.kept.lock().unwrap().remove(&lost);
    assert!(matches!(
        vault.open(lost, "name", &other).await,
        Err(VaultError::Unavailable(_))
    ));
    assert!(matches!(
        vault.create_key(somebody()).await,
        Err(VaultError::Unavailable(_))
    ));
    assert!(matches!(
        vault.destroy(known).await,
        Err(VaultError::Unavailable(_))
    ));
    // What was acknowledged is there when the server is back.
    server.server().begin().unwrap();
    until("the other key is there again", async || {
        vault
            .open(lost, "name", &other)
            .await
            .is_ok_and(|name| name == "Eva")
    })
    .await;
    // And was put back where it was missing.
    assert!(second.kept.lock().unwrap().contains_key(&lost));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_destroyed_only_when_the_second_place_knows() {
    let (server, database) = (server(), new_database());
    let second = Arc::new(Second::default());
    let vault = MongoVault::open(&connect(&server, &database).await, MASTER, Some(second.clone()))
        .await
        .unwrap();
    let person = somebody();
    vault.create_key(person).await.unwrap();
    let sealed = vault.seal(person, "name", "Ana").await.unwrap();
    second.away.store(true, Ordering::Release);
    assert!(matches!(
        vault.destroy(person).await,
        Err(VaultError::Unavailable(_))
    ));
    // MongoDB knows already, and is asked.
    assert!(matches!(
        vault.open(person, "name", &sealed).await,
        Err(VaultError::Forgotten)
    ));
    second.away.store(false, Ordering::Release);
    vault.destroy(person).await.unwrap();
    assert_eq!(second.kept.lock().unwrap().get(&person), Some(&Kept::Destroyed));
    assert!(matches!(
        vault.open(person, "name", &sealed).await,
        Err(VaultError::Forgotten)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_key_opens_everything_once_all_is_wrapped_anew_and_the_old_one_nothing() {
    let (server, database) = (server(), new_database());
    let mongo = connect(&server, &database).await;
    let second = Arc::new(Second::default());
    let new = [3; 32];
    let vault = MongoVault::open(&mongo, MASTER, Some(second.clone()))
        .await
        .unwrap();
    let (pseudonym, mut sealed) = (vault.pseudonym("document", b"1"), Vec::new());
    for _ in 0..201 {
        let person = somebody();
        vault.create_key(person).await.unwrap();
        sealed.push((person, vault.seal(person, "name", "Ana").await.unwrap()));
    }
    let forgotten = sealed[0].0;
    vault.destroy(forgotten).await.unwrap();

    let both = MongoVault::open_with(&mongo, Masters::new(new, Some(MASTER)), Some(second.clone()))
        .await
        .unwrap();
    let first = both.rewrap(None).await.unwrap();
    assert_eq!(first.rewrapped, 200);
    // Killed here, another begins anew.
    let (mut rewrapped, mut after) = (0, None);
    loop {
        let step = both.rewrap(after).await.unwrap();
        rewrapped += step.rewrapped;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(rewrapped, 1, "the key of the pseudonyms");

    let alone = MongoVault::open(&mongo, new, Some(second.clone())).await.unwrap();
    assert_eq!(alone.pseudonym("document", b"1"), pseudonym);
    for (person, value) in &sealed[1..] {
        assert_eq!(alone.open(*person, "name", value).await.unwrap(), "Ana");
    }
    let gone = alone.open(forgotten, "name", &sealed[0].1).await;
    assert!(matches!(gone, Err(VaultError::Forgotten)));
    let old = MongoVault::open(&mongo, MASTER, Some(second.clone())).await;
    assert!(matches!(old, Err(MongoError::WrongMasterKey)));
    for (person, kept) in second.kept.lock().unwrap().iter() {
        if let (Kept::Wrapped(wrapped), false) = (kept, person.0.is_nil()) {
            assert!(ports::sealing::unwrap(&MASTER, *person, wrapped).is_none());
            assert!(ports::sealing::unwrap(&new, *person, wrapped).is_some());
        }
    }
}

/// A second place that takes its time to hear of a destruction.
#[derive(Default)]
struct Slow {
    second: Second,
    heard: tokio::sync::Notify,
    goes_on: tokio::sync::Notify,
}

#[async_trait]
impl WrappedKeys for Slow {
    async fn get(&self, person: UserId) -> Result<Option<Kept>, VaultError> {
        self.second.get(person).await
    }

    async fn put(&self, person: UserId, wrapped: &[u8]) -> Result<(), VaultError> {
        self.second.put(person, wrapped).await
    }

    async fn replace(&self, person: UserId, wrapped: &[u8], anew: &[u8]) -> Result<(), VaultError> {
        self.second.replace(person, wrapped, anew).await
    }

    async fn destroyed(&self, person: UserId) -> Result<(), VaultError> {
        self.heard.notify_one();
        self.goes_on.notified().await;
        self.second.destroyed(person).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_while_a_key_is_destroyed_does_not_keep_it() {
    let mongo = connect(&server(), &new_database()).await;
    let second = Arc::new(Slow::default());
    let vault = MongoVault::open(&mongo, MASTER, Some(second.clone()))
        .await
        .unwrap();
    let person = UserId(Uuid::new_v4());
    vault.create_key(person).await.unwrap();
    let sealed = vault.seal(person, "name", "Ana").await.unwrap();
    let destroying = tokio::spawn({
        let vault = vault.clone();
        async move { vault.destroy(person).await }
    });
    second.heard.notified().await;
    // Not destroyed yet as far as anybody was told, so either answer is right.
    let _ = vault.open(person, "name", &sealed).await;
    second.goes_on.notify_one();
    destroying.await.unwrap().unwrap();
    let after = vault.open(person, "name", &sealed).await;
    assert!(matches!(after, Err(VaultError::Forgotten)), "{after:?}");
}
