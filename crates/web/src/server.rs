//! The accept loop: HTTP/1.1 on a listener, with a limit on connections, on the time a header may take, on the time an
//! answer may wait to be read, and on the time a shutdown may take. An answer that is written faster than it is read
//! waits where it is made.

use crate::{access::Peer, stalls::Impatient};
use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

/// The limits of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are served at once; more wait in the listener's backlog.
    pub max_connections: usize,
    /// How long a request's head may take, from the end of the request before: also how long a connection may
    /// idle.
    pub header_read_timeout: Duration,
    /// How large a request's head may be, in bytes.
    pub max_head_bytes: usize,
    /// How long a caller may take none of an answer that is ready.
    pub write_timeout: Duration,
    /// How long requests in flight have when the server shuts down.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8_192,
            header_read_timeout: Duration::from_secs(30),
            max_head_bytes: 32 << 10,
            write_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

/// Tells long-lived answers (event streams) that the server closes, so that they end instead of using up the
/// grace of the shutdown. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Closing(watch::Receiver<bool>);

/// The other end of [`Closing`]. Dropping it is the same as [`Closer::close`].
#[derive(Debug)]
pub struct Closer(watch::Sender<bool>);

impl Closing {
    /// A pair: who closes, and who is told.
    pub fn pair() -> (Closer, Closing) {
        let (sender, receiver) = watch::channel(false);
        (Closer(sender), Closing(receiver))
    }

    /// Returns when the server closes.
    pub async fn closed(&mut self) {
        // An error means that the closer is gone: closed as well.
        let _ = self.0.wait_for(|closed| *closed).await;
    }
}

impl Closer {
    /// Tells everybody.
    pub fn close(&self) {
        self.0.send_replace(true);
    }
}

/// Serves until `shutdown` is ready; then accepts no more, lets requests in flight finish within the grace, and
/// returns. Returns how many connections had to be cut off. Every request carries the other end of its connection
/// ([`Peer`]) in its extensions.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> usize {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    // Hyper asks for a buffer of at least 8 KiB. `pipeline_flush` must stay off: with it, Hyper takes all of an answer
    // into memory, however little of it is read (`can_buffer` in its `proto/h1/io.rs`).
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_buf_size(limits.max_head_bytes.max(8 << 10));
    let mut shutdown = pin!(shutdown);

    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else {
            break;
        };
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            router.call(request)
        });
        let stream = TokioIo::new(Impatient::new(stream, limits.write_timeout));
        let connection = graceful.watch(http.serve_connection(stream, service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                // The caller hung up or sent no HTTP: nothing that we could do about it.
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }

    drop(listener);
    let finished = tokio::time::timeout(limits.shutdown_grace, graceful.shutdown())
        .await
        .is_ok();
    if finished {
        0
    } else {
        limits.max_connections.saturating_sub(places.available_permits())
    }
}

/// The next connection and its place; `None` only when the semaphore was closed, which nobody does.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and complete: waiting for more to send would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return Some((stream, peer, place));
            }
            Err(error) => {
                // Out of file descriptors, or the caller was gone already: others may succeed in a moment.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
