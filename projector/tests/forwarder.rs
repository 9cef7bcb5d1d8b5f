//! The forwarder: everything is published, at least once, each stream in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Run, World, faulty::FaultyBroker};
use contract::{Position, ShowId, StreamKind};
use ports::{
    Audience, Broker, EventLog, Events, Interest, ReadStore, Subscription, SystemClock,
    embedded::{BrokerOptions, MemoryBroker},
};
use projector::{Forwarder, ForwarderOptions};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};
use uuid::Uuid;

fn broker() -> Arc<MemoryBroker> {
    MemoryBroker::new(BrokerOptions::default(), Arc::new(SystemClock))
}

fn forward(world: &World, broker: Arc<dyn Broker>) -> Run {
    let options = ForwarderOptions {
        batch_events: 16,
        ..ForwarderOptions::default()
    };
    let forwarder = Forwarder::new(world.log(), world.store(), broker, Arc::new(SystemClock), options);
    Run::start(|shutdown| async move { forwarder.run(shutdown).await })
}

const EVERYTHING: Subscription = Subscription {
    name: "test",
    audience: Audience::Each,
    interests: &[
        Interest::all(StreamKind::User),
        Interest::all(StreamKind::Email),
        Interest::all(StreamKind::Key),
        Interest::all(StreamKind::Show),
        Interest::all(StreamKind::Reservation),
        Interest::all(StreamKind::Payment),
    ],
};

/// What a subscriber has received, and whether each stream came in order.
struct Received {
    events: Events,
    times: BTreeMap<Position, u32>,
    next: BTreeMap<String, u64>,
}

impl Received {
    async fn by(broker: &dyn Broker) -> Self {
        let events = broker.subscribe(&EVERYTHING).await.unwrap();
        Self {
            events,
            times: BTreeMap::new(),
            next: BTreeMap::new(),
        }
    }

    /// Receives until the event at this position has come.
    async fn until(&mut self, position: Position) {
        while !self.times.contains_key(&position) {
            for event in self
                .events
                .recv()
                .await
                .unwrap()
                .into_iter()
                .map(|heard| heard.event)
            {
                *self.times.entry(event.position).or_default() += 1;
                let next = self.next.entry(event.stream.to_string()).or_default();
                // Again what came before is allowed; a gap is not.
                assert!(
                    event.revision <= *next,
                    "{} {} where {next} is due",
                    event.stream,
                    event.revision
                );
                *next = (*next).max(event.revision + 1);
            }
        }
    }
}

/// The positions of this platform's events.
async fn own(world: &World) -> Vec<Position> {
    let events = world.log.read_all(None, usize::MAX).await.unwrap();
    events
        .iter()
        .filter(|event| event.stream.parts().is_some())
        .map(|event| event.position)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_published_once_and_the_mark_is_saved_at_the_end() {
    let mut world = World::new();
    world.story(20).await;
    let broker = broker();
    let mut received = Received::by(&*broker).await;
    let run = forward(&world, broker.clone());
    received.until(world.head().await.unwrap()).await;
    run.end().await;
    assert_eq!(
        received.times.keys().copied().collect::<Vec<_>>(),
        own(&world).await
    );
    assert!(received.times.values().all(|times| *times == 1));
    assert_eq!(world.store.mark("forwarder").await.unwrap(), world.head().await);

    // The next run publishes only what is new.
    world.purchase(21, ShowId(Uuid::from_u128(1)), true).await;
    let run = forward(&world, broker);
    received.until(world.head().await.unwrap()).await;
    run.end().await;
    assert!(received.times.values().all(|times| *times == 1));
    assert_eq!(
        received.times.keys().copied().collect::<Vec<_>>(),
        own(&world).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_everything_is_published_at_least_once() {
    let mut world = World::new();
    world.story(20).await;
    let broker = broker();
    let mut received = Received::by(&*broker).await;
    let own = own(&world).await;
    for index in [5, 40, 41, 100] {
        let run = forward(&world, broker.clone());
        received.until(own[index]).await;
        run.kill().await;
    }
    let run = forward(&world, broker.clone());
    received.until(world.head().await.unwrap()).await;
    run.end().await;
    assert_eq!(received.times.keys().copied().collect::<Vec<_>>(), own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_fails_loses_nothing() {
    let mut world = World::new();
    world.story(10).await;
    let broker = broker();
    let mut received = Received::by(&*broker).await;
    let faulty = FaultyBroker {
        broker,
        publications: AtomicU64::new(0),
    };
    let run = forward(&world, Arc::new(faulty));
    received.until(world.head().await.unwrap()).await;
    run.end().await;
    assert_eq!(
        received.times.keys().copied().collect::<Vec<_>>(),
        own(&world).await
    );
}
