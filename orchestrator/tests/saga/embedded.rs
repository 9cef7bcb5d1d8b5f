//! The runner on the real embedded log and broker, with participants as simple as they can be: what the fakes
//! promise must hold for the real ports too.

use crate::common::{fakes::FakeStore, request, reservation, settings, world::World};
use contract::{
    Cause, CommandId, Event, Reply, ReservationId, StreamEnd, StreamKind, StreamName,
    collections::RESERVATIONS,
};
use orchestrator::Orchestrator;
use ports::{
    Broker, Clock, Delivery, EventLog, Expected, SystemClock,
    embedded::{BrokerOptions, LogOptions, MemoryBroker, SqliteLog},
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

/// A folder that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("eventflow-orchestrator-{}", Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Worlds = Arc<Mutex<BTreeMap<Uuid, World>>>;

/// Serves every kind of lane.
async fn serve(broker: &Arc<MemoryBroker>, worlds: &Worlds) {
    for kind in [StreamKind::User, StreamKind::Show, StreamKind::Payment] {
        for mut lane in broker.serve(kind).await.unwrap() {
            let worlds = worlds.clone();
            tokio::spawn(async move {
                while let Some(Delivery { ask, reply, .. }) = lane.recv().await {
                    // Every seventh card is declined.
                    let refuse = kind == StreamKind::Payment && ask.cause.correlation.as_u128() % 7 == 0;
                    let hold_until = SystemClock.now().plus_ms(600_000);
                    let mut worlds = worlds.lock().unwrap();
                    let world = worlds.entry(ask.cause.correlation).or_default();
                    let answer = world.carry_out(&ask.command, refuse, hold_until);
                    let _ = reply.send(Reply {
                        position: None,
                        answer,
                    });
                }
            });
        }
    }
}

/// Publishes what is appended.
async fn forward(log: Arc<SqliteLog>, broker: Arc<MemoryBroker>) {
    let mut tail = log.tail(None).await.unwrap();
    while let Ok(batch) = tail.next(256).await {
        broker.publish(&batch).await.unwrap();
    }
}

async fn put_request(log: &SqliteLog, id: ReservationId) {
    let mut request = request(id);
    request.requested_at_ms = SystemClock.now();
    request.line_until_ms = request.requested_at_ms.plus_ms(30_000);
    let stream = StreamName::reservation(id);
    let cause = Cause {
        correlation: id.0,
        actor: "admin".into(),
        trace: None,
    };
    let mut end = StreamEnd::NEW;
    let command = CommandId(Uuid::now_v7());
    let events = end
        .link(
            &stream,
            command,
            &cause,
            SystemClock.now(),
            [Event::from(request)],
        )
        .unwrap();
    log.append(&stream, Expected::NoStream, events).await.unwrap();
}

fn run(
    log: &Arc<SqliteLog>,
    broker: &Arc<MemoryBroker>,
    store: &Arc<FakeStore>,
) -> (JoinHandle<()>, watch::Sender<bool>) {
    let orchestrator = Orchestrator::new(
        log.clone(),
        broker.clone(),
        store.clone(),
        Arc::new(SystemClock),
        settings(),
    );
    let (stop, stopped) = watch::channel(false);
    (tokio::spawn(orchestrator.run(stopped)), stop)
}

async fn settled(log: &SqliteLog, wanted: usize) -> BTreeMap<StreamName, &'static str> {
    let mut outcomes = BTreeMap::new();
    let mut tail = log.tail(None).await.unwrap();
    while outcomes.len() < wanted {
        for recorded in tail.next(4_096).await.unwrap() {
            if let event @ (Event::ReservationConfirmed(_) | Event::ReservationRejected(_)) =
                recorded.event().unwrap()
            {
                let before = outcomes.insert(recorded.stream.clone(), event.kind());
                assert_eq!(before, None, "settled twice: {}", recorded.stream);
            }
        }
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchases_settle_once_also_when_the_process_is_killed_among_them() {
    const PURCHASES: u128 = 600;
    let folder = Scratch::new();
    let log = SqliteLog::open(&folder.0.join("events.db"), LogOptions::default()).unwrap();
    let broker = MemoryBroker::new(BrokerOptions::default(), Arc::new(SystemClock));
    let (store, worlds) = (FakeStore::new(), Worlds::default());
    serve(&broker, &worlds).await;
    let forwarder = tokio::spawn(forward(log.clone(), broker.clone()));

    let (first, _running) = run(&log, &broker, &store);
    for n in 1..=PURCHASES {
        put_request(&log, reservation(n)).await;
        store.put(&RESERVATIONS, reservation(n).to_string(), "{}");
        if n == PURCHASES / 2 {
            first.abort();
        }
    }
    assert!(first.await.unwrap_err().is_cancelled());
    let (second, stop) = run(&log, &broker, &store);
    store.applied.send_replace(log.head().await.unwrap());

    let outcomes = settled(&log, usize::try_from(PURCHASES).unwrap()).await;
    stop.send_replace(true);
    second.await.unwrap();
    forwarder.abort();
    let worlds = worlds.lock().unwrap();
    for n in 1..=PURCHASES {
        let (id, world) = (reservation(n), worlds[&reservation(n).0]);
        match outcomes[&StreamName::reservation(id)] {
            "reservation_confirmed.v1" => assert!(world.is_sold(), "{world:?}"),
            _ => assert!(world.is_undone(), "{world:?}"),
        }
        assert_eq!(world.is_undone(), id.0.as_u128() % 7 == 0);
    }
}
