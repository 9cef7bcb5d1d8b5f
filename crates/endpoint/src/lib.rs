//! The embedded log over EventStoreDB's own gRPC protocol, so that the clients of that database can read, audit and
//! write it. [`serve`] does it all; the rest of this page is the protocol, as far as this endpoint speaks it.
//!
//! # The calls
//! gRPC over HTTP/2: the path names the method, the body is protobuf messages, the outcome is a status behind them.
//! The messages stand in `wire`, field by field.
//!
//! | service and method | in → out | where |
//! |---|---|---|
//! | `streams.Streams/Append` | stream of messages → one | `append` |
//! | `streams.Streams/BatchAppend` | stream → stream | `batch` |
//! | `streams.Streams/Read` | one → stream | `read`, `subscribe` |
//! | `server_features.ServerFeatures/GetSupportedMethods` | one → one | `others` |
//! | `gossip.Gossip/Read` | one → one | `others` |
//! | everything else | UNIMPLEMENTED | `calls` |
//!
//! All are below `event_store.client.`. Clients first ask for the supported methods, and again after each reconnect;
//! those whose address says `+discover` ask before that who the members of the cluster are. There is one, the leader,
//! at whatever address the client itself has called. Credentials are not looked at: listen where only friends are.
//!
//! # Appending
//! An Append is a message with the stream and what is expected of it, then one message per event. It expects no
//! stream, an exact last revision, any stream at all, or any that exists. The answer comes when the events are durable
//! and tells revision and position of the last. A stream that is elsewhere is an *answer* with its revision
//! (`WrongExpectedVersion`), not an error. BatchAppend carries many appends on one call, each with a correlation id,
//! and answers them in any order; there a wrong version is a `google.rpc.Status` with the details packed into it.
//! Deadlines of batches are ignored: a client that no longer waits may hear of its append by reading.
//!
//! An append whose event ids already stand at that very place succeeds without writing. So clients may repeat what
//! they did not hear an answer to. With an exact revision that always holds; with "any", as far as the latest 256
//! events of the stream.
//!
//! Calls on one connection run at the same time, and the log commits together what comes together: that, and not the
//! single call, is where throughput comes from.
//!
//! # Reading
//! | a read of | from | the place itself |
//! |---|---|---|
//! | a stream, either way | revision | is part of it |
//! | the log (`$all`), forwards | position | is part of it |
//! | the log, backwards | position | is not |
//! | a subscription | revision or position | is not |
//!
//! A stream that does not exist is a message, `StreamNotFound`, and then OK. A forward read that reaches a stream's
//! end says which revision is the last, to clients that understand it. Reads of the log may be filtered by stream
//! name or event type, with prefixes or one regular expression; it may use look-ahead, because the Python client's
//! default filter does. A position is one number here; where the protocol has two, commit and prepare, they are the
//! same. Positions are offsets: numbers between those of events are legal places to read from, and mean the next event.
//!
//! # Subscribing
//! A subscription is a read that does not end. It sends, in this order: a confirmation; the events that are there; for
//! a filtered one, a checkpoint; `CaughtUp`; and then events as they come, 0.2 ms after they are durable. A subscriber
//! that falls more than a page behind is told `FellBehind`, and `CaughtUp` again later. A filtered subscription also
//! sends a checkpoint after every *window × multiplier* events that were *considered*, whether they passed or not: with
//! a filter that lets little through, its last event is a bad place to resume from.
//!
//! Nothing is skipped and nothing is buffered for a reader beyond one page: who does not read stops its own
//! subscription and nobody else's, through HTTP/2's flow control.
//!
//! A subscription never ends with OK: when the endpoint closes it ends with UNAVAILABLE, at which clients connect
//! again. The `eventstore` client takes an OK for a reason to ask again at once, for ever, without ever yielding.
//!
//! # What else differs from EventStoreDB
//! - **Nothing is deleted**: Delete and Tombstone are refused, and so are writes to streams whose names begin with
//!   `$`, among them the metadata that sets a stream's retention. There are no links, projections, persistent
//!   subscriptions and users, and no events of the server's own in `$all`.
//! - **Data is text**: other than UTF-8 is refused. The content type is not kept but told from the data.
//! - `created` is in the metadata of every event: 100 ns since 1970, here in steps of a millisecond.
//!
//! # Statuses
//! | status | what happened |
//! |---|---|
//! | INVALID_ARGUMENT | the request makes no sense here, and why; nothing was written |
//! | UNAVAILABLE | the log is away or the endpoint is closing. An append's outcome is unknown unless it says that nothing was written |
//! | DEADLINE_EXCEEDED | the outcome of an append is unknown: read it back by its event ids |
//! | RESOURCE_EXHAUSTED | too many subscriptions, or too much being appended at once: later |
//! | DATA_LOSS | the log is damaged |
//!
//! # Connections
//! Plain HTTP/2 without TLS. The `eventstore` client does not switch Nagle's algorithm off; against that, received
//! data is acknowledged at once (`socket`). Silent connections are pinged. Everything has a limit: [`Options`].

#![allow(clippy::result_large_err)] // every call fails with tonic's `Status`, whose size is its own business

mod append;
mod batch;
mod calls;
mod convert;
mod filter;
mod options;
mod others;
mod read;
mod socket;
mod subscribe;
pub mod testing;
mod wire;

pub use options::Options;

use calls::{Calls, Features, Gossip, Streams};
use options::Endpoint;
use ports::embedded::SqliteLog;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// How long calls may take to end once the endpoint is closing. What clients still wait for then, they do not get.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why the endpoint could not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener is not usable.
    #[error("the listener is not usable: {0}")]
    Listener(#[from] std::io::Error),
    /// The connections could not be served.
    #[error("the endpoint has failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves the log with the default [`Options`] until `shutdown` is ready; see [`serve_with`].
///
/// # Errors
/// When the listener is not usable.
pub async fn serve(
    log: Arc<SqliteLog>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    serve_with(log, listener, Options::default(), shutdown).await
}

/// Serves the log until `shutdown` is ready. Then nothing new is accepted, appends that were received whole are
/// carried out and answered, and subscriptions and reads end with UNAVAILABLE, which makes clients connect again.
///
/// # Errors
/// When the listener is not usable.
pub async fn serve_with(
    log: Arc<SqliteLog>,
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let address = listener.local_addr()?;
    let (close, closing) = watch::channel(false);
    let endpoint = Arc::new(Endpoint::new(log, options, address, closing.clone()));
    let server = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(options.keepalive))
        .http2_keepalive_timeout(Some(options.keepalive))
        .max_concurrent_streams(Some(options.max_calls))
        .initial_stream_window_size(Some(options.window_bytes))
        .initial_connection_window_size(Some(options.window_bytes.saturating_mul(4)))
        .add_service(Calls::<Streams>::new(endpoint.clone()))
        .add_service(Calls::<Features>::new(endpoint.clone()))
        .add_service(Calls::<Gossip>::new(endpoint))
        .serve_with_incoming_shutdown(
            socket::incoming(listener, options.max_connections),
            closed(closing),
        );
    let until_closed = async {
        shutdown.await;
        // Fails only when nobody is left to be told.
        let _ = close.send(true);
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = server => Ok(served?),
        () = until_closed => {
            tracing::warn!("some clients did not let go in time");
            Ok(())
        }
    }
}

/// Waits until the endpoint is closing.
async fn closed(mut closing: watch::Receiver<bool>) {
    // An error means that `serve` itself is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}
