//! Connects, watches the connection, and connects again.

use super::{Shared, link::Link};
use metrics::{counter, gauge};
use redis::RedisError;
use std::{
    convert::Infallible,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How often a connection on which nothing happens is looked at.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// How long is waited before it is tried again: twice as long each time, between these.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Runs for as long as its store lives.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut pause = PAUSES.0;
    let mut told = false;
    gauge!("eventflow_redis_up").set(0.0);
    loop {
        match Link::open(&shared.client, shared.keys.clone(), shared.cache_bytes).await {
            Ok(link) => {
                (pause, told) = (PAUSES.0, false);
                let link = Arc::new(link);
                begin(&shared, &link);
                let Err(error) = watch(&shared, &link).await;
                link.seen.end();
                set_trouble(&shared, Some(error.to_string()));
                shared.link.send_replace(None);
                gauge!("eventflow_redis_up").set(0.0);
                shared.counts.publish();
                tracing::warn!(%error, "the connection to Redis is lost; reads go on without it");
            }
            Err(error) => {
                set_trouble(&shared, Some(error.to_string()));
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "Redis cannot be reached; it is tried again");
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

fn begin(shared: &Shared, link: &Arc<Link>) {
    tracing::info!("connected to Redis");
    counter!("eventflow_redis_connections_total").increment(1);
    gauge!("eventflow_redis_up").set(1.0);
    set_trouble(shared, None);
    shared.link.send_replace(Some(link.clone()));
    shared.counts.connected();
    shared.announce(link);
}

fn set_trouble(shared: &Shared, trouble: Option<String>) {
    *shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
}

/// Keeps the state that readers go by current, until the connection fails.
async fn watch(shared: &Shared, link: &Link) -> Result<Infallible, RedisError> {
    loop {
        // Silence is no answer either: a heartbeat comes when nothing was heard.
        let _ = timeout(HEARTBEAT, link.seen.stir.notified()).await;
        let refreshed = link.refresh().await;
        if link.seen.has_ended() && refreshed.is_ok() {
            return Err(RedisError::from((
                redis::ErrorKind::Io,
                "the connection was closed",
            )));
        }
        refreshed?;
        shared.announce(link);
        let complete = link.seen.sight().is_some_and(|sight| sight.state.complete);
        gauge!("eventflow_redis_complete").set(f64::from(u8::from(complete)));
        shared.counts.publish();
    }
}
