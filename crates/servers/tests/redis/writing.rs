//! Writing: one atomic step, by one writer.

use crate::bed::{operate, put, redis, show, store, until, version};
use contract::{
    Position,
    collections::{PARKED, SEAT_MAPS, SHOWS},
};
use ports::{Change, Generation, ReadStore, StoreError};
use servers::redis::{COMPLETE, Error, RedisOptions, RedisStore};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn only_an_address_that_is_none_is_refused() {
    for url in ["", "redis", "http://localhost", "redis://host:port"] {
        assert!(
            matches!(
                RedisStore::connect(RedisOptions::at(url)),
                Err(Error::Malformed(_))
            ),
            "{url}"
        );
    }
    let bad = RedisOptions {
        namespace: "a{b}".into(),
        ..RedisOptions::at("redis://127.0.0.1")
    };
    assert!(matches!(RedisStore::connect(bad), Err(Error::Namespace(_))));
    let port = stack::free_port().unwrap();
    let store = RedisStore::connect(RedisOptions::at(format!("redis://127.0.0.1:{port}"))).unwrap();
    let began = Instant::now();
    assert!(matches!(
        store.get(&SHOWS, "a").await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(began.elapsed() < Duration::from_millis(900));
    assert!(store.health().trouble.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_replaced_is_refused() {
    let server = redis();
    let (old, new) = (store(&server, "e"), store(&server, "e"));
    let active = old.active().await.unwrap();
    old.apply(active, vec![show("a", 1)], Position(1)).await.unwrap();
    assert_eq!(new.checkpoint(active).await.unwrap(), Some(Position(1)));
    new.apply(active, vec![show("a", 2)], Position(2)).await.unwrap();
    // Whoever else asks in the old one's process does not make it believe that it is up to date.
    old.checkpoint(active).await.unwrap();
    let refused = old.apply(active, vec![show("a", 1)], Position(3)).await;
    assert!(refused.unwrap_err().to_string().contains("another writer"));
    assert_eq!(version(&*new, "a").await.unwrap(), Some(2));
    // It looks where it is, and may go on.
    assert_eq!(old.checkpoint(active).await.unwrap(), Some(Position(2)));
    old.apply(active, vec![show("a", 3)], Position(3)).await.unwrap();
    until("the new version", async || {
        version(&*new, "a").await.unwrap() == Some(3)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_timed_out_does_no_harm_when_it_arrives_after_all() {
    let server = redis();
    let store = store(&server, "e");
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(1))
        .await
        .unwrap();
    for round in 0..10 {
        let at = 2 + 2 * round;
        server.server().pause();
        let late = store.apply(active, vec![show("a", at)], Position(at)).await;
        assert!(late.is_err(), "{late:?}");
        server.server().resume();
        // As the projector does: look where it is, and project from there.
        until("a change set to be applied", async || {
            store.checkpoint(active).await.is_ok()
                && store
                    .apply(active, vec![show("a", at + 1)], Position(at + 1))
                    .await
                    .is_ok()
        })
        .await;
        assert_eq!(version(&*store, "a").await.unwrap(), Some(at + 1));
        assert_eq!(store.checkpoint(active).await.unwrap(), Some(Position(at + 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_change_set_is_one_step_as_well() {
    let server = redis();
    let (writer, reader) = (store(&server, "e"), store(&server, "e"));
    let active = writer.active().await.unwrap();
    let large = |version: u64| {
        let mut changes: Vec<Change> = (0..200)
            .map(|n| put(&SEAT_MAPS, &format!("{n}"), version, 50_000)) // 10 MB
            .collect();
        // Twice, and there and gone again: the last word counts.
        changes.insert(0, put(&SEAT_MAPS, "0", 9_999, 100_000));
        changes.push(show("gone", version));
        changes.push(Change::Delete {
            collection: &SHOWS,
            key: "gone".into(),
        });
        changes
    };
    writer.apply(active, large(1), Position(1)).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut last = 0;
        while last < 10 {
            let before = reader.applied().borrow().map_or(0, |position| position.0);
            for key in ["199", "0", "100"] {
                let found = reader.get(&SEAT_MAPS, key).await.unwrap();
                let found = found.map_or(0, |document| document.version);
                // In this order: each read comes after the one before, so none may be older.
                assert!(
                    found >= before.max(last) && found <= 10,
                    "{key}: {found} after {last}, {before}"
                );
                last = found;
            }
        }
    });
    for round in 2..=10 {
        writer.apply(active, large(round), Position(round)).await.unwrap();
        assert_eq!(version(&*writer, "gone").await.unwrap(), None);
    }
    reading.await.unwrap();
    let staged: Vec<String> = operate(&server, &["KEYS", "*staged*"]);
    assert!(staged.is_empty(), "{staged:?}");
    let lives: i64 = operate(&server, &["TTL", &format!("{{e}}:g{}:seat_maps:7", active.0)]);
    assert_eq!(lives, -1, "a document expires");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_generation_leaves_nothing_behind() {
    let server = redis();
    let store = store(&server, "e");
    let old = store.active().await.unwrap();
    let many = || (0..2_000).map(|n| put(&PARKED, &format!("{n}"), 1, 10)).collect();
    store.apply(old, many(), Position(1)).await.unwrap();
    assert_eq!(store.count(&PARKED).await.unwrap(), 2_000);
    let unfinished = store.begin().await.unwrap();
    store.apply(unfinished, many(), Position(1)).await.unwrap();
    let new = store.begin().await.unwrap();
    store.apply(new, vec![show("a", 1)], Position(1)).await.unwrap();
    store.activate(new).await.unwrap();
    assert_eq!(store.count(&PARKED).await.unwrap(), 0);
    until("old documents to be removed", async || {
        let keys: Vec<String> = operate(&server, &["KEYS", "*"]);
        keys.len() == 2
    })
    .await;
    assert_eq!(version(&*store, "a").await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_do_not_go_back_to_a_rebuild_that_is_behind() {
    let server = redis();
    let store = store(&server, "e");
    let old = store.active().await.unwrap();
    let rebuilt = store.begin().await.unwrap();
    store
        .apply(rebuilt, vec![show("a", 1)], Position(9))
        .await
        .unwrap();
    store.apply(old, vec![show("a", 2)], Position(10)).await.unwrap();
    assert!(store.activate(rebuilt).await.is_err());
    assert_eq!(version(&*store, "a").await.unwrap(), Some(2));
    store
        .apply(rebuilt, vec![show("a", 2)], Position(10))
        .await
        .unwrap();
    store.activate(rebuilt).await.unwrap();
    assert_eq!(store.active().await.unwrap(), rebuilt);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_called_complete_only_where_they_are() {
    let server = redis();
    let store = store(&server, "e");
    assert!(store.set_mark(COMPLETE, Position(1)).await.is_err());
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(7))
        .await
        .unwrap();
    assert!(store.set_mark(COMPLETE, Position(6)).await.is_err());
    assert!(!store.health().complete);
    store.set_mark(COMPLETE, Position(7)).await.unwrap();
    assert!(store.health().complete);
    operate::<()>(&server, &["FLUSHALL"]);
    until("the loss to be noticed", async || !store.health().complete).await;
    assert!(store.set_mark(COMPLETE, Position(7)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_drop_documents_is_not_used() {
    let server = redis();
    operate::<()>(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let store = store(&server, "e");
    until("the reason", async || {
        let trouble = store.health().trouble.unwrap_or_default();
        trouble.contains("noeviction")
    })
    .await;
    assert!(store.active().await.is_err());
    operate::<()>(&server, &["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
    until("it to be used", async || store.active().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_a_change_set_as_a_whole() {
    let server = redis();
    let store = store(&server, "e");
    let active = store.active().await.unwrap();
    store
        .apply(active, vec![show("a", 1)], Position(1))
        .await
        .unwrap();
    operate::<()>(&server, &["CONFIG", "SET", "maxmemory", "1mb"]);
    let changes = || {
        let delete = Change::Delete {
            collection: &SHOWS,
            key: "a".into(),
        };
        vec![put(&SHOWS, "b", 2, 100_000), delete]
    };
    assert!(store.apply(active, changes(), Position(2)).await.is_err());
    assert_eq!(store.checkpoint(active).await.unwrap(), Some(Position(1)));
    assert_eq!(version(&*store, "a").await.unwrap(), Some(1));
    operate::<()>(&server, &["CONFIG", "SET", "maxmemory", "0"]);
    store.apply(active, changes(), Position(2)).await.unwrap();
    assert_eq!(version(&*store, "a").await.unwrap(), None);
    assert_eq!(version(&*store, "b").await.unwrap(), Some(2));
    assert!(store.apply(Generation(1), vec![], Position(3)).await.is_err());
}
