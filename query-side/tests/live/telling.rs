//! What followers are told, and when.

use crate::{
    following::{Drawn, Following, by_name},
    stage::{Stage, at_once},
    world::{BEGINS, RESERVATION, SHOW, World},
};
use query_side::Settings;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn followers_are_told_the_tally_at_once_and_then_which_seats_changed_and_how() {
    let stage = Stage::new().await;
    let mut following = Following::start(&stage.world, "").await;
    let first = following.told().await;
    assert_eq!(
        (first.event.as_str(), first.id, first.tally()),
        ("cambio", 0, [20, 0, 0])
    );
    assert!(first.seats().is_empty(), "whoever wants the seats reads the map");
    stage.happen('h', &["Platea-A-2", "Palco-B-B-5"]).await;
    let held = following.told().await;
    assert_eq!(
        (held.event.as_str(), held.id, held.tally()),
        ("cambio", 1, [18, 2, 0])
    );
    assert_eq!(held.seats(), ["Platea-A-2 retenido", "Palco-B-B-5 retenido"]);
    stage.happen('s', &["Platea-A-2"]).await;
    assert_eq!(following.told().await.seats(), ["Platea-A-2 vendido"]);
    stage.happen('f', &["Palco-B-B-5"]).await;
    let free = following.told().await;
    assert_eq!(free.seats(), ["Palco-B-B-5 libre"]);
    assert_eq!(
        (free.id, free.tally(), &free.data["estado"]),
        (3, [19, 0, 1], &json!("activo"))
    );
    assert!(free.data.get("cambios").is_none() && free.data.get("secciones").is_none());
}

#[tokio::test]
async fn compact_news_say_section_first_place_and_states() {
    let stage = Stage::new().await;
    let mut following = Following::start(&stage.world, "formato=compacto").await;
    assert_eq!(following.told().await.data["cambios"], json!([]));
    stage
        .happen('h', &["Platea-A-5", "Platea-B-1", "Platea-B-3", "Palco-B-A-1"])
        .await;
    let told = following.told().await;
    assert_eq!(
        told.data["cambios"],
        json!([[0, 4, "2r"], [0, 7, "r"], [1, 0, "r"]])
    );
    assert!(told.data.get("asientos").is_none());
}

#[tokio::test]
async fn both_formats_lead_to_the_map_that_everybody_reads() {
    let stage = Stage::new().await;
    let mut drawn = Drawn::map(&stage.map("formato=compacto").await);
    let mut named = by_name(&stage.map("").await);
    let (mut compact, mut complete) = (
        Following::start(&stage.world, "formato=compacto&desde=0").await,
        Following::start(&stage.world, "formato=completo&desde=0").await,
    );
    for (state, seats) in [
        ('h', vec!["Platea-A-1", "Platea-A-2", "Platea-B-5"]),
        ('s', vec!["Platea-A-1", "Platea-A-2"]),
        ('f', vec!["Platea-B-5"]),
        ('h', vec!["Palco-B-A-1", "Platea-A-3"]),
    ] {
        stage.happen(state, &seats).await;
    }
    while drawn.version < 4 {
        drawn.hear(&compact.told().await);
    }
    let mut version = 0;
    while version < 4 {
        let told = complete.told().await;
        version = told.id;
        for seat in told.data["asientos"].as_array().unwrap() {
            let text = |name: &str| seat[name].as_str().unwrap().to_owned();
            named.insert(text("asiento"), text("estado"));
        }
    }
    assert_eq!(drawn, Drawn::map(&stage.map("formato=compacto").await));
    assert_eq!(named, by_name(&stage.map("formato=completo").await));
}

#[tokio::test]
async fn all_followers_of_a_format_are_given_the_same_bytes() {
    let stage = Stage::new().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        let mut following = Following::start(&stage.world, "").await;
        following.told().await;
        all.push(following);
    }
    stage.happen('h', &["Platea-A-1"]).await;
    let mut places = Vec::new();
    for following in &mut all {
        places.push(following.told().await.bytes.as_ptr());
    }
    assert!(
        places.iter().all(|place| *place == places[0]),
        "made once: {places:?}"
    );
}

#[tokio::test]
async fn what_happens_within_a_moment_is_told_together() {
    let stage = Stage::with(Settings {
        changes_every: Duration::from_millis(250),
        ..Settings::default()
    })
    .await;
    let mut following = Following::start(&stage.world, "formato=compacto&desde=0").await;
    let mut drawn = Drawn::map(&stage.map("formato=compacto").await);
    for round in 0..10 {
        let state = if round % 2 == 0 { 'h' } else { 'f' };
        stage.happen(state, &["Platea-A-1", "Platea-A-2"]).await;
    }
    stage.happen('s', &["Palco-B-A-1"]).await;
    let mut messages = 0;
    while drawn.version < 11 {
        drawn.hear(&following.told().await);
        messages += 1;
    }
    assert_eq!(drawn, Drawn::map(&stage.map("formato=compacto").await));
    assert!(messages < 8, "{messages} messages for 11 events");
}

#[tokio::test]
async fn a_show_without_numbered_seats_tells_its_tally_alone() {
    let world = World::with(at_once());
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let mut following = Following::start(&world, "").await;
    assert_eq!(following.told().await.tally(), [10, 0, 0]);
    world.hold(RESERVATION.own_hold(), None, SHOW.0, 0).await;
    world.project().await;
    let told = following.told().await;
    assert_eq!((told.id, told.tally()), (1, [8, 2, 0]));
    assert_eq!(told.data["asientos"], json!([]));
    let mut later = Following::start(&world, "desde=0").await;
    let told = later.told().await;
    assert_eq!(
        (told.event.as_str(), told.id, told.tally()),
        ("cambio", 1, [8, 2, 0])
    );
    let mut anew = Following::start(&world, "desde=77&formato=compacto").await;
    let told = anew.told().await;
    assert_eq!(
        (told.event.as_str(), &told.data["secciones"]),
        ("mapa", &json!([]))
    );
}

#[tokio::test]
async fn a_show_that_begins_is_over_at_that_moment_without_any_event() {
    let stage = Stage::new().await;
    let mut following = Following::start(&stage.world, "").await;
    assert_eq!(following.told().await.data["estado"], "activo");
    stage.world.clock.set(BEGINS.0 - 1);
    // The server's clock is past the follower's ten minutes, too: another follows.
    let mut following = Following::start(&stage.world, "").await;
    assert_eq!(following.told().await.data["estado"], "activo");
    stage.world.clock.set(BEGINS.0);
    let told = following.told().await;
    assert_eq!((&told.data["estado"], told.id), (&json!("finalizado"), 0));
    assert!(told.seats().is_empty());
}

#[tokio::test]
async fn a_show_that_is_cancelled_is_told_although_no_seat_changes() {
    let stage = Stage::new().await;
    stage.happen('s', &["Platea-A-1"]).await;
    let mut following = Following::start(&stage.world, "").await;
    following.told().await;
    stage.cancel().await;
    let told = following.told().await;
    assert_eq!((told.data["estado"].as_str(), told.id), (Some("cancelado"), 1));
    stage.happen('f', &["Platea-A-1"]).await;
    let told = following.told().await;
    assert_eq!((told.seats(), told.id), (vec!["Platea-A-1 libre".to_owned()], 3));
}

#[tokio::test]
async fn a_follower_who_hears_nothing_is_told_that_they_are_not_forgotten() {
    let stage = Stage::with(Settings {
        keep_alive: Duration::from_millis(20),
        ..at_once()
    })
    .await;
    let mut following = Following::start(&stage.world, "").await;
    following.told().await;
    assert_eq!(following.bytes().await.unwrap(), ": sigue\n\n");
    assert_eq!(following.bytes().await.unwrap(), ": sigue\n\n");
}

#[tokio::test]
async fn who_waits_for_a_position_is_told_of_it_in_the_first_event() {
    let stage = Stage::with(Settings {
        // Nobody would be told for an hour.
        changes_every: Duration::from_secs(3_600),
        ..Settings::default()
    })
    .await;
    let mut first = Following::start(&stage.world, "").await;
    first.told().await;
    stage.happen('h', &["Platea-A-1"]).await;
    let generation = ports::ReadStore::active(&*stage.world.store).await.unwrap();
    let position = ports::ReadStore::checkpoint(&*stage.world.store, generation)
        .await
        .unwrap();
    let query = format!("desde=0&posicion={}", position.unwrap().0);
    let told = Following::start(&stage.world, &query).await.told().await;
    assert_eq!((told.id, told.tally()), (1, [19, 1, 0]));
    assert_eq!(told.seats(), ["Platea-A-1 retenido"]);
}
