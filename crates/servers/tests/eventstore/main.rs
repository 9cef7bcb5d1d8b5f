//! The EventStoreDB adapter over the real wire, against the endpoint on the embedded log: what every event log
//! promises, and what it does when the server is away, silent, killed, or does not answer.
//!
//! ```text
//! cargo test --release -p servers --test eventstore
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod killed;
mod proxy;
mod secured;
mod strangers;
mod tails;

use async_trait::async_trait;
use bytes::Bytes;
use contract::{EventId, NewEvent, Position, Recorded, StreamName};
use endpoint::testing::{Running, spawn};
use ports::{
    EventLog, Tail,
    conformance::{self, Failed, Fixture},
};
use servers::eventstore::{EventStoreLog, EventStoreOptions};
use stack::Scratch;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use uuid::Uuid;

/// An endpoint over a log of its own, and a client of it.
struct Wire {
    endpoint: Running,
    _folder: Scratch,
}

impl Wire {
    async fn new() -> Self {
        let folder = Scratch::new("eventstore").unwrap();
        let endpoint = spawn(folder.path()).await.unwrap();
        Self {
            endpoint,
            _folder: folder,
        }
    }

    fn client(&self) -> Arc<EventStoreLog> {
        client(self.endpoint.url())
    }
}

fn client(url: String) -> Arc<EventStoreLog> {
    let options = EventStoreOptions {
        url,
        ..EventStoreOptions::default()
    };
    EventStoreLog::connect(options).unwrap()
}

fn event(text: &str) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::new_v4()),
        kind: "adapter_tested.v1".into(),
        data: Bytes::from(format!("{{\"text\":\"{text}\"}}")),
        meta: Bytes::from_static(b"{\"by\":\"test\"}"),
        decoded: None,
    }
}

fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|index| event(&index.to_string())).collect()
}

fn stream() -> StreamName {
    StreamName::new(&format!("adapter-{}", Uuid::new_v4()))
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Arc<Recorded>>) -> Vec<EventId> {
    events.into_iter().map(|event| event.id).collect()
}

/// The whole log as it stands.
async fn all(log: &dyn EventLog) -> Vec<Arc<Recorded>> {
    let mut found: Vec<Arc<Recorded>> = Vec::new();
    loop {
        let page = log
            .read_all(found.last().map(|event| event.position), 1_000)
            .await
            .unwrap();
        let end = page.len() < 1_000;
        found.extend(page);
        if end {
            return found;
        }
    }
}

/// What the tail shows up to this position. Faults are borne: they must not cost an event.
async fn follow(tail: &mut dyn Tail, until: Position) -> Vec<Arc<Recorded>> {
    let mut found: Vec<Arc<Recorded>> = Vec::new();
    let seen = async {
        while found.last().is_none_or(|event| event.position < until) {
            if let Ok(batch) = tail.next(500).await {
                found.extend(batch);
            }
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), seen).await;
    assert!(seen.is_ok(), "the tail stands still after {} events", found.len());
    found
}

/// Each fresh log is a new file with an endpoint of its own; a restart is a new client.
#[derive(Default)]
struct Endpoints(Mutex<Vec<Wire>>);

#[async_trait]
impl Fixture<dyn EventLog> for Endpoints {
    async fn fresh(&self) -> Result<Arc<dyn EventLog>, Failed> {
        let wire = Wire::new().await;
        let log = wire.client();
        self.0.lock().unwrap().push(wire);
        Ok(log)
    }

    async fn reopen(&self, port: Arc<dyn EventLog>) -> Result<Arc<dyn EventLog>, Failed> {
        drop(port);
        let wires = self.0.lock().unwrap();
        let wire = wires.last().ok_or_else(|| Failed::because("nothing to reopen"))?;
        Ok(wire.client())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_eventstore_adapter_keeps_what_an_event_log_promises() {
    let report = conformance::event_log(&Endpoints::default()).await;
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_json_come_back_as_they_are_too() {
    let wire = Wire::new().await;
    let (log, stream) = (wire.client(), stream());
    let bodies: [&[u8]; 5] = [
        b"",
        b" {\"a\" : 1}\n",
        b"not json, \xc3\xa1",
        b"{\"a\":1}",
        b"null",
    ];
    let written: Vec<NewEvent> = bodies
        .iter()
        .map(|body| NewEvent {
            data: Bytes::from_static(body),
            meta: Bytes::from_static(body),
            ..event("")
        })
        .collect();
    log.append(&stream, ports::Expected::NoStream, written)
        .await
        .unwrap();
    let found = log.read(&stream, 0, 10).await.unwrap();
    for (found, body) in found.iter().zip(bodies) {
        assert_eq!((&found.data[..], &found.meta[..]), (body, body));
        assert!(found.decoded.is_none());
    }
}

/// How long an append takes that has the connection to itself, in the middle of some.
async fn alone(log: &EventStoreLog) -> Duration {
    let stream = stream();
    let mut times = Vec::new();
    for revision in 0..30 {
        let begun = std::time::Instant::now();
        log.append(&stream, ports::Expected::before(revision), events(1))
            .await
            .unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    times[15]
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_one_after_the_other_are_not_held_back() {
    // The endpoint acknowledges at once, which hides what a real server shows; the proxy does not.
    let wire = Wire::new().await;
    let proxy = proxy::Proxy::to(wire.endpoint.address).await;
    let log = client(proxy.url());
    log.ready(Duration::from_secs(5)).await.unwrap();
    let at_first = alone(&log).await;
    assert!(at_first < Duration::from_millis(30), "{at_first:?}");
    // The next connection is opened unnoticed, and found soon.
    proxy.cut();
    let found = async { while !matches!(alone(&log).await, time if time < Duration::from_millis(30)) {} };
    tokio::time::timeout(Duration::from_secs(15), found)
        .await
        .unwrap();
}
