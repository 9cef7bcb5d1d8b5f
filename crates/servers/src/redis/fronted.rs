//! Redis in front of another read store (MongoDB).
//!
//! | | both there | without the other store | without Redis |
//! |---|---|---|---|
//! | a hot document by its key | Redis; what it does not have: the other | Redis | the other |
//! | everything else | the other | `Unavailable` | the other |
//! | `applied` | the smaller of both | Redis's | the other's |
//!
//! **A promise is kept by whoever answers.** Whoever has heard a position from `applied` finds its documents: a store
//! answers only while it has come at least as far as was announced. A store that was away and is behind comes back
//! when it has caught up; until then, the other one alone counts, and if there is none, readers are turned away. Only
//! when that takes longer than any request ([`CATCH_UP`]) is the announcement taken back.
//!
//! **Trouble with Redis costs one read, not each.** A read that Redis does not answer within [`PATIENCE`] goes to the
//! other store, and so do all that follow, until a heartbeat was answered that was sent [`PAUSE`] later.

use super::{
    HOT, RedisStore,
    documents::Demand,
    link::Seen,
    standing::{self, FrontedHealth},
};
use async_trait::async_trait;
use contract::{Position, collections::Collection};
use ports::{Change, Document, Generation, Query, ReadStore, StoreError};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long a read waits for Redis before it goes elsewhere: a hundred times what Redis usually takes.
const PATIENCE: Duration = Duration::from_millis(100);
/// After a failure Redis is left alone for so long.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a read waits for the other store when Redis has an answer already.
const SECOND_OPINION: Duration = Duration::from_millis(250);
/// A Redis that is behind the other store for so long without having come to where that was is not waited for.
const MAX_LAG: Duration = Duration::from_secs(1);
/// A store that answers but is behind what was announced is given so long to catch up; longer than any request
/// lasts that may have heard the announcement.
const CATCH_UP: Duration = Duration::from_secs(5);
/// How often it is asked whether the other store is there.
const PROBE: Duration = Duration::from_millis(250);
/// How long it may take to say so.
const PROBE_WITHIN: Duration = Duration::from_millis(500);
/// How often is looked at what nobody tells: that a store went away, or that time has passed.
const LOOK: Duration = Duration::from_millis(50);

/// A read store whose hot documents come from Redis.
pub struct FrontedStore {
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

struct Shared {
    redis: Arc<RedisStore>,
    base: Arc<dyn ReadStore>,
    base_applied: watch::Receiver<Option<Position>>,
    /// What readers may rely on.
    applied: watch::Sender<Option<Position>>,
    base_alive: AtomicBool,
    /// When Redis last failed a read.
    failed: Mutex<Option<Instant>>,
    delays: Mutex<Delays>,
    /// Something happened that changes what may be announced.
    look: Notify,
}

/// Who is behind, and since when.
#[derive(Default)]
struct Delays {
    /// Where Redis is to come to, and since when it is not there.
    redis: Option<(Position, Instant)>,
    /// Since when the other store answers but is behind what was announced.
    base: Option<Instant>,
}

impl FrontedStore {
    /// Redis in front of `base`. Must be called on a Tokio runtime.
    pub fn new(redis: Arc<RedisStore>, base: Arc<dyn ReadStore>) -> Arc<Self> {
        let shared = Arc::new(Shared {
            base_applied: base.applied(),
            applied: watch::Sender::new(None),
            base_alive: AtomicBool::new(true),
            failed: Mutex::default(),
            delays: Mutex::default(),
            look: Notify::new(),
            redis,
            base,
        });
        shared.settle();
        let tasks = [
            tokio::spawn(follow(shared.clone())),
            tokio::spawn(probe(shared.clone())),
        ];
        Arc::new(Self { shared, tasks })
    }

    /// How both stand, from what is known already.
    pub fn health(&self) -> FrontedHealth {
        FrontedHealth {
            redis: self.shared.redis.health(),
            redis_serves: self
                .shared
                .redis_at()
                .is_some_and(|at| at >= self.shared.announced()),
            base_alive: self.shared.base_alive.load(Relaxed),
        }
    }
}

impl Drop for FrontedStore {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Announces what both have come to, as it moves.
async fn follow(shared: Arc<Shared>) {
    let (mut redis, mut base) = (shared.redis.applied(), shared.base.applied());
    let changed = async |watched: &mut watch::Receiver<Option<Position>>| {
        if watched.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    loop {
        shared.settle();
        tokio::select! {
            () = changed(&mut redis) => {}
            () = changed(&mut base) => {}
            () = shared.look.notified() => {}
            () = sleep(LOOK) => {}
        }
    }
}

/// Finds out whether the other store is there, also while nobody reads.
async fn probe(shared: Arc<Shared>) {
    loop {
        let asked = timeout(PROBE_WITHIN, async {
            let active = shared.base.active().await?;
            shared.base.checkpoint(active).await
        });
        shared.set_base_alive(!matches!(
            asked.await,
            Err(_) | Ok(Err(StoreError::Unavailable(_)))
        ));
        sleep(PROBE).await;
    }
}

impl Shared {
    fn announced(&self) -> Option<Position> {
        *self.applied.borrow()
    }

    fn base_at(&self) -> Option<Position> {
        *self.base_applied.borrow()
    }

    /// How far Redis is; the outer `None` when it is not to be used.
    fn redis_at(&self) -> Option<Option<Position>> {
        let link = self.redis.shared.link.borrow();
        let seen = &link.as_ref()?.seen;
        let sight = seen.sight().filter(|sight| sight.state.complete)?;
        self.is_well(seen).then_some(sight.state.applied)
    }

    /// Whether the connection answers, and has since it last failed a read.
    fn is_well(&self, seen: &Seen) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_trusted(Instant::now()) && failed.is_none_or(|failed| seen.confirmed() >= failed + PAUSE)
    }

    fn redis_failed(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.look.notify_one();
    }

    fn set_base_alive(&self, alive: bool) {
        if self.base_alive.swap(alive, Relaxed) != alive {
            if alive {
                tracing::info!("the read store behind Redis answers again");
            } else {
                tracing::warn!("the read store behind Redis is away; Redis answers what it holds");
            }
            self.look.notify_one();
        }
    }

    /// Announces what readers may rely on now.
    fn settle(&self) {
        self.applied.send_if_modified(|announced| {
            let next = self.settled(*announced);
            std::mem::replace(announced, next) != next
        });
    }

    fn settled(&self, announced: Option<Position>) -> Option<Position> {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        let (base_at, now) = (self.base_at(), Instant::now());
        let base_counts = self.base_alive.load(Relaxed) && {
            let since = *delays.base.get_or_insert(now);
            let is_there = base_at >= announced || now.duration_since(since) > CATCH_UP;
            if is_there {
                delays.base = None;
            }
            is_there
        };
        if !self.base_alive.load(Relaxed) {
            delays.base = None;
        }
        let redis_at = self.redis_at().filter(|at| *at >= announced);
        match redis_at {
            Some(at) if base_counts && !delays.is_too_late(at, base_at, now) => at.min(base_at),
            // It comes back when it has caught up with what is announced without it.
            Some(_) | None if base_counts => base_at,
            Some(at) => at,
            None => announced,
        }
    }

    async fn hot(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        let demand = Demand {
            complete: true,
            position: self.announced(),
        };
        let mut missing = false;
        if self.redis_at().is_some_and(|at| at >= demand.position) {
            let redis = &self.redis.shared;
            if let Some(document) = redis.cached(collection, key, demand) {
                return Ok(Some(document));
            }
            match timeout(PATIENCE, redis.read(collection, key, demand)).await {
                Ok(Ok(Some(document))) => return Ok(Some(document)),
                Ok(Ok(None)) => missing = true,
                Ok(Err(StoreError::Damaged(why))) => tracing::error!(why, "a document in Redis is damaged"),
                Ok(Err(StoreError::Unavailable(_))) | Err(_) => self.redis_failed(),
            }
        }
        if missing {
            return self.second_opinion(collection, key).await;
        }
        standing::count(&self.redis.shared.counts.fallbacks);
        self.ask_base(self.base.get(collection, key)).await
    }

    /// Redis is complete and does not have it. The other store is asked as well while it is there: it costs only who
    /// asks for what does not exist, and finds what somebody removed from Redis by hand.
    async fn second_opinion(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        if !self.base_alive.load(Relaxed) {
            return Ok(None);
        }
        match timeout(SECOND_OPINION, self.ask_base(self.base.get(collection, key))).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(StoreError::Unavailable(_))) | Err(_) => Ok(None),
            Ok(Err(damaged)) => Err(damaged),
        }
    }

    /// What the other store says, if it has come as far as was announced.
    async fn ask_base<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.base_at() < self.announced() {
            // It may have caught up just now.
            self.settle();
            if self.base_at() < self.announced() {
                return Err(StoreError::Unavailable("the read models are catching up".into()));
            }
        }
        let answer = answer.await;
        if matches!(answer, Err(StoreError::Unavailable(_))) {
            self.set_base_alive(false);
        }
        answer
    }
}

impl Delays {
    /// Whether Redis has not come to where the other store was `MAX_LAG` ago.
    fn is_too_late(&mut self, redis: Option<Position>, base: Option<Position>, now: Instant) -> bool {
        if self.redis.is_some_and(|(target, _)| redis >= Some(target)) {
            self.redis = None;
        }
        match (self.redis, base) {
            (Some((_, since)), _) => now.duration_since(since) > MAX_LAG,
            (None, Some(base)) if redis < Some(base) => {
                self.redis = Some((base, now));
                false
            }
            (None, _) => false,
        }
    }
}

fn is_hot(collection: &Collection) -> bool {
    HOT.iter().any(|hot| hot.name == collection.name)
}

#[async_trait]
impl ReadStore for FrontedStore {
    /// In the store behind; Redis has a writer of its own.
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        self.shared.base.apply(generation, changes, checkpoint).await?;
        self.shared.settle();
        Ok(())
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.shared.base.checkpoint(generation).await
    }

    async fn active(&self) -> Result<Generation, StoreError> {
        self.shared.base.active().await
    }

    async fn begin(&self) -> Result<Generation, StoreError> {
        self.shared.base.begin().await
    }

    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.shared.base.activate(generation).await?;
        self.shared.settle();
        Ok(())
    }

    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        if is_hot(collection) {
            return self.shared.hot(collection, key).await;
        }
        self.shared.ask_base(self.shared.base.get(collection, key)).await
    }

    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.shared.base.get_in(generation, collection, key).await
    }

    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        self.shared
            .ask_base(self.shared.base.find(collection, query))
            .await
    }

    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        self.shared.ask_base(self.shared.base.count(collection)).await
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.shared.applied.subscribe()
    }

    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.shared.base.mark(name).await
    }

    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.shared.base.set_mark(name, position).await
    }
}
