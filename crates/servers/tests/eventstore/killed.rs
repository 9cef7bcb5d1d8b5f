//! The endpoint as a process of its own, killed and stopped in the middle of things.

use crate::{all, client, events, follow, ids, stream};
use contract::{NewEvent, StreamName};
use ports::{AppendError, EventLog, Expected};
use servers::eventstore::EventStoreLog;
use stack::{Scratch, Server};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Where the child finds its folder and its address.
const FOLDER: &str = "EVENTSTORE_TEST_FOLDER";
const ADDRESS: &str = "EVENTSTORE_TEST_ADDRESS";

/// Not a test: this file's program as the child process, which serves until it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn serve_as_a_child() {
    let (Ok(folder), Ok(address)) = (std::env::var(FOLDER), std::env::var(ADDRESS)) else {
        return;
    };
    let address: SocketAddr = address.parse().unwrap();
    let _endpoint = endpoint::testing::spawn_at(Path::new(&folder), address, endpoint::Options::default())
        .await
        .unwrap();
    std::future::pending().await
}

pub fn start(folder: &Scratch) -> Server {
    let address = SocketAddr::from(([127, 0, 0, 1], stack::free_port().unwrap()));
    let path = folder.path().to_owned();
    Server::start("endpoint", folder.path(), address, move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "killed::serve_as_a_child", "--nocapture"])
            .env(FOLDER, &path)
            .env(ADDRESS, address.to_string());
        command
    })
    .unwrap()
}

pub fn url(server: &Server) -> String {
    format!("esdb://{}?tls=false", server.address())
}

/// Appends to a stream of its own until it is told to stop; returns what was acknowledged.
async fn write(
    log: Arc<EventStoreLog>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
) -> (StreamName, Vec<NewEvent>) {
    let stream = stream();
    let mut written: Vec<NewEvent> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let (expected, batch) = (
            Expected::before(written.len() as u64),
            events(1 + written.len() % 3),
        );
        // The same until it is known; a conflict would be somebody else in this stream, or an event twice.
        loop {
            match log.append(&stream, expected, batch.clone()).await {
                Ok(appended) => {
                    written.extend(batch);
                    assert_eq!(appended.revision, written.len() as u64 - 1);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                Err(AppendError::Unavailable(_) | AppendError::Unknown(_)) => {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => panic!("{stream}: {error}"),
            }
        }
    }
    (stream, written)
}

/// Waits until there are this many more.
async fn go_on(counted: &AtomicUsize, more: usize) {
    let goal = counted.load(Ordering::SeqCst) + more;
    let give_up = Instant::now() + Duration::from_secs(60);
    while counted.load(Ordering::SeqCst) < goal {
        assert!(Instant::now() < give_up, "it does not go on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_in_mid_append_loses_nothing_and_doubles_nothing() {
    let folder = Scratch::new("eventstore").unwrap();
    let server = Arc::new(start(&folder));
    let log = client(url(&server));
    let (stop, acknowledged, refused) = (
        Arc::<AtomicBool>::default(),
        Arc::<AtomicUsize>::default(),
        Arc::<AtomicUsize>::default(),
    );
    let writers: Vec<_> = (0..24)
        .map(|_| {
            tokio::spawn(write(
                log.clone(),
                stop.clone(),
                acknowledged.clone(),
                refused.clone(),
            ))
        })
        .collect();
    let mut tail = log.tail(None).await.unwrap();
    let (seen, until) = tokio::sync::oneshot::channel();
    let following = tokio::spawn(async move {
        let mut found = tail.next(50).await.unwrap_or_default();
        let mut until = until;
        let head = loop {
            tokio::select! {
                head = &mut until => break head.unwrap(),
                batch = tail.next(50) => found.extend(batch.unwrap_or_default()),
            }
        };
        if found
            .last()
            .is_none_or(|event: &Arc<contract::Recorded>| event.position < head)
        {
            found.extend(follow(&mut *tail, head).await);
        }
        found
    });
    for round in 0..6 {
        go_on(&acknowledged, 400).await;
        server.kill();
        if round % 2 == 0 {
            // Long enough for the writers to notice.
            go_on(&refused, 24).await;
        }
        let server = server.clone();
        tokio::task::spawn_blocking(move || server.begin().unwrap())
            .await
            .unwrap();
    }
    go_on(&acknowledged, 400).await;
    stop.store(true, Ordering::SeqCst);
    let mut written = BTreeMap::new();
    for writer in writers {
        let (stream, events) = writer.await.unwrap();
        written.insert(stream, events);
    }
    let found = all(&*log).await;
    seen.send(found.last().unwrap().position).unwrap();
    let followed = following.await.unwrap();
    println!(
        "{} appends acknowledged, {} refused or unknown, {} events",
        acknowledged.load(Ordering::SeqCst),
        refused.load(Ordering::SeqCst),
        found.len()
    );
    assert_eq!(
        ids(&followed),
        ids(&found),
        "the tail saw something else than there is"
    );
    assert_eq!(found.len(), written.values().map(Vec::len).sum::<usize>());
    for (stream, events) in &written {
        let there: Vec<_> = found.iter().filter(|event| event.stream == *stream).collect();
        assert!(
            there
                .iter()
                .map(|event| event.id)
                .eq(events.iter().map(|event| event.id))
        );
        assert!(
            there
                .iter()
                .zip(0..)
                .all(|(event, revision)| event.revision == revision)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_costs_a_time_out_and_goes_on_where_it_was() {
    let folder = Scratch::new("eventstore").unwrap();
    let server = start(&folder);
    let (log, stream) = (client(url(&server)), stream());
    let first = log.append(&stream, Expected::NoStream, events(1)).await.unwrap();
    let mut tail = log.tail(None).await.unwrap();
    assert_eq!(follow(&mut *tail, first.position).await.len(), 1);
    server.pause();
    let (begun, batch) = (Instant::now(), events(2));
    let outcome = log.append(&stream, Expected::Exactly(0), batch.clone()).await;
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(log.read(&stream, 0, 1).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!log.is_connected());
    server.resume();
    log.ready(Duration::from_secs(10)).await.unwrap();
    let again = log.append(&stream, Expected::Exactly(0), batch).await.unwrap();
    assert_eq!(again.revision, 2);
    let found = follow(&mut *tail, again.position).await;
    assert_eq!(
        found.iter().map(|event| event.revision).collect::<Vec<_>>(),
        [1, 2]
    );
}
