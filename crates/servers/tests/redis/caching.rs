//! What a process keeps in memory: never older than what was announced to it, gone with the connection.

use crate::bed::{heard, operate, put, redis, show, store, until, version};
use contract::{Position, UserId, collections::SHOWS};
use ports::{
    ReadStore, VaultError,
    sealing::{Kept, WrappedKeys},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn another_process_finds_what_was_announced_to_it() {
    let server = redis();
    let (writer, reader) = (store(&server, "e"), store(&server, "e"));
    let active = writer.active().await.unwrap();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let reader = reader.clone();
            tokio::spawn(async move {
                let mut seen = 0;
                for round in 1..=500 {
                    heard(&*reader, round).await;
                    let announced = reader.applied().borrow().unwrap().0;
                    for key in ["a", "b"] {
                        let found = version(&*reader, key).await.unwrap().unwrap();
                        assert!(
                            found >= announced.max(seen),
                            "{found}, announced {announced}, seen {seen}"
                        );
                    }
                    seen = version(&*reader, "a").await.unwrap().unwrap();
                }
            })
        })
        .collect();
    for round in 1..=500 {
        let changes = vec![show("a", round), show("b", round)];
        writer.apply(active, changes, Position(round)).await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_an_operator_changed_is_read_again() {
    let server = redis();
    let store = store(&server, "e");
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(1))
        .await
        .unwrap();
    assert_eq!(version(&*store, "a").await.unwrap(), Some(1));
    let key = format!("{{e}}:g{}:shows:a", active.0);
    operate::<()>(&server, &["SET", &key, "2 {}"]);
    let took = until("the new version", async || {
        version(&*store, "a").await.unwrap() == Some(2)
    })
    .await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    operate::<()>(&server, &["SET", &key, "nonsense"]);
    until("the damage", async || version(&*store, "a").await.is_err()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_memory_goes_with_the_connection() {
    let server = redis();
    let store = store(&server, "e");
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(1))
        .await
        .unwrap();
    assert_eq!(version(&*store, "a").await.unwrap(), Some(1));
    server.server().kill();
    // Nobody told us that it changed, because nobody can.
    until("the memory to be gone", async || {
        version(&*store, "a").await.is_err()
    })
    .await;
    server.server().begin().unwrap();
    until("the connection", async || store.ping().await.is_ok()).await;
    let error = version(&*store, "a").await.unwrap_err();
    assert!(error.to_string().contains("holds no documents"), "{error}");
    assert_eq!(*store.applied().borrow(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_is_noticed_at_once() {
    let server = redis();
    let store = store(&server, "e");
    for wipe in [["FLUSHALL"], ["FLUSHDB"]] {
        let active = store.active().await.unwrap();
        store
            .apply(active, vec![show("a", 1)], Position(1))
            .await
            .unwrap();
        assert_eq!(version(&*store, "a").await.unwrap(), Some(1));
        operate::<()>(&server, &wipe);
        let mut said_missing = false;
        until("the store to be empty", async || {
            match version(&*store, "a").await {
                Ok(found) => {
                    said_missing |= found.is_none();
                    false
                }
                Err(_) => true,
            }
        })
        .await;
        assert!(!said_missing, "a document was said not to exist");
        until("readers to be told", async || store.applied().borrow().is_none()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_answers_soon_while_redis_is_silent_or_away() {
    let server = redis();
    let store = store(&server, "e");
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(1))
        .await
        .unwrap();
    let limit = Duration::from_millis(900);
    let soon = async |what: &str| {
        let store: &dyn ReadStore = &*store;
        let slow = async {
            assert!(store.get(&SHOWS, "missing").await.is_err(), "{what}");
            assert!(store.checkpoint(active).await.is_err(), "{what}");
        };
        tokio::time::timeout(limit * 2, slow).await.expect(what);
        let changes = vec![put(&SHOWS, "a", 2, 10)];
        let write = store.apply(active, changes, Position(2));
        assert!(
            tokio::time::timeout(limit, write).await.expect(what).is_err(),
            "{what}"
        );
    };
    server.server().pause();
    soon("silent").await;
    server.server().resume();
    until("the connection", async || store.ping().await.is_ok()).await;
    server.server().kill();
    soon("away").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_is_gone_from_every_process_and_never_comes_back() {
    let server = redis();
    let (one, other) = (store(&server, "e"), store(&server, "e"));
    until("two connections", async || {
        one.ping().await.is_ok() && other.ping().await.is_ok()
    })
    .await;
    let person = UserId(Uuid::from_u128(1));
    assert_eq!(one.get_key(person).await, None);
    WrappedKeys::put(&*one, person, &[1; 60]).await.unwrap();
    WrappedKeys::put(&*other, person, &[2; 60]).await.unwrap();
    for store in [&one, &other, &one] {
        assert_eq!(store.get_key(person).await, Some(Kept::Wrapped(vec![1; 60])));
    }
    one.destroyed(person).await.unwrap();
    assert_eq!(one.get_key(person).await, Some(Kept::Destroyed));
    let took = until("the other to know", async || {
        other.get_key(person).await == Some(Kept::Destroyed)
    })
    .await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    WrappedKeys::put(&*other, person, &[1; 60]).await.unwrap();
    assert_eq!(other.get_key(person).await, Some(Kept::Destroyed));
    one.destroyed(person).await.unwrap();
    server.server().kill();
    let gone = async || {
        matches!(
            WrappedKeys::get(&*one, person).await,
            Err(VaultError::Unavailable(_))
        )
    };
    until("the keys to be away", gone).await;
    assert!(one.destroyed(person).await.is_err());
}

trait GetKey {
    async fn get_key(&self, person: UserId) -> Option<Kept>;
}

impl GetKey for Arc<servers::redis::RedisStore> {
    async fn get_key(&self, person: UserId) -> Option<Kept> {
        WrappedKeys::get(&**self, person).await.unwrap()
    }
}
