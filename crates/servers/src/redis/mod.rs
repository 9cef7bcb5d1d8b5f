//! The hot read models in Redis: shows with their availability, seat maps and people, as bytes that are ready to be
//! sent, each under a key of its own. All of it can be made again from the log.
//!
//! | key | |
//! |---|---|
//! | `{eventflow}:g1790000000:shows:<id>` | a document: its version, a space, its body |
//! | `{eventflow}:state` | which generation readers see, how far each is, and marks; see `scripts.rs` |
//! | `{eventflow}:vault:<person>` | a person's key, wrapped by the master key; see `wrapped.rs` |
//! | `{eventflow}:staged:…` | values on their way into documents; they expire after a minute |
//!
//! ```text
//! redis-cli get '{eventflow}:g1790000000:shows:0197…'
//! redis-cli hgetall '{eventflow}:state'
//! ```
//!
//! **Writing.** A projector run of its own follows the log and keeps these collections ([`HOT`]) here, whatever
//! happens to MongoDB. A change set and its checkpoint are one script. The script is fenced by the checkpoint that
//! this writer knew: neither a writer that was replaced nor a call that timed out and arrives late can put old
//! documents over newer ones.
//!
//! **Losing.** A Redis that comes back empty, or is flushed, has no state: readers are turned away ("not ready"), the
//! run hears that its position is gone and fills it again from the start of the log. Until that has seen the end of
//! the log once ([`COMPLETE`]), what is missing here is not taken for missing.
//!
//! **Reading.** See `link.rs` for why what is cached in this process is never older than a checkpoint that was
//! announced, and `fronted.rs` for how Redis stands in front of MongoDB.
//!
//! **On a Redis Cluster** all keys share one slot, so all works and nothing is spread: enough for a few hundred
//! thousand reads a second, because what is hot is answered from memory in each process. To spread the load, documents
//! would be partitioned by their key: `{eventflow:17}`, with 17 = hash of the key, so that a show, its availability
//! and its seat map stay together; each partition with a state and a checkpoint of its own, moved in every partition
//! by every change set (an empty one where nothing changed). A reader then needs only the partition of the key it
//! reads, and `applied` is the smallest of all.
//!
//! Needs Redis 6 or later (RESP3 and tracking) and a `maxmemory-policy` that does not evict keys without expiry.

mod cache;
mod documents;
mod fence;
mod finding;
mod fronted;
mod keys;
mod link;
mod scripts;
mod standing;
mod store;
mod supervisor;
mod wrapped;

pub use fronted::FrontedStore;
pub use scripts::COMPLETE;
pub use standing::{FrontedHealth, RedisHealth};

use contract::{
    Position,
    collections::{self, Collection},
};
use keys::Keys;
use link::Link;
use ports::StoreError;
use redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisError, cmd};
use scripts::Scripts;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{sync::watch, task::JoinHandle};

/// The collections that Redis holds: what is read by id, often, and by everybody. (`projector::Options::collections`.)
pub static HOT: [&Collection; 5] = [
    &collections::SHOWS,
    &collections::SEAT_MAPS,
    &collections::USERS,
    &collections::RECENT,
    &collections::REVOCATIONS,
];

/// What a process uses of its memory for documents, unless told otherwise.
const CACHE_BYTES: u64 = 32 << 20;

/// Where Redis is and how it is used.
pub struct RedisOptions {
    /// `redis://[user:password@]host[:port][/database]`
    pub url: String,
    /// The prefix of all keys.
    pub namespace: String,
    /// How many bytes of documents this process keeps in memory.
    pub cache_bytes: u64,
}

impl RedisOptions {
    /// The usual ones.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "eventflow".into(),
            cache_bytes: CACHE_BYTES,
        }
    }
}

/// Why there can be no store. A Redis that is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be one. It is not repeated: it may hold a password.
    #[error("the address of Redis is not a URL such as redis://host:6379/0: {0}")]
    Malformed(String),
    /// The prefix would not be one.
    #[error("the namespace must be a word of letters, digits, '-', '_', '.' and ':', not {0:?}")]
    Namespace(String),
}

/// Documents in Redis. Every call answers within half a second for each command that it takes, at once while there is
/// no connection, and says `Unavailable` while Redis is away, silent or empty. Connects by itself, again and again.
pub struct RedisStore {
    shared: Arc<Shared>,
    supervisor: JoinHandle<()>,
}

/// What the store and its supervisor have in common.
struct Shared {
    client: Client,
    keys: Arc<Keys>,
    cache_bytes: u64,
    scripts: Scripts,
    /// The connection, while there is one.
    link: watch::Sender<Option<Arc<Link>>>,
    /// What readers wait on. Keeps its last value while there is no connection.
    applied: watch::Sender<Option<Position>>,
    fences: fence::Fences,
    counts: standing::Counts,
    /// Why there is no connection.
    trouble: Mutex<Option<String>>,
}

impl RedisStore {
    /// A store at this address. Returns at once; the first calls wait for the first connection, half a second at the
    /// most. Must be called on a Tokio runtime.
    ///
    /// # Errors
    /// Only when the address or the namespace cannot be one.
    pub fn connect(options: RedisOptions) -> Result<Arc<Self>, Error> {
        let keys =
            Keys::new(&options.namespace).ok_or_else(|| Error::Namespace(options.namespace.clone()))?;
        let malformed = |error: RedisError| Error::Malformed(error.to_string());
        let info = options.url.trim().into_connection_info().map_err(malformed)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        // Without it every small command may wait 40 ms for the acknowledgement of the one before.
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let shared = Arc::new(Shared {
            client: Client::open(info).map_err(malformed)?,
            keys: Arc::new(keys),
            cache_bytes: options.cache_bytes,
            scripts: Scripts::new(),
            link: watch::Sender::new(None),
            applied: watch::Sender::new(None),
            fences: fence::Fences::default(),
            counts: standing::Counts::default(),
            trouble: Mutex::new(Some("it was not connected to yet".into())),
        });
        let supervisor = tokio::spawn(supervisor::run(shared.clone()));
        Ok(Arc::new(Self { shared, supervisor }))
    }

    /// Asks Redis whether it is there.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer within half a second.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let link = self.shared.link().await?;
        let answer: Result<String, RedisError> = link.read(&cmd("PING")).await;
        answer.map(drop).map_err(|error| unavailable(&error))
    }

    /// How it stands, from what is known already.
    pub fn health(&self) -> RedisHealth {
        let link = self.shared.link.borrow().clone();
        let sight = link.as_ref().and_then(|link| link.seen.sight());
        let trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        RedisHealth {
            connected: link.is_some_and(|link| link.seen.is_trusted(Instant::now())),
            complete: sight.is_some_and(|sight| sight.state.complete),
            position: sight.and_then(|sight| sight.state.applied),
            trouble: trouble.clone(),
        }
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

impl Shared {
    /// The connection; waits for one for as long as a command may take.
    async fn link(&self) -> Result<Arc<Link>, StoreError> {
        if let Some(link) = &*self.link.borrow() {
            return Ok(link.clone());
        }
        let mut links = self.link.subscribe();
        // Only the first one is waited for: later, whoever asks has somewhere else to go.
        let waited = tokio::time::timeout(link::ANSWERS_WITHIN, async {
            match links
                .wait_for(|link| link.is_some() || self.counts.has_connected())
                .await
            {
                Ok(link) => link.clone(),
                Err(_) => None,
            }
        });
        let link = waited.await.ok().flatten();
        link.ok_or_else(|| {
            let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            StoreError::Unavailable(format!(
                "redis: {}",
                trouble.as_deref().unwrap_or("no connection")
            ))
        })
    }

    /// Tells readers how far the active generation is, as this connection knows it.
    fn announce(&self, link: &Link) {
        if !self
            .link
            .borrow()
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.seen, &link.seen))
        {
            return;
        }
        self.applied.send_if_modified(|announced| {
            // Looked at in here, where announcements stand in a row: a later one never tells less.
            let applied = link.seen.applied().flatten();
            std::mem::replace(announced, applied) != applied
        });
    }
}

fn unavailable(error: &RedisError) -> StoreError {
    StoreError::Unavailable(format!("redis: {error}"))
}

fn empty() -> StoreError {
    StoreError::Unavailable("redis holds no documents yet".into())
}
