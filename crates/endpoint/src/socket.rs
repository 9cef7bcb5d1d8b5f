//! The listening side of the connections.

use futures_util::{Stream, stream};
use socket2::SockRef;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tonic::transport::server::Connected;

/// How long to wait when the system refuses a connection, mostly because too many files are open.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// A client's connection, counted as long as it is open.
pub(crate) struct Socket {
    tcp: TcpStream,
    _counted: OwnedSemaphorePermit,
}

/// Accepts connections, so many at once.
pub(crate) fn incoming(
    listener: TcpListener,
    max_connections: usize,
) -> impl Stream<Item = io::Result<Socket>> {
    let turns = Arc::new(Semaphore::new(max_connections.max(1)));
    stream::unfold((listener, turns), |(listener, turns)| async move {
        // The semaphore is never closed.
        let counted = turns.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((tcp, _)) => {
                    if let Err(error) = tcp.set_nodelay(true) {
                        tracing::debug!(%error, "a connection stays slow");
                    }
                    let socket = Socket {
                        tcp,
                        _counted: counted,
                    };
                    return Some((Ok(socket), (listener, turns)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
    })
}

/// Has the system acknowledge at once what was received.
///
/// A gRPC call is several small writes. The `eventstore` client leaves Nagle's algorithm on, which holds the second
/// back until the first is acknowledged, and Linux by itself waits 40 ms with that: every call in a row would take
/// 44 ms instead of a quarter. The system forgets the setting after a while, so it is renewed after every read.
fn acknowledge_at_once(tcp: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // Only speed is lost when it fails.
    let _ = SockRef::from(tcp).set_tcp_quickack(true);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = SockRef::from(tcp);
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        acknowledge_at_once(&self.tcp);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl Connected for Socket {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}
