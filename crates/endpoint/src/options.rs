//! Limits, and what all calls share.

use ports::embedded::{Page, SqliteLog};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::Status;

/// What the endpoint takes on at the most.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections. Further ones wait to be accepted.
    pub max_connections: usize,
    /// Calls at once on one connection, subscriptions among them. A client that wants more waits.
    pub max_calls: u32,
    /// Subscriptions at once on all connections. Further ones are refused with RESOURCE_EXHAUSTED.
    pub max_subscriptions: usize,
    /// Appends at once of one BatchAppend.
    pub max_batches: usize,
    /// Bytes of one message, and of all events of one append.
    pub max_message_bytes: usize,
    /// Bytes of all appends that are being received or carried out. Further ones are refused with
    /// RESOURCE_EXHAUSTED.
    pub max_append_bytes: usize,
    /// How many events are read from the log at once …
    pub page_events: usize,
    /// … and how many bytes of them: what one read or subscription holds in memory.
    pub page_bytes: usize,
    /// How many bytes a client may send ahead on one call; four times as many on one connection.
    pub window_bytes: u32,
    /// How often a silent connection is asked whether it lives, and how long it may take to answer.
    pub keepalive: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 256,
            max_calls: 1_024,
            max_subscriptions: 512,
            max_batches: 256,
            max_message_bytes: 16 << 20,
            max_append_bytes: 256 << 20,
            page_events: 512,
            page_bytes: 1 << 20,
            window_bytes: 1 << 20,
            keepalive: Duration::from_secs(20),
        }
    }
}

/// What memory for appends is counted in.
const UNIT: usize = 1 << 10;

/// What all calls share.
pub(crate) struct Endpoint {
    pub log: Arc<SqliteLog>,
    pub options: Options,
    pub address: SocketAddr,
    /// True when the endpoint is closing.
    pub closing: watch::Receiver<bool>,
    subscriptions: Arc<Semaphore>,
    append_memory: Arc<Semaphore>,
}

impl Endpoint {
    pub(crate) fn new(
        log: Arc<SqliteLog>,
        options: Options,
        address: SocketAddr,
        closing: watch::Receiver<bool>,
    ) -> Self {
        Self {
            log,
            options,
            address,
            closing,
            subscriptions: Arc::new(Semaphore::new(options.max_subscriptions)),
            append_memory: Arc::new(Semaphore::new(options.max_append_bytes / UNIT)),
        }
    }

    /// A full page of the log.
    pub(crate) fn page(&self) -> Page {
        Page {
            events: self.options.page_events,
            bytes: self.options.page_bytes,
        }
    }

    /// Leave to hold one subscription.
    pub(crate) fn begin_subscription(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| Status::resource_exhausted("too many subscriptions");
        self.subscriptions.clone().try_acquire_owned().map_err(full)
    }

    /// Leave to hold so many bytes of events until they are appended.
    pub(crate) fn begin_holding(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Status> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let full = |_| Status::resource_exhausted("too much is being appended at once");
        self.append_memory
            .clone()
            .try_acquire_many_owned(units)
            .map_err(full)
    }

    /// Waits until the endpoint is closing.
    pub(crate) async fn closed(&self) {
        crate::closed(self.closing.clone()).await;
    }
}

/// What calls are told that the endpoint cannot finish.
pub(crate) fn leaving() -> Status {
    Status::unavailable("the server is closing")
}
