//! Who may follow, how long, and what happens to those who cannot keep up.

use crate::{
    following::{Drawn, Following},
    stage::{Stage, at_once},
    torn::TornStore,
    world::{RESERVATION, SHOW, World},
};
use contract::events::Choice;
use query_side::{App, Settings};
use std::sync::atomic::Ordering::SeqCst;
use uuid::Uuid;

#[tokio::test]
async fn a_follower_who_cannot_keep_up_is_given_a_fresh_map_and_goes_on() {
    let stage = Stage::new().await;
    let mut slow = Following::start(&stage.world, "formato=compacto&desde=0").await;
    let mut quick = Following::start(&stage.world, "formato=compacto&desde=0").await;
    let mut drawn = Drawn::map(&stage.map("formato=compacto").await);
    quick.told().await;
    drawn.hear(&slow.told().await);
    for round in 0..40 {
        stage
            .happen(if round % 2 == 0 { 'h' } else { 's' }, &["Platea-A-1"])
            .await;
        // The hub has told it: the buffer of who does not listen fills.
        quick.told().await;
    }
    let told = slow.told().await;
    assert_eq!(
        (told.event.as_str(), told.id),
        ("mapa", 40),
        "not one of what was told before"
    );
    drawn.hear(&told);
    stage.happen('h', &["Palco-B-A-1"]).await;
    let told = slow.told().await;
    assert_eq!(told.event, "cambio");
    drawn.hear(&told);
    assert_eq!(drawn, Drawn::map(&stage.map("formato=compacto").await));
}

#[tokio::test]
async fn places_are_bounded_apart_from_those_who_follow_reservations_and_who_leaves_makes_room() {
    let stage = Stage::with(Settings {
        max_watchers: 1,
        ..at_once()
    })
    .await;
    let first = Following::start(&stage.world, "").await;
    let path = format!("/api/eventos/{SHOW}/cambios");
    let refused = stage.world.get(&path).await;
    assert_eq!(
        (refused.status, refused.codigo(), refused.header("retry-after")),
        (503, "OCUPADO", "5")
    );
    let choice = Choice::Quantity {
        quantity: 2,
        section: None,
    };
    stage.world.request(RESERVATION, choice).await;
    let reservations = format!("/api/reservar/{RESERVATION}/cambios");
    let request = axum::http::Request::get(reservations)
        .body(axum::body::Body::empty())
        .unwrap();
    let followed = tower::ServiceExt::oneshot(stage.world.router.clone(), request)
        .await
        .unwrap();
    assert_eq!(followed.status(), 200, "their places are others");
    drop(first);
    Following::start(&stage.world, "").await;
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_understood_is_refused() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let unknown = Uuid::from_u128(99);
    for (path, status, codigo) in [
        (
            format!("/api/eventos/{unknown}/cambios"),
            404,
            "EVENTO_NO_ENCONTRADO",
        ),
        ("/api/events/x/cambios".to_owned(), 404, "EVENTO_NO_ENCONTRADO"),
        (
            format!("/api/eventos/{SHOW}/cambios?formato=xml"),
            400,
            "PARAMETRO_INVALIDO",
        ),
        (
            format!("/api/eventos/{SHOW}/cambios?desde=ayer"),
            400,
            "PARAMETRO_INVALIDO",
        ),
        (
            format!("/api/eventos/{SHOW}/cambios?desde=-1"),
            400,
            "PARAMETRO_INVALIDO",
        ),
        (
            format!("/api/eventos/{SHOW}/asientos?formato=xml"),
            400,
            "PARAMETRO_INVALIDO",
        ),
    ] {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, answer.codigo()), (status, codigo), "{path}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_server_closes_and_when_its_time_is_over() {
    let stage = Stage::new().await;
    let mut bounded = Following::start(&stage.world, "").await;
    bounded.told().await;
    stage.world.clock.set(1_000_000_000_000 + 10 * 60_000);
    assert!(bounded.next().await.is_none(), "its time is over");
    let mut open = Following::start(&stage.world, "").await;
    open.told().await;
    stage.world.closer.close();
    assert!(open.next().await.is_none(), "the server closes");
    let mut late = Following::start(&stage.world, "").await;
    late.told().await;
    assert!(late.next().await.is_none(), "at once");
}

#[tokio::test]
async fn followers_stay_while_the_store_is_away_and_hear_the_next_change_and_nobody_spins() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    let mut following = Following::start_with(&router, "", None).await;
    following.told().await;
    stage.happen('h', &["Platea-A-1"]).await;
    store.away.store(true, SeqCst);
    let before = store.reads.load(SeqCst);
    store.announce();
    while store.reads.load(SeqCst) == before {
        tokio::task::yield_now().await;
    }
    store.away.store(false, SeqCst);
    // Nothing moves any more: it is the second look that finds it.
    let told = following.told().await;
    assert_eq!(told.seats(), ["Platea-A-1 retenido"]);
    let looks = store.reads.load(SeqCst) - before;
    assert!(looks <= 8, "{looks} documents were read");
}

#[tokio::test]
async fn a_hub_ends_when_nobody_follows_and_another_begins_with_the_next() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    let mut first = Following::start_with(&router, "", None).await;
    let mut second = Following::start_with(&router, "formato=compacto", None).await;
    first.told().await;
    second.told().await;
    drop(first);
    stage.happen('h', &["Platea-A-1"]).await;
    store.announce();
    assert_eq!(second.told().await.id, 1, "somebody still follows");
    drop(second);
    // Ready when no hub waits for the store to move.
    store.applied.closed().await;
    let mut third = Following::start_with(&router, "", None).await;
    third.told().await;
    stage.happen('f', &["Platea-A-1"]).await;
    store.announce();
    assert_eq!(third.told().await.seats(), ["Platea-A-1 libre"]);
}

#[tokio::test]
async fn a_show_that_is_gone_ends_its_streams() {
    let stage = Stage::new().await;
    let mut following = Following::start(&stage.world, "").await;
    following.told().await;
    let generation = ports::ReadStore::active(&*stage.world.store).await.unwrap();
    let gone = ports::Change::Delete {
        collection: &contract::collections::SHOWS,
        key: SHOW.to_string(),
    };
    let position = ports::ReadStore::checkpoint(&*stage.world.store, generation)
        .await
        .unwrap();
    ports::ReadStore::apply(&*stage.world.store, generation, vec![gone], position.unwrap())
        .await
        .unwrap();
    assert!(following.next().await.is_none());
}
