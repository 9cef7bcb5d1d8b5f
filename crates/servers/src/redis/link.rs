//! One life of the connection to Redis, and what it has told us. When it breaks, all that was known goes with it: a
//! new connection begins with an empty cache.
//!
//! Two connections: one is tracked and reads, one is not and writes, so that a large change set does not stand in
//! front of readers.
//!
//! All that is concluded rests on one order, that of the reading connection: Redis puts an invalidation there before
//! the reply to any command that it carries out after the change, and the driver handles both in that order. Hence:
//! whoever has seen a checkpoint here has had every invalidation up to it, and a reply is believed only if nothing
//! was wiped between question and answer.

use super::{
    cache::{ClientCache, Weight},
    keys::{Keys, Named},
    scripts::{Fields, State},
};
use contract::Position;
use ports::{Document, sealing::Kept};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, PushInfo, PushKind, RedisError, Value,
    aio::MultiplexedConnection, cmd,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How long any command may take.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_millis(500);
/// What is cached is given out for so long after the moment up to which the connection is known to be alive: twice
/// the time in which the supervisor finds out (100 ms between heartbeats, 500 ms for an answer), also when the
/// supervisor itself does not run, as after a pause of this process.
const TRUSTED_FOR: Duration = Duration::from_millis(1_200);
/// How many commands may wait to be written.
const QUEUE: usize = 1_024;

impl Weight for Arc<Document> {
    fn bytes(&self) -> u64 {
        self.key.len() as u64 + self.body.len() as u64
    }
}

impl Weight for Kept {
    fn bytes(&self) -> u64 {
        64
    }
}

/// What the connection has told us.
pub(super) struct Seen {
    keys: Arc<Keys>,
    pub documents: ClientCache<Arc<Document>>,
    pub wrapped: ClientCache<Kept>,
    known: Mutex<Known>,
    /// Wakes the supervisor: the state changed, or something is wrong.
    pub stir: Notify,
    ended: AtomicBool,
    /// Up to when it is known to be alive, in nanoseconds since `opened`.
    confirmed: AtomicU64,
    opened: Instant,
}

#[derive(Default)]
struct Known {
    /// `None` = Redis is empty, or nothing was read yet.
    state: Option<State>,
    /// How often all was wiped.
    wipes: u64,
    /// How often we were told that the state is no longer what we know …
    outdated: u64,
    /// … and how often we had been when the state was last asked for that we know.
    current: u64,
}

/// What was known when a reader began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub state: State,
    wipes: u64,
}

/// Whether a reader's answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing happened in between.
    Counts,
    /// The state changed; it must be read before a missing document may be called missing.
    Unsure,
    /// All was wiped.
    Void,
}

impl Seen {
    fn new(keys: Arc<Keys>, cache_bytes: u64) -> Self {
        Self {
            keys,
            documents: ClientCache::new(cache_bytes - cache_bytes / 8),
            wrapped: ClientCache::new(cache_bytes / 8),
            known: Mutex::default(),
            stir: Notify::new(),
            ended: AtomicBool::new(false),
            confirmed: AtomicU64::new(0),
            opened: Instant::now(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Only numbers are in it: whoever panicked holding it left it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now; `None` while Redis is empty.
    pub fn sight(&self) -> Option<Sight> {
        let known = self.known();
        let wipes = known.wipes;
        known.state.map(|state| Sight { state, wipes })
    }

    /// How far the active generation is; the outer `None` while Redis is empty.
    pub fn applied(&self) -> Option<Option<Position>> {
        self.known().state.map(|state| state.applied)
    }

    /// Whether what was read since the sight counts.
    pub fn verdict(&self, sight: &Sight) -> Verdict {
        let known = self.known();
        let swapped = known
            .state
            .is_none_or(|state| (state.born_us, state.active) != (sight.state.born_us, sight.state.active));
        if known.wipes != sight.wipes {
            Verdict::Void
        } else if swapped || known.current != known.outdated {
            Verdict::Unsure
        } else {
            Verdict::Counts
        }
    }

    /// How often all was wiped: to be taken before a question whose answer is given to [`Seen::learn`].
    pub fn wipes(&self) -> u64 {
        self.known().wipes
    }

    /// A writer's script told the state. What was asked before a wipe is not believed.
    pub fn learn(&self, wipes: u64, state: Option<State>) {
        let mut known = self.known();
        if known.wipes == wipes {
            known.state = known.state.max(state);
        }
    }

    /// Ends what was cached and is read through this connection.
    pub fn end(&self) {
        self.ended.store(true, Relaxed);
        self.stir.notify_one();
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    fn confirm(&self, at: Instant) {
        let nanos = at.saturating_duration_since(self.opened).as_nanos();
        self.confirmed
            .fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    }

    /// Up to when it is known to be alive.
    pub fn confirmed(&self) -> Instant {
        self.opened + Duration::from_nanos(self.confirmed.load(Relaxed))
    }

    /// Whether what is cached may be given out.
    pub fn is_trusted(&self, now: Instant) -> bool {
        !self.has_ended() && now.saturating_duration_since(self.confirmed()) < TRUSTED_FOR
    }

    /// Called by the driver's own task, in the order of the connection; must not wait.
    fn heard(&self, push: &PushInfo) {
        match (&push.kind, push.data.first()) {
            (PushKind::Disconnection, _) => self.end(),
            (PushKind::Invalidate, Some(Value::Array(keys))) => keys.iter().for_each(|key| self.changed(key)),
            // No list of keys: all of them (FLUSHALL, FLUSHDB).
            (PushKind::Invalidate, _) => self.wiped(),
            _ => {}
        }
    }

    fn changed(&self, key: &Value) {
        let Value::BulkString(key) = key else { return };
        let Ok(key) = std::str::from_utf8(key) else { return };
        match self.keys.named(key) {
            Named::Document(place) => self.documents.forget(&place),
            Named::Wrapped(place) => self.wrapped.forget(&place),
            Named::State => {
                let mut known = self.known();
                known.outdated = known.outdated.wrapping_add(1);
                drop(known);
                self.stir.notify_one();
            }
            Named::Other => {}
        }
    }

    fn wiped(&self) {
        let mut known = self.known();
        known.wipes = known.wipes.wrapping_add(1);
        known.state = None;
        drop(known);
        self.documents.clear();
        self.wrapped.clear();
        self.stir.notify_one();
    }
}

/// The two connections.
pub(super) struct Link {
    pub seen: Arc<Seen>,
    keys: Arc<Keys>,
    reads: MultiplexedConnection,
    writes: MultiplexedConnection,
}

impl Link {
    /// Connects, turns tracking on, and reads the state.
    pub async fn open(client: &Client, keys: Arc<Keys>, cache_bytes: u64) -> Result<Self, RedisError> {
        let seen = Arc::new(Seen::new(keys.clone(), cache_bytes));
        let config = || {
            let heard = seen.clone();
            AsyncConnectionConfig::new()
                .set_connection_timeout(Some(ANSWERS_WITHIN))
                .set_response_timeout(Some(ANSWERS_WITHIN))
                .set_pipeline_buffer_size(QUEUE)
                .set_push_sender(move |push: PushInfo| {
                    heard.heard(&push);
                    Ok::<(), redis::aio::SendError>(())
                })
        };
        let reads = client
            .get_multiplexed_async_connection_with_config(&config())
            .await?;
        let writes = client
            .get_multiplexed_async_connection_with_config(&config())
            .await?;
        let link = Self {
            seen,
            keys,
            reads,
            writes,
        };
        link.refuse_an_evicting_server().await?;
        // The default mode: Redis remembers which keys this connection has read, and tells each change once.
        let tracking: () = link.read(cmd("CLIENT").arg("TRACKING").arg("ON")).await?;
        let () = tracking;
        link.refresh().await?;
        Ok(link)
    }

    /// A Redis that drops keys when memory is short would make documents look as if they did not exist, to readers
    /// and to the projector. Ours have no expiry, so the `volatile-` policies leave them alone.
    async fn refuse_an_evicting_server(&self) -> Result<(), RedisError> {
        // Who may not ask is believed to have looked.
        let info: String = self.read(cmd("INFO").arg("memory")).await.unwrap_or_default();
        if info.contains("maxmemory_policy:allkeys") {
            return Err(RedisError::from((
                redis::ErrorKind::InvalidClientConfig,
                "its maxmemory-policy evicts documents: set noeviction or one of volatile-*",
            )));
        }
        Ok(())
    }

    /// Asks on the connection that is tracked.
    pub async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let answer = command.query_async(&mut self.reads.clone()).await;
        self.noticed(answer)
    }

    /// For what changes things, and for what must not be tracked.
    pub fn writes(&self) -> MultiplexedConnection {
        self.writes.clone()
    }

    /// A broken or silent connection is looked at at once.
    pub fn noticed<T>(&self, answer: Result<T, RedisError>) -> Result<T, RedisError> {
        if let Err(error) = &answer
            && (error.is_unrecoverable_error() || error.is_timeout())
        {
            self.seen.stir.notify_one();
        }
        answer
    }

    /// Reads the state, which proves as well that all invalidations up to now have been heard.
    pub async fn refresh(&self) -> Result<Fields, RedisError> {
        let asked = Instant::now();
        let (wipes, outdated) = {
            let known = self.seen.known();
            (known.wipes, known.outdated)
        };
        let fields: Fields = self.read(cmd("HGETALL").arg(self.keys.state())).await?;
        let state = State::read(&fields);
        let mut known = self.seen.known();
        if known.wipes == wipes {
            known.state = match state {
                // Redis lost it by other means than a flush.
                None => None,
                state => known.state.max(state),
            };
            known.current = known.current.max(outdated);
        }
        drop(known);
        self.seen.confirm(asked);
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ports::Generation;

    fn state(applied: u64) -> State {
        State {
            born_us: 1,
            changes: 0,
            active: Generation(1),
            applied: Some(Position(applied)),
            complete: true,
        }
    }

    fn invalidate(data: Value) -> PushInfo {
        PushInfo {
            kind: PushKind::Invalidate,
            data: vec![data],
        }
    }

    #[test]
    fn what_was_asked_before_a_wipe_is_not_believed_after_it() {
        let seen = Seen::new(Arc::new(Keys::new("e").unwrap()), 1 << 20);
        seen.learn(seen.wipes(), Some(state(1)));
        let (sight, wipes) = (seen.sight().unwrap(), seen.wipes());
        assert_eq!(seen.verdict(&sight), Verdict::Counts);
        seen.heard(&invalidate(Value::Nil));
        assert_eq!(seen.verdict(&sight), Verdict::Void);
        seen.learn(wipes, Some(state(2)));
        assert!(seen.sight().is_none());
        seen.learn(seen.wipes(), Some(state(2)));
        assert_eq!(seen.verdict(&sight), Verdict::Void);
    }

    #[test]
    fn a_state_never_goes_back_and_an_outdated_one_leaves_readers_unsure() {
        let seen = Seen::new(Arc::new(Keys::new("e").unwrap()), 1 << 20);
        seen.learn(0, Some(state(2)));
        seen.learn(0, Some(state(1)));
        assert_eq!(seen.applied(), Some(Some(Position(2))));
        let sight = seen.sight().unwrap();
        let key = Value::BulkString(b"{e}:state".to_vec());
        seen.heard(&invalidate(Value::Array(vec![key])));
        assert_eq!(seen.verdict(&sight), Verdict::Unsure);
    }

    #[test]
    fn a_connection_that_ended_or_is_silent_is_not_trusted() {
        let seen = Seen::new(Arc::new(Keys::new("e").unwrap()), 1 << 20);
        let now = Instant::now();
        seen.confirm(now);
        assert!(seen.is_trusted(now));
        assert!(!seen.is_trusted(now + TRUSTED_FOR * 2));
        seen.end();
        assert!(!seen.is_trusted(now));
    }
}
