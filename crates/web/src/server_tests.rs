#![allow(clippy::unwrap_used)]
use super::*;
use axum::routing::get;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, oneshot},
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<usize>,
}

async fn start(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(serve(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Running { address, stop, done }
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let read = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_server_ends() {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, go) = (entered.clone(), go.clone());
        async move || {
            entered.notify_one();
            go.notified().await;
            "hecho"
        }
    };
    let running = start(Router::new().route("/", get(handler)), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    entered.notified().await;
    running.stop.send(()).unwrap();
    go.notify_one();
    assert!(answer(&mut stream).await.ends_with("hecho"));
    assert_eq!(running.done.await.unwrap(), 0, "nothing was cut off");
    assert!(
        TcpStream::connect(running.address).await.is_err(),
        "nothing listens any more"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_shutdown() {
    let entered = Arc::new(Notify::new());
    let handler = {
        let entered = entered.clone();
        async move || {
            entered.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let limits = Limits {
        shutdown_grace: Duration::from_millis(20),
        ..Limits::default()
    };
    let running = start(Router::new().route("/", get(handler)), limits).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    entered.notified().await;
    running.stop.send(()).unwrap();
    assert_eq!(running.done.await.unwrap(), 1);
}

#[tokio::test]
async fn a_head_that_does_not_arrive_in_time_ends_the_connection() {
    let limits = Limits {
        header_read_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let running = start(Router::new(), limits).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET / HT").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(
        rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
        "closed by the server"
    );
}

/// An answer of 64 MB in a thousand parts, which counts those that were taken.
fn large(taken: &Arc<AtomicUsize>) -> Router {
    let taken = taken.clone();
    let handler = async move || {
        let parts = (0..1_000).map(move |_| {
            taken.fetch_add(1, SeqCst);
            Ok::<_, std::convert::Infallible>(bytes::Bytes::from(vec![b'x'; 64 << 10]))
        });
        axum::body::Body::from_stream(futures_util::stream::iter(parts))
    };
    Router::new().route("/", get(handler))
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_not_taken_into_memory() {
    let taken = Arc::default();
    let limits = Limits {
        max_connections: 1,
        write_timeout: Duration::from_millis(500),
        ..Limits::default()
    };
    let running = start(large(&taken), limits).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    // Until the server has given up, and the next one is served.
    let mut next = TcpStream::connect(running.address).await.unwrap();
    next.write_all(b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(answer(&mut next).await.starts_with("HTTP/1.1 404"));
    // The system's buffers hold some megabytes.
    let taken = taken.load(SeqCst);
    assert!((1..600).contains(&taken), "{taken} of 1000 parts");
}

#[tokio::test]
async fn whoever_stops_reading_loses_their_place_and_whoever_reads_slowly_does_not() {
    let taken = Arc::default();
    let limits = Limits {
        max_connections: 1,
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let running = start(large(&taken), limits).await;
    let mut greedy = TcpStream::connect(running.address).await.unwrap();
    greedy.write_all(REQUEST).await.unwrap();
    // One byte more than the request, so that more seems to come.
    greedy.write_all(b"G").await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(REQUEST).await.unwrap();
    // It is served once the first was cut off. Slowly: longer than the patience, with a pause now and then.
    let (mut read, mut buffer, begun) = (0, vec![0; 1 << 20], tokio::time::Instant::now());
    while read < 1_000 * (64 << 10) {
        let some = second.read(&mut buffer).await.unwrap();
        assert!(some > 0, "cut off after {read} bytes");
        read += some;
        if begun.elapsed() < 2 * limits.write_timeout {
            tokio::time::sleep(limits.write_timeout / 10).await;
        }
    }
    drop(greedy);
}

#[tokio::test]
async fn past_the_limit_a_connection_waits_for_a_place() {
    let limits = Limits {
        max_connections: 1,
        ..Limits::default()
    };
    let running = start(Router::new().route("/", get(async || "hola")), limits).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    assert!(answer(&mut first).await.ends_with("hola"));
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(REQUEST).await.unwrap();
    let mut early = [0; 1];
    let waits = tokio::time::timeout(Duration::from_millis(50), second.peek(&mut early)).await;
    assert!(waits.is_err(), "the only place is taken");
    drop(first);
    assert!(answer(&mut second).await.ends_with("hola"));
}

#[tokio::test]
async fn whoever_waits_for_the_closing_is_told_also_when_the_closer_is_gone() {
    let (closer, mut closing) = Closing::pair();
    closer.close();
    closing.clone().closed().await;
    drop(closer);
    closing.closed().await;
}
