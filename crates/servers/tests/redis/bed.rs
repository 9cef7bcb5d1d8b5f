//! What the tests stand on.

use async_trait::async_trait;
use contract::{
    Cause, CommandId, Currency, Event, HoldId, Money, Position, ShowId, StreamEnd, StreamName, Timestamp,
    UserId,
    collections::{Collection, SHOWS},
    events::{Layout, ShowScheduled, Tally, TicketsHeld},
};
use ports::{
    Change, Document, EventLog, Expected, Generation, Query, ReadStore, StoreError, SystemClock,
    embedded::{LogOptions, ReadStoreOptions, SqliteLog, SqliteReadStore},
};
use projector::{Options, Projector};
use servers::redis::{COMPLETE, HOT, RedisOptions, RedisStore};
use stack::{Scratch, redis::Redis};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

/// Longer than anything that is waited for here may take, on a machine that is busy with other things.
const GIVE_UP: Duration = Duration::from_secs(30);

pub fn redis() -> Redis {
    stack::redis::start().unwrap()
}

/// A store of one process.
pub fn store(redis: &Redis, namespace: &str) -> Arc<RedisStore> {
    RedisStore::connect(RedisOptions {
        namespace: namespace.into(),
        ..RedisOptions::at(redis.url())
    })
    .unwrap()
}

/// Sends a command as an operator would, and returns the answer.
pub fn operate<T: redis::FromRedisValue>(server: &Redis, command: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client
        .get_connection_with_timeout(Duration::from_secs(5))
        .unwrap();
    let mut cmd = redis::Cmd::new();
    command.iter().for_each(|word| {
        cmd.arg(*word);
    });
    cmd.query(&mut connection).unwrap()
}

/// Returns when it holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < GIVE_UP, "it never came to this: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

/// Returns when this position was announced.
pub async fn heard(store: &dyn ReadStore, position: u64) {
    let mut applied = store.applied();
    let heard = applied.wait_for(|applied| *applied >= Some(Position(position)));
    tokio::time::timeout(GIVE_UP, heard)
        .await
        .expect("a position is announced")
        .unwrap();
}

pub fn show(key: &str, version: u64) -> Change {
    put(&SHOWS, key, version, 400)
}

/// A document of about this size.
pub fn put(collection: &'static Collection, key: &str, version: u64, bytes: usize) -> Change {
    let body = serde_json::json!({"starts_at_ms": version, "unsettled": 0, "text": "x".repeat(bytes)});
    let document = Arc::new(Document {
        key: key.into(),
        version,
        body: body.to_string().into(),
    });
    Change::Put { collection, document }
}

pub async fn version(store: &dyn ReadStore, key: &str) -> Result<Option<u64>, StoreError> {
    Ok(store.get(&SHOWS, key).await?.map(|document| document.version))
}

/// The other read store, which can be sent away and brought back as it was.
pub struct Base {
    pub store: Arc<SqliteReadStore>,
    away: AtomicBool,
    _folder: Scratch,
}

impl Base {
    pub fn new() -> Arc<Self> {
        let folder = Scratch::new("redis-base").unwrap();
        let store =
            SqliteReadStore::open(&folder.path().join("views.db"), ReadStoreOptions::default()).unwrap();
        Arc::new(Self {
            store,
            away: AtomicBool::new(false),
            _folder: folder,
        })
    }

    pub fn set_away(&self, away: bool) {
        self.away.store(away, SeqCst);
    }

    fn there(&self) -> Result<&SqliteReadStore, StoreError> {
        if self.away.load(SeqCst) {
            return Err(StoreError::Unavailable("sent away".into()));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl ReadStore for Base {
    async fn apply(&self, of: Generation, changes: Vec<Change>, at: Position) -> Result<(), StoreError> {
        self.there()?.apply(of, changes, at).await
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.there()?.checkpoint(generation).await
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        self.there()?.active().await
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        self.there()?.begin().await
    }
    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.there()?.activate(generation).await
    }
    async fn get(&self, of: &'static Collection, key: &str) -> Result<Option<Arc<Document>>, StoreError> {
        self.there()?.get(of, key).await
    }
    async fn get_in(
        &self,
        generation: Generation,
        of: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.there()?.get_in(generation, of, key).await
    }
    async fn find(&self, of: &'static Collection, query: Query) -> Result<Vec<Arc<Document>>, StoreError> {
        self.there()?.find(of, query).await
    }
    async fn count(&self, of: &'static Collection) -> Result<u64, StoreError> {
        self.there()?.count(of).await
    }
    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.store.applied()
    }
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.there()?.mark(name).await
    }
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.there()?.set_mark(name, position).await
    }
}

/// A log of shows on sale. A show's version in the read models is its stream's revision and one.
pub struct Log {
    pub log: Arc<SqliteLog>,
    ends: BTreeMap<StreamName, StreamEnd>,
    commands: u128,
    _folder: Scratch,
}

impl Log {
    pub fn new() -> Self {
        let folder = Scratch::new("redis-log").unwrap();
        let log = SqliteLog::open(&folder.path().join("events.db"), LogOptions::default()).unwrap();
        Self {
            log,
            ends: BTreeMap::new(),
            commands: 0,
            _folder: folder,
        }
    }

    async fn append(&mut self, show: u128, events: Vec<Event>) -> Position {
        let stream = StreamName::show(ShowId(Uuid::from_u128(show)));
        self.commands += 1;
        let cause = Cause {
            correlation: Uuid::from_u128(7),
            actor: "test".into(),
            trace: None,
        };
        let end = self.ends.entry(stream.clone()).or_insert(StreamEnd::NEW);
        let expected = Expected::before(end.next);
        let command = CommandId(Uuid::from_u128(self.commands));
        let events = end.link(&stream, command, &cause, Timestamp(1), events).unwrap();
        self.log.append(&stream, expected, events).await.unwrap().position
    }

    pub async fn schedule(&mut self, show: u128) -> Position {
        let scheduled = ShowScheduled {
            show_id: ShowId(Uuid::from_u128(show)),
            name: "Hamlet".into(),
            description: None,
            starts_at_ms: Timestamp(1_000_000),
            venue: "Globe".into(),
            price: Money::new(5_000, Currency::USD),
            category: None,
            limit_per_user: 4,
            layout: Layout::General { capacity: 1_000_000 },
            scheduled_at_ms: Timestamp(0),
            organiser: None,
            fingerprint: None,
        };
        self.append(show, vec![scheduled.into()]).await
    }

    /// So many tickets are held, one after another, in one append.
    pub async fn sell(&mut self, show: u128, tickets: u32) -> Position {
        let events = (0..tickets)
            .map(|n| {
                let held = TicketsHeld {
                    hold_id: HoldId(Uuid::from_u128(self.commands << 32 | u128::from(n))),
                    user_id: UserId(Uuid::from_u128(9)),
                    reservation_id: None,
                    quantity: 1,
                    seats: vec![],
                    amount: Money::new(5_000, Currency::USD),
                    deadline_ms: Timestamp(600_000),
                    tally: Tally {
                        free: 1_000_000 - n,
                        held: n,
                        sold: 0,
                    },
                    fingerprint: None,
                };
                held.into()
            })
            .collect();
        self.append(show, events).await
    }
}

pub fn show_key(show: u128) -> String {
    ShowId(Uuid::from_u128(show)).to_string()
}

/// A projector run, ended when dropped.
pub struct Run {
    _shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A run that keeps everything, as the one for MongoDB does.
pub fn project(log: &Log, store: Arc<dyn ReadStore>) -> Run {
    run(log, store, Options::default())
}

/// The run that keeps Redis, as the program makes it.
pub fn fill(log: &Log, store: Arc<RedisStore>) -> Run {
    let options = Options {
        collections: &HOT,
        label: "redis",
        complete_mark: Some(COMPLETE),
        longest_pause_ms: 1_000,
        ..Options::default()
    };
    run(log, store, options)
}

fn run(log: &Log, store: Arc<dyn ReadStore>, options: Options) -> Run {
    let (shutdown, told) = watch::channel(false);
    let projector = Projector::new(log.log.clone(), store, Arc::new(SystemClock), options);
    Run {
        _shutdown: shutdown,
        task: tokio::spawn(async move { projector.run(told).await }),
    }
}
