//! The suite that every read store passes.

use crate::bed::{redis, store};
use async_trait::async_trait;
use contract::{Position, collections::Collection};
use ports::{
    Change, Document, Generation, Query, ReadStore, StoreError,
    conformance::{self, Failed, Fixture, Report},
    embedded::{ReadStoreOptions, SqliteReadStore},
};
use servers::redis::{COMPLETE, FrontedStore, HOT, RedisStore};
use stack::{Scratch, redis::Redis};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;
use uuid::Uuid;

fn all_hold(report: &Report) {
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

/// What a fixture makes its stores of: a namespace, a file, and which generation in Redis belongs to which there.
#[derive(Clone)]
struct Place {
    namespace: String,
    file: PathBuf,
    twins: Arc<Mutex<BTreeMap<Generation, Generation>>>,
}

type Open = fn(&Redis, &Place) -> Result<Arc<dyn ReadStore>, Failed>;

struct Stores {
    server: Redis,
    folder: Scratch,
    current: Mutex<Option<Place>>,
    open: Open,
}

impl Stores {
    fn new(open: Open) -> Self {
        Self {
            server: redis(),
            folder: Scratch::new("redis-conformance").unwrap(),
            current: Mutex::default(),
            open,
        }
    }
}

#[async_trait]
impl Fixture<dyn ReadStore> for Stores {
    async fn fresh(&self) -> Result<Arc<dyn ReadStore>, Failed> {
        let name = Uuid::new_v4().simple().to_string();
        let place = Place {
            file: self.folder.path().join(format!("{name}.db")),
            namespace: name,
            twins: Arc::default(),
        };
        *self.current.lock().unwrap() = Some(place.clone());
        (self.open)(&self.server, &place)
    }

    async fn reopen(&self, port: Arc<dyn ReadStore>) -> Result<Arc<dyn ReadStore>, Failed> {
        drop(port);
        let place = self.current.lock().unwrap().clone().unwrap();
        (self.open)(&self.server, &place)
    }
}

fn base(place: &Place) -> Result<Arc<SqliteReadStore>, Failed> {
    Ok(SqliteReadStore::open(&place.file, ReadStoreOptions::default())?)
}

/// Both stores, written one after the other: what two projector runs come to.
struct Both {
    redis: Arc<RedisStore>,
    fronted: Arc<FrontedStore>,
    twins: Arc<Mutex<BTreeMap<Generation, Generation>>>,
}

impl Both {
    async fn twin(&self, of: Generation) -> Result<Generation, StoreError> {
        let known = self.twins.lock().unwrap().get(&of).copied();
        match known {
            Some(twin) => Ok(twin),
            // Whatever it is, it is not there.
            None if of != self.fronted.active().await? => Ok(Generation(0)),
            None => {
                let twin = self.redis.active().await?;
                self.twins.lock().unwrap().insert(of, twin);
                Ok(twin)
            }
        }
    }
}

#[async_trait]
impl ReadStore for Both {
    async fn apply(&self, of: Generation, changes: Vec<Change>, at: Position) -> Result<(), StoreError> {
        let hot = changes.iter().filter(|change| {
            let (Change::Put { collection, .. } | Change::Delete { collection, .. }) = change;
            HOT.contains(collection)
        });
        let twin = self.twin(of).await?;
        self.redis.apply(twin, hot.cloned().collect(), at).await?;
        if of == self.fronted.active().await? {
            self.redis.set_mark(COMPLETE, at).await?;
        }
        self.fronted.apply(of, changes, at).await
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.fronted.checkpoint(generation).await
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        self.fronted.active().await
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        // While the old one has a twin.
        self.twin(self.fronted.active().await?).await?;
        let twin = self.redis.begin().await?;
        let begun = self.fronted.begin().await?;
        self.twins.lock().unwrap().insert(begun, twin);
        Ok(begun)
    }
    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.redis.activate(self.twin(generation).await?).await?;
        self.fronted.activate(generation).await
    }
    async fn get(&self, of: &'static Collection, key: &str) -> Result<Option<Arc<Document>>, StoreError> {
        self.fronted.get(of, key).await
    }
    async fn get_in(
        &self,
        generation: Generation,
        of: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.fronted.get_in(generation, of, key).await
    }
    async fn find(&self, of: &'static Collection, query: Query) -> Result<Vec<Arc<Document>>, StoreError> {
        self.fronted.find(of, query).await
    }
    async fn count(&self, of: &'static Collection) -> Result<u64, StoreError> {
        self.fronted.count(of).await
    }
    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.fronted.applied()
    }
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.fronted.mark(name).await
    }
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.fronted.set_mark(name, position).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_what_a_read_store_promises() {
    let stores = Stores::new(|server, place| Ok(store(server, &place.namespace)));
    all_hold(&conformance::read_store(&stores).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_in_front_of_another_store_keeps_it() {
    let stores = Stores::new(|server, place| {
        let redis = store(server, &place.namespace);
        let fronted = FrontedStore::new(redis.clone(), base(place)?);
        let twins = place.twins.clone();
        Ok(Arc::new(Both {
            redis,
            fronted,
            twins,
        }))
    });
    all_hold(&conformance::read_store(&stores).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_redis_in_front_of_another_store_keeps_it() {
    let stores =
        Stores::new(|server, place| Ok(FrontedStore::new(store(server, &place.namespace), base(place)?)));
    all_hold(&conformance::read_store(&stores).await);
}
