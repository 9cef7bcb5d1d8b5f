//! The log in EventStoreDB or KurrentDB (22.10 and later), through the `eventstore` crate.
//!
//! What that crate (4.0.0) needs from us, and where it stands:
//!
//! | what it does | what follows | way round |
//! |---|---|---|
//! | no TCP_NODELAY | a call after another takes 44 ms instead of 0.3 | `nodelay` |
//! | a failed connect ends its connection task | `ConnectionClosed` for ever | `connection` makes a new client |
//! | in a cluster it stays with a node that has died | `Unavailable` for ever | `connection` makes a new client |
//! | the task of a client that is dropped never ends | memory, a few kB each | `connection` keeps a client as long as it can |
//! | the first call sleeps `discoveryInterval`, 500 ms | slow start, slow reconnect | `settings` makes it 20 ms, `connection` warms up |
//! | user and password are not percent-decoded | refused, when they have such characters | `settings` |
//! | its parse error repeats the connection string | a password in the log | `settings` |
//! | statuses are text in `ServerError` | *not sent* cannot be told from *unknown* | `fault` |
//! | no time-out on reads and subscriptions | hangs on a silent server | own limits on every call |
//! | raw bytes are sent as `octet-stream` only | the server's UI does not show them | `append` |
//! | its subscription may not be dropped while it is awaited | loses its place | `tail` has it in a task of its own |
//! | a subscription that the server ends with OK spins | a task that never yields | `tail` watches from another task |
//! | one connection for all, 5 MB of flow-control window | three subscriptions that nobody reads block all calls | `tail` reads at once or not at all |
//! | BatchAppend is dead after one failed item | – | not used |
//! | it panics when the platform's certificates cannot be read | `ConnectionClosed`, also without TLS | said by its panic; `SSL_CERT_FILE` names a file that is there |
//! | it panics when a rustls provider is installed already | its task ends at once | connect before whatever else installs one |
//!
//! **Order.** [`EventStoreLog::connect`] comes before anything that installs a default rustls provider.
//!
//! **Positions** are commit positions. Only the transactions of the old TCP protocol, which this platform never
//! wrote and which servers no longer have, gave several events the same one.
//!
//! **Who else writes.** Streams that begin with `$` and events whose type does are the server's: `read_all`, `head`
//! and tails pass over them.

mod append;
mod connection;
mod fault;
mod nodelay;
mod reading;
mod settings;
mod tail;

pub use settings::InvalidUrl;

use append::Append;
use async_trait::async_trait;
use connection::Connection;
use contract::{NewEvent, Position, Recorded, Revision, StreamName};
use ports::{AppendError, Appended, EventLog, Expected, LogError, Tail};
use reading::Reading;
use std::{sync::Arc, time::Duration};
use tail::LogTail;

/// Where the server is, and how long calls may take.
#[derive(Clone, Debug)]
pub struct EventStoreOptions {
    /// `esdb://user:password@host:2113?tls=true&tlsVerifyCert=true`; several hosts with commas, or
    /// `esdb+discover://` for a cluster behind one name; `kurrentdb` is the same as `esdb`. Reserved characters in
    /// user and password are percent-encoded. `nodePreference` stays at the leader, unless what is read may be old.
    pub url: String,
    /// How long a call waits for a connection while there is none.
    pub patience: Duration,
    /// How long the server may take to answer an append, before the outcome counts as unknown. One second more for
    /// every 8 MiB.
    pub append_within: Duration,
    /// How long is then tried to find out.
    pub settle_within: Duration,
    /// How long the server may take for the next piece of an answer to a read.
    pub read_within: Duration,
}

impl Default for EventStoreOptions {
    fn default() -> Self {
        Self {
            url: "esdb://127.0.0.1:2113?tls=false".into(),
            patience: Duration::from_secs(1),
            append_within: Duration::from_secs(3),
            settle_within: Duration::from_secs(2),
            read_within: Duration::from_secs(4),
        }
    }
}

/// The log on a server. Connects, and connects again, by itself; dropping it ends that.
pub struct EventStoreLog {
    connection: Arc<Connection>,
    reading: Reading,
}

impl EventStoreLog {
    /// Begins to connect and returns at once: a server that is absent is no error. Must be called within a Tokio
    /// runtime, and before anything that installs a default rustls provider.
    ///
    /// # Errors
    /// Only when the connection string is none.
    pub fn connect(options: EventStoreOptions) -> Result<Arc<Self>, InvalidUrl> {
        let target = settings::target(&options.url)?;
        let connection = Connection::start(target, options);
        Ok(Arc::new(Self {
            reading: Reading::new(connection.clone()),
            connection,
        }))
    }

    /// Whether the server answered when it was last asked.
    pub fn is_connected(&self) -> bool {
        self.connection.trouble().is_none()
    }

    /// Why there is no connection now.
    pub fn trouble(&self) -> Option<String> {
        self.connection.trouble()
    }

    /// Waits until the server answers.
    ///
    /// # Errors
    /// When it does not within this time.
    pub async fn ready(&self, within: Duration) -> Result<(), LogError> {
        let until = tokio::time::Instant::now() + within;
        match self.connection.link(until).await {
            Ok(_) => Ok(()),
            Err(why) => Err(LogError::Unavailable(why)),
        }
    }
}

#[async_trait]
impl EventLog for EventStoreLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        Append::new(&self.connection, &self.reading, stream, expected, &events)?
            .run()
            .await
    }

    async fn read(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.reading.stream(stream, from, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.reading.all(after, limit).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.reading.head().await
    }

    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(LogTail::new(
            self.connection.clone(),
            self.reading.clone(),
            after,
        )))
    }
}
