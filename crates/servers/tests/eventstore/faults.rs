//! Absent, silent and unanswering servers.

use crate::{Wire, client, event, events, ids, proxy::Proxy, stream};
use contract::StreamName;
use endpoint::{Options, testing::spawn_at};
use ports::{AppendError, Appended, EventLog, Expected, LogError};
use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// The time-outs of an append, its settling, and what a loaded machine takes.
const NO_HANG: Duration = Duration::from_secs(8);

type Appending = JoinHandle<Result<Appended, AppendError>>;

/// An append of two events at the beginning of a stream, under way.
fn append(
    log: &Arc<servers::eventstore::EventStoreLog>,
    stream: &StreamName,
) -> (Appending, Vec<contract::NewEvent>) {
    let (log, stream, written) = (log.clone(), stream.clone(), events(2));
    let appending = tokio::spawn({
        let written = written.clone();
        async move { log.append(&stream, Expected::NoStream, written).await }
    });
    (appending, written)
}

/// Waits until the server has this stream.
async fn arrived(wire: &Wire, stream: &StreamName) {
    while wire.endpoint.log.read(stream, 0, 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_server_is_unavailable_until_it_comes() {
    let address = format!("127.0.0.1:{}", stack::free_port().unwrap());
    let log = client(format!("esdb://{address}?tls=false"));
    let begun = Instant::now();
    let outcome = log.append(&stream(), Expected::NoStream, events(1)).await;
    assert!(matches!(outcome, Err(AppendError::Unavailable(_))), "{outcome:?}");
    assert!(matches!(log.head().await, Err(LogError::Unavailable(_))));
    let mut tail = log.tail(None).await.unwrap();
    assert!(matches!(tail.next(1).await, Err(LogError::Unavailable(_))));
    assert!(begun.elapsed() < NO_HANG);
    assert!(!log.is_connected());
    assert!(log.trouble().is_some());

    let folder = stack::Scratch::new("eventstore").unwrap();
    let _endpoint = spawn_at(folder.path(), address.parse().unwrap(), Options::default())
        .await
        .unwrap();
    log.ready(NO_HANG).await.unwrap();
    let written = log
        .append(&stream(), Expected::NoStream, events(1))
        .await
        .unwrap();
    assert_eq!(crate::follow(&mut *tail, written.position).await.len(), 1);
    assert!(log.is_connected());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_and_never_answers_hangs_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let log = client(format!("esdb://{}?tls=false", silent.local_addr().unwrap()));
    for _ in 0..2 {
        let begun = Instant::now();
        let outcome = log.append(&stream(), Expected::NoStream, events(1)).await;
        assert!(matches!(outcome, Err(AppendError::Unavailable(_))), "{outcome:?}");
        assert!(log.read(&stream(), 0, 1).await.is_err());
        assert!(log.read_all(None, 1).await.is_err());
        assert!(begun.elapsed() < NO_HANG, "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_is_lost_is_read_back() {
    let (wire, stream) = (Wire::new().await, stream());
    let proxy = Proxy::to(wire.endpoint.address).await;
    let log = client(proxy.url());
    log.ready(NO_HANG).await.unwrap();
    proxy.lose_answers(true);
    let (appending, written) = append(&log, &stream);
    arrived(&wire, &stream).await;
    proxy.mend();
    let appended = appending.await.unwrap().unwrap();
    let found = wire.endpoint.log.read(&stream, 0, 10).await.unwrap();
    assert_eq!(
        ids(&found),
        written.iter().map(|event| event.id).collect::<Vec<_>>()
    );
    assert_eq!((appended.revision, appended.position), (1, found[1].position));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_never_arrived_is_sent_again() {
    let (wire, stream) = (Wire::new().await, stream());
    let proxy = Proxy::to(wire.endpoint.address).await;
    let log = client(proxy.url());
    log.ready(NO_HANG).await.unwrap();
    proxy.lose_requests(true);
    let (appending, written) = append(&log, &stream);
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.mend();
    assert_eq!(appending.await.unwrap().unwrap().revision, 1);
    let found = log.read(&stream, 0, 10).await.unwrap();
    assert_eq!(
        ids(&found),
        written.iter().map(|event| event.id).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_was_lost_and_overtaken_is_a_conflict() {
    let (wire, stream) = (Wire::new().await, stream());
    let proxy = Proxy::to(wire.endpoint.address).await;
    let log = client(proxy.url());
    log.ready(NO_HANG).await.unwrap();
    proxy.lose_requests(true);
    let (appending, _) = append(&log, &stream);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let rival = vec![event("rival")];
    wire.endpoint
        .log
        .append(&stream, Expected::NoStream, rival)
        .await
        .unwrap();
    proxy.mend();
    let outcome = appending.await.unwrap();
    assert!(
        matches!(outcome, Err(AppendError::Conflict { current: Some(0) })),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_cannot_be_found_out_about_is_unknown_and_may_be_repeated() {
    let (wire, stream) = (Wire::new().await, stream());
    let proxy = Proxy::to(wire.endpoint.address).await;
    let log = client(proxy.url());
    log.ready(NO_HANG).await.unwrap();
    proxy.lose_answers(true);
    let begun = Instant::now();
    let (appending, written) = append(&log, &stream);
    let outcome = appending.await.unwrap();
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    assert!(begun.elapsed() < NO_HANG, "{:?}", begun.elapsed());
    proxy.mend();
    log.ready(NO_HANG).await.unwrap();
    let again = log.append(&stream, Expected::NoStream, written).await.unwrap();
    let found = log.read(&stream, 0, 10).await.unwrap();
    assert_eq!((found.len(), again.position), (2, found[1].position));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_several_nodes_finds_the_one_that_lives() {
    let folder = stack::Scratch::new("eventstore").unwrap();
    let nodes: Vec<std::net::SocketAddr> = (0..2)
        .map(|_| std::net::SocketAddr::from(([127, 0, 0, 1], stack::free_port().unwrap())))
        .collect();
    let log = client(format!("esdb://{},{}?tls=false", nodes[0], nodes[1]));
    let mut tail = log.tail(None).await.unwrap();
    let (stream, mut found) = (stream(), 0);
    for (revision, node) in (0..).zip([nodes[0], nodes[1], nodes[0]]) {
        let endpoint = spawn_at(folder.path(), node, Options::default()).await.unwrap();
        let give_up = Instant::now() + Duration::from_secs(30);
        let batch = events(1);
        let appended = loop {
            match log
                .append(&stream, Expected::before(revision), batch.clone())
                .await
            {
                Ok(appended) => break appended,
                Err(AppendError::Unavailable(_) | AppendError::Unknown(_)) => {
                    assert!(Instant::now() < give_up, "{:?}", log.trouble());
                }
                Err(error) => panic!("{error}"),
            }
        };
        found += crate::follow(&mut *tail, appended.position).await.len();
        endpoint.stop().await;
    }
    assert_eq!(found, 3);
}
