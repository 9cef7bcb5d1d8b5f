//! The servers, each behind its port.

use crate::{
    ProgramError,
    operations::{
        DeadLetters,
        dependencies::{Dependency, Look},
    },
    settings::Settings,
};
use contract::ReservationId;
use ports::{Broker, Clock, EventLog, Payments, ReadStore, Snapshots, SystemClock, Vault, sealing::Masters};
use servers::{
    eventstore::{EventStoreLog, EventStoreOptions},
    mongodb::{LeaseOptions, Mongo, MongoLease, MongoOptions, MongoStore, MongoVault},
    payments::HttpPayments,
    rabbitmq::{RabbitBroker, RabbitOptions},
    redis::{FrontedStore, RedisOptions, RedisStore},
};
use std::{future::Future, sync::Arc, time::Duration};
use uuid::Uuid;

/// How long is waited before a server that is away is tried again at the start.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How many deliveries a lane may have unanswered: all who wait in line for its shows, and who sells to them.
const LANE_PREFETCH: u16 = 16_384;
/// How many may wait in line for one show: fewer than that, so that whoever sells gets through.
pub(super) const LINE: usize = LANE_PREFETCH as usize / 2;

/// Everything that stands behind a node. Servers that are away come back by themselves.
pub(super) struct Backends {
    pub log: Arc<EventStoreLog>,
    pub broker: Arc<RabbitBroker>,
    pub mongo: Arc<MongoStore>,
    database: Mongo,
    pub redis: Arc<RedisStore>,
    pub reads: Arc<FrontedStore>,
    pub vault: Arc<MongoVault>,
    pub payments: Arc<HttpPayments>,
    pub lease: Arc<MongoLease>,
    pub clock: Arc<dyn Clock>,
}

impl Backends {
    /// Connects to all of them; waits for those without which the node cannot know what it must.
    pub async fn connect(settings: &Settings, node: &str) -> Result<Self, ProgramError> {
        let also = settings.master_key_previous.as_ref().map(|key| key.0);
        let masters = Masters::new(settings.shared_master_key()?, also);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let log = EventStoreLog::connect(EventStoreOptions {
            url: settings.eventstore_url.clone(),
            ..EventStoreOptions::default()
        })
        .map_err(|error| unusable("eventstore_url", &error))?;
        let options = RabbitOptions {
            namespace: settings.namespace.clone(),
            lanes: settings.lanes,
            shared: &[
                orchestrator::SUBSCRIPTION,
                command_side::forget::worker::SUBSCRIPTION,
            ],
            prefetch_asks: LANE_PREFETCH,
            ..RabbitOptions::new(&settings.rabbitmq_url, node)
        };
        // It would be tried for ever.
        options
            .check()
            .map_err(|why| ProgramError::Refused(format!("rabbitmq_url (EVENTFLOW_RABBITMQ_URL): {why}")))?;
        let broker = RabbitBroker::connect(options, clock.clone()).await;
        let options = MongoOptions {
            node: node.to_string(),
            ..MongoOptions::new(&settings.mongodb_url)
        };
        let database = Mongo::connect(&options)
            .await
            .map_err(|error| unusable("mongodb_url", &error))?;
        let mongo = MongoStore::open(&database).await;
        let redis = RedisStore::connect(RedisOptions {
            namespace: settings.namespace.clone(),
            ..RedisOptions::at(&settings.redis_url)
        })
        .map_err(|error| unusable("redis_url", &error))?;
        let payments = HttpPayments::connect(&settings.payments_url)
            .map_err(|error| unusable("payments_url", &error))?;
        let vault = patiently("MongoDB, for the key of the pseudonyms", || {
            MongoVault::open_with(&database, masters.clone(), Some(redis.clone()))
        })
        .await;
        Ok(Self {
            reads: FrontedStore::new(redis.clone(), mongo.clone()),
            lease: Arc::new(MongoLease::new(&database, LeaseOptions::default())),
            log,
            broker,
            mongo,
            database,
            redis,
            vault,
            payments,
            clock,
        })
    }

    pub fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    pub fn broker(&self) -> Arc<dyn Broker> {
        self.broker.clone()
    }

    pub fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone()
    }

    pub fn payments(&self) -> Arc<dyn Payments> {
        self.payments.clone()
    }

    /// The read models as the query side reads them.
    pub fn reads(&self) -> Arc<dyn ReadStore> {
        self.reads.clone()
    }

    pub fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.mongo.clone()
    }

    /// What the broker gave up delivering. Looked at over a connection of its own, which ends with the look.
    pub fn dead_letters(&self, settings: &Settings) -> DeadLetters {
        let broker = self.broker.clone();
        let is_there = move || broker.is_connected();
        DeadLetters::at(&settings.rabbitmq_url, &settings.namespace, is_there)
    }

    /// What is looked at to tell how the node is. `needs` tells which of them it cannot do without.
    pub fn dependencies(&self, needs: impl Fn(&str) -> bool) -> Vec<Dependency> {
        let log = self.log.clone();
        let eventstore = look(move || {
            let log = log.clone();
            async move { log.head().await.map(drop).map_err(|error| error.to_string()) }
        });
        let broker = self.broker.clone();
        let rabbitmq = look(move || {
            let connected = broker.is_connected();
            async move { connected.then_some(()).ok_or_else(|| "not connected".to_string()) }
        });
        let mongo = self.database.clone();
        let mongodb = look(move || {
            let mongo = mongo.clone();
            async move { mongo.ping().await.map_err(|error| error.to_string()) }
        });
        let redis = self.redis.clone();
        let cache = look(move || {
            let redis = redis.clone();
            async move { redis.ping().await.map_err(|error| error.to_string()) }
        });
        let payments = self.payments.clone();
        let gateway = look(move || {
            let payments = payments.clone();
            async move {
                let found = payments.find(ReservationId(Uuid::nil())).await;
                found.map(drop).map_err(|error| error.to_string())
            }
        });
        [
            ("registro", "eventstore", eventstore),
            ("mensajes", "rabbitmq", rabbitmq),
            ("lecturas", "mongodb", mongodb),
            ("cache", "redis", cache),
            ("pagos", "payments", gateway),
        ]
        .into_iter()
        .map(|(name, metric, look)| Dependency {
            name,
            metric,
            essential: needs(metric),
            look,
        })
        .collect()
    }
}

fn look<F>(look: impl Fn() -> F + Send + Sync + 'static) -> Look
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    Box::new(move || Box::pin(look()))
}

/// A connection string that the driver does not take. Its own words may repeat a password: they stay away.
fn unusable(setting: &'static str, error: &dyn std::error::Error) -> ProgramError {
    tracing::debug!(setting, %error, "the driver says");
    ProgramError::Refused(format!(
        "{setting}: the driver does not take this connection string; set EVENTFLOW_{} anew (EVENTFLOW_LOG=debug \
         shows what it says)",
        setting.to_ascii_uppercase()
    ))
}

/// Tries until it succeeds, telling what is waited for.
pub(super) async fn patiently<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    attempt: impl Fn() -> F,
) -> T {
    loop {
        match attempt().await {
            Ok(there) => return there,
            Err(error) => tracing::warn!(%error, "waiting for {what}"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
