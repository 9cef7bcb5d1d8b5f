//! What all tests need.

use contract::{
    Position,
    collections::{Collection, SHOWS, USERS},
};
use ports::{Change, Document, ReadStore};
use serde_json::json;
use servers::mongodb::{Mongo, MongoOptions, MongoStore};
use stack::mongodb::MongoDb;
use std::{
    future::Future,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The server that tests share which do not break it. Gone with the last of them.
pub fn server() -> Arc<MongoDb> {
    static SHARED: Mutex<Weak<MongoDb>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|broken| broken.into_inner());
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(stack::mongodb::start().unwrap());
        *shared = Arc::downgrade(&started);
        started
    })
}

pub fn new_database() -> String {
    format!("t_{}", Uuid::new_v4().simple())
}

/// A connection of its own, as another process would have.
pub async fn connect(server: &MongoDb, database: &str) -> Mongo {
    connect_to(&server.url(), database).await
}

/// The same for what may outlive the test: it must not keep the server alive.
pub async fn connect_to(url: &str, database: &str) -> Mongo {
    let options = MongoOptions {
        database: Some(database.into()),
        ..MongoOptions::new(url)
    };
    Mongo::connect(&options).await.unwrap()
}

/// A store as another process would have it.
pub async fn store(server: &MongoDb, database: &str) -> Arc<MongoStore> {
    MongoStore::open(&connect(server, database).await).await
}

pub fn put(collection: &'static Collection, key: &str, version: u64) -> Change {
    let body = json!({"starts_at_ms": 1, "category": "rock", "unsettled": 0, "revision": version});
    let document = Document {
        key: key.into(),
        version,
        body: body.to_string().into(),
    };
    Change::Put {
        collection,
        document: Arc::new(document),
    }
}

/// Two documents in two collections, of one version.
pub fn pair(version: u64) -> Vec<Change> {
    vec![put(&SHOWS, "one", version), put(&USERS, "other", version)]
}

/// The versions of the two, and the checkpoint: all the same when nothing is half applied.
pub async fn found(store: &dyn ReadStore) -> [u64; 3] {
    let active = store.active().await.unwrap();
    let version = async |collection, key| {
        let found = store.get(collection, key).await.unwrap();
        found.map_or(0, |found| found.version)
    };
    let checkpoint = store.checkpoint(active).await.unwrap();
    [
        version(&SHOWS, "one").await,
        version(&USERS, "other").await,
        checkpoint.map_or(0, |position| position.0),
    ]
}

/// Projects as a projector does, until it has reached `until`: reads where to begin, applies one after another, and
/// begins again after a failure. Gives how many change sets were applied for all this one knows.
pub async fn project(store: &dyn ReadStore, until: u64) -> u64 {
    let (mut applied, mut failure) = (0, String::new());
    let give_up = Instant::now() + Duration::from_secs(60);
    while Instant::now() < give_up {
        let Ok(active) = store.active().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Ok(checkpoint) = store.checkpoint(active).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut at = checkpoint.map_or(0, |position| position.0);
        while at < until {
            match store.apply(active, pair(at + 1), Position(at + 1)).await {
                Ok(()) => (at, applied) = (at + 1, applied + 1),
                Err(error) => {
                    failure = error.to_string();
                    break;
                }
            }
        }
        if at >= until {
            return applied;
        }
    }
    panic!("{until} was not reached in time: {failure}");
}

/// Waits until it holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < give_up, "it never came about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
