//! What clients do with the endpoint.

mod appending;
mod filtering;
mod reading;
mod subscribing;

use super::{ANY, EXISTS, NO_STREAM, caught_up, client, driver, exactly, expecting, stream_of};
use crate::house::{House, now_ms, soon};
use driver::{
    BatchAppendOptions, Client, CurrentRevision, Error, EventData, Position, ReadAllOptions,
    ReadStreamOptions, RecordedEvent, RetryOptions, StreamPosition, SubscribeToAllOptions,
    SubscribeToStreamOptions, Subscription, SubscriptionEvent, SubscriptionFilter,
};
use endpoint::Options;
use std::time::Duration;
use uuid::Uuid;

fn event(kind: &str, number: usize) -> EventData {
    EventData::json(kind, &number)
        .unwrap()
        .id(Uuid::new_v4())
        .metadata(br#"{"by":"us"}"#.as_slice().into())
}

fn events(count: usize) -> Vec<EventData> {
    (0..count).map(|number| event("counted.v1", number)).collect()
}

/// Appends a stream of so many events; returns their positions.
async fn written(client: &Client, stream: &str, count: usize) -> Vec<u64> {
    let appended = client
        .append_to_stream(stream, &expecting(NO_STREAM), events(count))
        .await;
    assert_eq!(appended.unwrap().next_expected_version, count as u64 - 1);
    let read = read_stream(client, stream, &ReadStreamOptions::default().max_count(count)).await;
    read.unwrap().iter().map(|event| event.position.commit).collect()
}

async fn read_stream(
    client: &Client,
    stream: &str,
    options: &ReadStreamOptions,
) -> Result<Vec<RecordedEvent>, Error> {
    let mut read = client.read_stream(stream, options).await?;
    let mut found = Vec::new();
    while let Some(event) = soon(read.next()).await? {
        found.push(event.event.unwrap());
    }
    Ok(found)
}

async fn read_all(client: &Client, options: &ReadAllOptions) -> Vec<u64> {
    let mut read = client.read_all(options).await.unwrap();
    let mut found = Vec::new();
    while let Some(event) = soon(read.next()).await.unwrap() {
        found.push(event.event.unwrap().position.commit);
    }
    found
}

fn at(position: u64) -> StreamPosition<Position> {
    StreamPosition::Position(Position {
        commit: position,
        prepare: position,
    })
}

/// What a subscription brings, in short.
#[derive(Debug, PartialEq)]
enum Seen {
    Confirmed,
    Event(String, u64),
    Checkpoint(u64),
    CaughtUp,
    Other,
}

async fn see(subscription: &mut Subscription) -> Seen {
    match soon(subscription.next_subscription_event()).await.unwrap() {
        SubscriptionEvent::Confirmed(_) => Seen::Confirmed,
        SubscriptionEvent::EventAppeared(event) => {
            let event = event.event.unwrap();
            Seen::Event(stream_of(&event), event.revision)
        }
        SubscriptionEvent::Checkpoint(position) => Seen::Checkpoint(position.commit),
        other if caught_up(&other).is_some() => Seen::CaughtUp,
        _ => Seen::Other,
    }
}

async fn see_many(subscription: &mut Subscription, count: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(see(subscription).await);
    }
    seen
}

fn seen(stream: &str, revision: u64) -> Seen {
    Seen::Event(stream.into(), revision)
}
