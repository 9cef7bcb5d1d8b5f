//! The connection that all adapters of one process share.

use super::failure::{Failure, MongoError};
use ::mongodb::{
    Client, Collection, Database,
    bson::{Document, doc},
    error::Result as DriverResult,
    options::{
        Acknowledgment, ClientOptions, CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria,
        WriteConcern,
    },
};
use metrics::{counter, gauge, histogram};
use std::{
    future::IntoFuture,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The database when neither the options nor the connection string name one.
const DEFAULT_DATABASE: &str = "eventflow";
/// How long a server is looked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer is waited for. The driver has no limit of its own for a server that took the question and
/// then fell silent.
const ANSWERS_WITHIN: Duration = Duration::from_millis(2_500);
/// How often a server that was away is asked whether it is back.
const PROBE_EVERY: Duration = Duration::from_millis(50);
/// How many connections, where the connection string does not say. The driver's ten are few for a process that
/// answers thousands of reads.
const CONNECTIONS: u32 = 32;

/// Where the server is, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct MongoOptions {
    /// `mongodb://user:password@host,host/database?options`. What it says about write concern, TLS, credentials
    /// and pool size holds; read preference does not, see the module's page.
    pub url: String,
    /// The database; `None` = the one in the connection string, or `eventflow`.
    pub database: Option<String>,
    /// The name of this process, as it shows in the server's log.
    pub node: String,
}

impl MongoOptions {
    /// The server and database of a connection string.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            database: None,
            node: "eventflow".into(),
        }
    }
}

/// A connection to one database. Cheap to clone. Belongs to the tokio runtime in which it was made.
///
/// While the server is known to be away, calls answer `Unavailable` at once instead of after two seconds each, and
/// one task keeps asking whether it is back.
#[derive(Clone)]
pub struct Mongo {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// The last call got no answer, and nothing has since.
    away: AtomicBool,
}

impl Mongo {
    /// Prepares the connection. The server need not be there: then calls answer `Unavailable` until it is.
    ///
    /// # Errors
    /// [`MongoError::Url`] when the connection string is malformed. For `mongodb+srv` also
    /// [`MongoError::Unavailable`], when its name cannot be resolved.
    pub async fn connect(options: &MongoOptions) -> Result<Self, MongoError> {
        let mut client = ClientOptions::parse(&options.url)
            .await
            .map_err(MongoError::of_url)?;
        client.app_name = Some(options.node.clone());
        client.server_selection_timeout.get_or_insert(PATIENCE);
        client.connect_timeout.get_or_insert(PATIENCE);
        client.max_pool_size.get_or_insert(CONNECTIONS);
        client.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let named = options
            .database
            .clone()
            .or_else(|| client.default_database.clone());
        let client = Client::with_options(client).map_err(MongoError::of_url)?;
        let database = client.database(named.as_deref().unwrap_or(DEFAULT_DATABASE));
        gauge!("eventflow_mongodb_up").set(1.0);
        Ok(Self {
            inner: Arc::new(Inner {
                database,
                away: AtomicBool::new(false),
            }),
        })
    }

    /// Another database of the same server, over the same connections.
    pub fn with_database(&self, name: &str) -> Self {
        let database = self.inner.database.client().database(name);
        Self {
            inner: Arc::new(Inner {
                database,
                away: AtomicBool::new(false),
            }),
        }
    }

    /// Asks the server whether it is there and can be written to.
    ///
    /// # Errors
    /// [`MongoError::Unavailable`], after 2.5 s at the most.
    pub async fn ping(&self) -> Result<(), MongoError> {
        let ping = self.inner.database.run_command(doc! { "ping": 1 });
        self.call("ping", ping).await?;
        Ok(())
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        self.inner.database.name()
    }

    /// The names of all collections, for operators and tests.
    ///
    /// # Errors
    /// [`MongoError::Unavailable`].
    pub async fn collections(&self) -> Result<Vec<String>, MongoError> {
        let names = self.inner.database.list_collection_names();
        Ok(self.call("list", names).await?)
    }

    /// The names of a collection's indexes, for operators and tests.
    ///
    /// # Errors
    /// [`MongoError::Unavailable`].
    pub async fn indexes(&self, collection: &str) -> Result<Vec<String>, MongoError> {
        let collection: Collection<Document> = self.collection(collection);
        Ok(self.call("list", collection.list_index_names()).await?)
    }

    pub(super) fn database(&self) -> &Database {
        &self.inner.database
    }

    /// A collection, with the write concern of the connection string.
    pub(super) fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.inner.database.collection(name)
    }

    /// A collection whose writes are on a majority of the nodes, and on their disks, when they are acknowledged.
    pub(super) fn durable<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        let options = CollectionOptions::builder()
            .read_concern(ReadConcern::majority())
            .write_concern(majority())
            .build();
        self.inner.database.collection_with_options(name, options)
    }

    /// Waits for an answer, not for long, and learns from it whether the server is there.
    pub(super) async fn call<T>(
        &self,
        operation: &'static str,
        work: impl IntoFuture<Output = DriverResult<T>>,
    ) -> Result<T, Failure> {
        self.call_within(ANSWERS_WITHIN, operation, work).await
    }

    /// The same with a limit of its own, for what takes long on much data.
    pub(super) async fn call_within<T>(
        &self,
        limit: Duration,
        operation: &'static str,
        work: impl IntoFuture<Output = DriverResult<T>>,
    ) -> Result<T, Failure> {
        if self.inner.away.load(Ordering::Acquire) {
            return Err(Failure::away("the server is away"));
        }
        let began = Instant::now();
        let outcome = match tokio::time::timeout(limit, work.into_future()).await {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(_) => Err(Failure::away("the server does not answer")),
        };
        histogram!("eventflow_mongodb_seconds", "operation" => operation)
            .record(began.elapsed().as_secs_f64());
        if let Err(failure) = &outcome {
            counter!("eventflow_mongodb_failures_total", "operation" => operation).increment(1);
            if failure.no_answer {
                self.inner.went_away(&failure.why);
            }
        }
        outcome
    }
}

pub(super) fn majority() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build()
}

impl Inner {
    /// Turns calls away from now on, until the server has answered again.
    fn went_away(self: &Arc<Self>, why: &str) {
        if self.away.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!(why, "MongoDB is away");
        gauge!("eventflow_mongodb_up").set(0.0);
        tokio::spawn(probe(Arc::downgrade(self)));
    }
}

/// Asks until the server answers or nobody needs it any more.
async fn probe(of: Weak<Inner>) {
    loop {
        tokio::time::sleep(PROBE_EVERY).await;
        let Some(inner) = of.upgrade() else { return };
        let ping = inner.database.run_command(doc! { "ping": 1 });
        if let Ok(Ok(_)) = tokio::time::timeout(ANSWERS_WITHIN, ping.into_future()).await {
            tracing::info!("MongoDB is back");
            gauge!("eventflow_mongodb_up").set(1.0);
            inner.away.store(false, Ordering::Release);
            return;
        }
    }
}
