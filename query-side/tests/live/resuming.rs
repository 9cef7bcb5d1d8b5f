//! Who comes back is told what they missed; a version that was told is never ahead of the seats that were.

use crate::{
    following::{Drawn, Following},
    stage::{Stage, at_once},
    torn::{NoLog, TornStore},
    world::SHOW,
};
use axum::Router;
use contract::collections::SEAT_MAPS;
use proptest::prelude::*;
use query_side::{App, Settings};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn who_comes_back_is_told_exactly_what_they_missed() {
    let stage = Stage::new().await;
    for (state, seat) in [
        ('h', "Platea-A-1"),
        ('h', "Platea-A-2"),
        ('s', "Platea-A-1"),
        ('h', "Palco-B-A-1"),
        ('f', "Palco-B-A-1"),
    ] {
        stage.happen(state, &[seat]).await;
    }
    for (query, last, seats) in [
        (
            "desde=1",
            None,
            vec!["Platea-A-1 vendido", "Platea-A-2 retenido", "Palco-B-A-1 libre"],
        ),
        ("", Some("2"), vec!["Platea-A-1 vendido", "Palco-B-A-1 libre"]),
        ("desde=0", Some("4"), vec!["Palco-B-A-1 libre"]),
        ("desde=4", Some("not a version"), vec!["Palco-B-A-1 libre"]),
        ("", Some("5"), vec![]),
        ("", None, vec![]),
    ] {
        let mut following = Following::start_with(&stage.world.router, query, last).await;
        let told = following.told().await;
        assert_eq!(
            (told.event.as_str(), told.id, told.tally()),
            ("cambio", 5, [18, 1, 1]),
            "{query}"
        );
        assert_eq!(told.seats(), seats, "{query} {last:?}");
        assert!(following.is_quiet(), "once is enough");
    }
    // It goes on from there.
    let mut following = Following::start(&stage.world, "desde=5").await;
    following.told().await;
    stage.happen('h', &["Platea-B-1"]).await;
    let told = following.told().await;
    assert_eq!(
        (told.id, told.seats()),
        (6, vec!["Platea-B-1 retenido".to_owned()])
    );
}

#[tokio::test]
async fn who_missed_too_much_is_told_everything_anew() {
    let stage = Stage::with(Settings {
        max_missed: 3,
        ..at_once()
    })
    .await;
    for seat in ["Platea-A-1", "Platea-A-2", "Platea-A-3", "Platea-A-4"] {
        stage.happen('h', &[seat]).await;
    }
    let told = Following::start(&stage.world, "desde=1&formato=compacto")
        .await
        .told()
        .await;
    assert_eq!(
        (told.event.as_str(), &told.data["cambios"]),
        ("cambio", &json!([[0, 1, "3r"]]))
    );
    let mut following = Following::start(&stage.world, "desde=0&formato=compacto").await;
    let told = following.told().await;
    assert_eq!(
        (told.event.as_str(), told.id, told.tally()),
        ("mapa", 4, [16, 4, 0])
    );
    let fresh = stage.map("formato=compacto").await;
    assert_eq!(told.data["secciones"], fresh["secciones"]);
    assert_eq!(told.data["cambios"], json!([]));
    stage.happen('f', &["Platea-A-1"]).await;
    assert_eq!(following.told().await.data["cambios"], json!([[0, 0, "l"]]));
    let complete = Following::start(&stage.world, "desde=0").await.told().await;
    assert_eq!(complete.data["secciones"], stage.map("").await["secciones"]);
}

#[tokio::test]
async fn a_version_that_is_not_in_the_log_is_answered_with_everything() {
    let stage = Stage::new().await;
    stage.happen('h', &["Platea-A-1"]).await;
    for version in ["2", "99", "18446744073709551615"] {
        let told = Following::start(&stage.world, &format!("desde={version}"))
            .await
            .told()
            .await;
        assert_eq!((told.event.as_str(), told.id), ("mapa", 1), "{version}");
    }
}

#[tokio::test]
async fn without_the_log_who_missed_something_is_told_everything_and_goes_on() {
    let stage = Stage::new().await;
    let app = App {
        log: Arc::new(NoLog),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    stage.happen('h', &["Platea-A-1"]).await;
    let mut following = Following::start_with(&router, "desde=0", None).await;
    assert_eq!(following.told().await.event, "mapa");
    stage.happen('s', &["Platea-A-1"]).await;
    let told = following.told().await;
    assert_eq!(
        (told.event.as_str(), told.seats()),
        ("cambio", vec!["Platea-A-1 vendido".to_owned()])
    );
    let told = Following::start_with(&router, "desde=2", None).await.told().await;
    assert_eq!(told.event, "cambio", "nothing was missed");
}

#[tokio::test]
async fn who_has_seen_more_than_this_node_is_not_told_of_the_past() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    let mut early = Following::start_with(&router, "formato=compacto", None).await;
    early.told().await;
    // Another node has applied what this one has not: there the seat is sold already.
    for state in ['h', 's'] {
        store.freeze(&SEAT_MAPS, &SHOW.to_string()).await;
        stage.happen(state, &["Platea-A-1"]).await;
    }
    let mut ahead = Following::start_with(&router, "formato=compacto&desde=2", None).await;
    let told = ahead.told().await;
    assert_eq!(
        (told.event.as_str(), told.id),
        ("cambio", 2),
        "from where they are"
    );
    store.announce();
    let told = early.told().await;
    assert_eq!(
        (told.id, &told.data["cambios"]),
        (1, &json!([[0, 0, "r"]])),
        "as this node has it"
    );
    store.thaw();
    store.announce();
    let told = early.told().await;
    assert_eq!((told.id, &told.data["cambios"]), (2, &json!([[0, 0, "v"]])));
    assert!(ahead.is_quiet(), "they have that");
    stage.happen('h', &["Platea-A-2"]).await;
    store.announce();
    for following in [&mut early, &mut ahead] {
        let told = following.told().await;
        assert_eq!((told.id, &told.data["cambios"]), (3, &json!([[0, 1, "r"]])));
    }
}

#[tokio::test]
async fn who_has_seen_more_than_this_node_is_told_the_tally_as_soon_as_it_is_there() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let router = query_side::router(App {
        store: store.clone(),
        ..stage.world.app.clone()
    });
    let mut early = Following::start_with(&router, "formato=compacto", None).await;
    assert_eq!(early.told().await.tally(), [20, 0, 0]);
    // In the log, and at another node; not here.
    stage.append('h', &["Platea-A-1"]).await;
    let mut ahead = Following::start_with(&router, "formato=compacto&desde=1", None).await;
    let told = ahead.told().await;
    assert_eq!((told.id, told.tally()), (1, [20, 0, 0]), "as this node has it");
    stage.world.project().await;
    store.announce();
    let told = ahead.told().await;
    assert_eq!(
        (told.id, told.tally(), &told.data["cambios"]),
        (1, [19, 1, 0], &json!([]))
    );
}

#[tokio::test]
async fn the_version_told_is_that_of_the_seats_however_new_the_show_is() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router: Router = query_side::router(app);
    let mut following = Following::start_with(&router, "", None).await;
    following.told().await;
    store.freeze(&SEAT_MAPS, &SHOW.to_string()).await;
    stage.happen('h', &["Platea-A-1"]).await;
    store.announce();
    let torn = following.told().await;
    assert_eq!(
        (torn.id, torn.tally()),
        (0, [19, 1, 0]),
        "the tally is new, the seats are not"
    );
    assert!(torn.seats().is_empty());
    // Whoever resumes from there hears of the seat, here and elsewhere.
    let elsewhere = Following::start(&stage.world, "desde=0").await.told().await;
    assert_eq!((elsewhere.id, elsewhere.seats().len()), (1, 1));
    store.thaw();
    // The show's document is as it was: only the seats have come.
    store.announce();
    let told = following.told().await;
    assert_eq!(
        (told.id, told.seats()),
        (1, vec!["Platea-A-1 retenido".to_owned()])
    );
}

#[tokio::test]
async fn read_models_that_went_back_are_told_anew() {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    let key = SHOW.to_string();
    let mut following = Following::start_with(&router, "formato=compacto&desde=0", None).await;
    let mut drawn = Drawn::map(&stage.map("formato=compacto").await);
    drawn.hear(&following.told().await);
    let old = ports::ReadStore::get(&*stage.world.store, &SEAT_MAPS, &key)
        .await
        .unwrap()
        .unwrap();
    stage.happen('h', &["Platea-A-1"]).await;
    store.announce();
    drawn.hear(&following.told().await);
    assert_eq!(drawn.sections[0], "rlllllllll");
    // A store that was away, and is behind, answers again.
    store.show(&SEAT_MAPS, old);
    stage.happen('h', &["Platea-A-2"]).await;
    store.announce();
    let told = following.told().await;
    assert_eq!((told.event.as_str(), told.id), ("mapa", 0));
    drawn.hear(&told);
    assert_eq!(drawn.sections[0], "llllllllll");
    store.thaw();
    store.announce();
    drawn.hear(&following.told().await);
    assert_eq!(drawn, Drawn::map(&stage.map("formato=compacto").await));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Every version that was ever read leads to the map of now, and so does having listened all the time.
    #[test]
    fn from_whatever_version_one_resumes_one_has_the_map_of_now(
        story in prop::collection::vec((prop::sample::select(vec!['f', 'h', 's']), 0_usize..20, 1_usize..4), 1..12)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new().await;
            let names: Vec<String> = ["Platea", "Palco-B"]
                .iter()
                .flat_map(|section| (0..10).map(move |n| contract::events::seat_name(section, n / 5, n % 5 + 1)))
                .collect();
            let mut listening = Following::start(&stage.world, "formato=compacto&desde=0").await;
            let mut heard = Drawn::map(&stage.map("formato=compacto").await);
            let mut read = vec![heard.clone()];
            for (state, first, count) in &story {
                let seats: Vec<&str> = names.iter().cycle().skip(*first).take(*count).map(String::as_str).collect();
                stage.happen(*state, &seats).await;
                read.push(Drawn::map(&stage.map("formato=compacto").await));
            }
            let now = read.last().unwrap().clone();
            for mut drawn in read {
                let query = format!("formato=compacto&desde={}", drawn.version);
                let told = Following::start(&stage.world, &query).await.told().await;
                assert_eq!(told.event, "cambio");
                drawn.hear(&told);
                assert_eq!(drawn, now);
            }
            // What ends as it began is not told, so the version may stay behind.
            while heard.sections != now.sections {
                heard.hear(&listening.told().await);
            }
            assert!(heard.version <= now.version);
        });
    }
}
