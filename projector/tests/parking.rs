//! Parking: an event that cannot be read stops its stream and nothing else, and is never skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Documents, Run, World, faulty::VeiledLog, projector};
use contract::{Recorded, ShowId, StreamName, collections};
use ports::{Change, Document, EventLog, ReadStore};
use std::sync::Arc;
use uuid::Uuid;
use views::parked::Parked;

const SHOW: ShowId = ShowId(Uuid::from_u128(1));

/// One event in the middle of show 1, and the first of one reservation.
fn veiled(event: &Recorded) -> bool {
    let reservation = &*event.kind == "reservation_requested.v1" && event.stream.as_str().ends_with("05");
    (event.stream == StreamName::show(SHOW) && event.revision == 7) || reservation
}

fn veiled_log(world: &World) -> Arc<VeiledLog> {
    Arc::new(VeiledLog {
        log: world.log(),
        veiled,
    })
}

fn without(documents: Documents, keys: &[String]) -> Documents {
    documents
        .into_iter()
        .filter(|((_, key), _)| !keys.contains(key))
        .collect()
}

async fn parked(world: &World) -> Vec<Parked> {
    let documents = world.documents().await;
    let parked = documents
        .into_iter()
        .filter(|((collection, _), _)| *collection == *collections::PARKED.name);
    parked
        .map(|(_, (_, body))| serde_json::from_value(body).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_event_parks_its_stream_and_the_others_go_on() {
    let mut world = World::new();
    world.story(30).await;
    let projector = projector(veiled_log(&world), world.store());
    let run = Run::of(&projector);
    world.caught_up().await;
    run.end().await;

    let parked = parked(&world).await;
    let streams: Vec<_> = parked
        .iter()
        .map(|parked| (parked.stream.to_string(), parked.revision))
        .collect();
    let reservation = streams[0].0.clone();
    assert_eq!(
        streams,
        [(reservation.clone(), 0), (StreamName::show(SHOW).to_string(), 7)]
    );
    assert!(
        parked
            .iter()
            .all(|parked| parked.error == "unknown event kind tickets_teleported.v1")
    );
    assert_eq!(projector.health().parked_streams(), 2);
    assert!(!projector.health().is_green());

    // The parked documents stand where they stood, all others are as they should be.
    let keys = [
        SHOW.to_string(),
        reservation.clone(),
        reservation["reservation-".len()..].to_owned(),
    ];
    let keys = [&keys[..], &[StreamName::show(SHOW).to_string()]].concat();
    let (seen, expected) = (world.documents().await, world.expected().await);
    assert_eq!(seen[&("shows".to_owned(), SHOW.to_string())].1["revision"], 6);
    assert!(!seen.contains_key(&("reservations".to_owned(), keys[2].clone())));
    // The reservation's id is also its purchase's, which is in another stream and goes on.
    let purchase = ("purchases".to_owned(), keys[2].clone());
    assert_eq!(seen.get(&purchase), expected.get(&purchase));
    assert_eq!(without(seen, &keys), without(expected, &keys));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_can_read_it_catches_up_at_its_start() {
    let mut world = World::new();
    world.story(30).await;
    let run = Run::of(&projector(veiled_log(&world), world.store()));
    world.caught_up().await;
    run.kill().await;
    assert_eq!(parked(&world).await.len(), 2);
    // More comes while nobody projects, for parked streams too.
    world.purchase(31, SHOW, true).await;

    let fixed = world.projector();
    let run = Run::of(&fixed);
    world.caught_up().await;
    run.end().await;
    assert_eq!(world.documents().await, world.expected().await);
    assert!(fixed.health().is_green());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_stays_parked_as_long_as_it_cannot_be_read() {
    let mut world = World::new();
    world.story(30).await;
    for _ in 0..3 {
        let projector = projector(veiled_log(&world), world.store());
        let run = Run::of(&projector);
        world
            .purchase(31 + u128::from(world.head().await.unwrap().0), SHOW, false)
            .await;
        world.caught_up().await;
        run.end().await;
        assert_eq!(parked(&world).await.len(), 2);
        assert_eq!(projector.health().parked_streams(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_document_that_is_none_parks_its_stream_and_a_rebuild_mends_it() {
    let mut world = World::new();
    world.story(10).await;
    let projector = world.projector();
    let run = Run::of(&projector);
    world.caught_up().await;
    run.end().await;
    let document = Document {
        key: SHOW.to_string(),
        version: 99,
        body: "[]".into(),
    };
    let put = Change::Put {
        collection: &collections::SHOWS,
        document: Arc::new(document),
    };
    let head = world.head().await.unwrap();
    world
        .store
        .apply(world.generation().await, vec![put], head)
        .await
        .unwrap();

    world.purchase(12, SHOW, true).await;
    world.purchase(11, ShowId(Uuid::from_u128(2)), false).await;
    let run = Run::of(&projector);
    world.caught_up().await;
    let parked = parked(&world).await;
    assert_eq!(
        parked.iter().map(|parked| &parked.stream).collect::<Vec<_>>(),
        [&StreamName::show(SHOW)]
    );
    projector.rebuild(&|_, _| {}).await.unwrap();
    assert_eq!(world.documents().await, world.expected().await);
    run.end().await;
    assert!(projector.health().is_green());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_its_beginning_is_parked() {
    let mut world = World::new();
    world.story(2).await;
    // The first event of a stream that only a damaged log has.
    let stream = StreamName::show(ShowId(Uuid::from_u128(404)));
    let sold = world.log.read(&StreamName::show(SHOW), 1, 1).await.unwrap()[0]
        .event()
        .unwrap();
    world.append(&stream, vec![sold]).await;
    let run = Run::of(&world.projector());
    world.caught_up().await;
    run.end().await;
    assert_eq!(
        parked(&world)
            .await
            .iter()
            .map(|parked| &parked.stream)
            .collect::<Vec<_>>(),
        [&stream]
    );
}
