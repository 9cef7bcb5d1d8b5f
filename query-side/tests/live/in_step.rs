//! Whoever comes with news that the hub has not told yet ends with the map of now, like everybody else.

use crate::{
    following::{Drawn, Following},
    stage::Stage,
    torn::TornStore,
};
use axum::Router;
use proptest::prelude::*;
use query_side::App;
use std::{sync::Arc, time::Duration};

/// A stage on which the hub only looks when it is told to.
async fn quiet_stage() -> (Stage, Arc<TornStore>, Router) {
    let stage = Stage::new().await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    (stage, store, query_side::router(app))
}

/// Somebody who draws what they are told.
struct Drawing {
    following: Following,
    drawn: Drawn,
    tally: [u64; 3],
}

impl Drawing {
    /// Takes the map, and follows from there.
    async fn begin(stage: &Stage, router: &Router) -> Self {
        let drawn = Drawn::map(&stage.map("formato=compacto").await);
        let query = format!("formato=compacto&desde={}", drawn.version);
        let mut drawing = Self {
            following: Following::start_with(router, &query, None).await,
            drawn,
            tally: [0; 3],
        };
        drawing.hear().await;
        drawing
    }

    async fn hear(&mut self) {
        let told = tokio::time::timeout(Duration::from_secs(10), self.following.told()).await;
        let told = told.expect("somebody who follows is forgotten");
        self.drawn.hear(&told);
        self.tally = told.tally();
    }

    /// Listens until this seat, the last of its section, is sold; then all must be as it is.
    async fn is_right_when_sold(&mut self, stage: &Stage) {
        while !self.drawn.sections[1].ends_with('v') {
            self.hear().await;
        }
        let map = stage.map("formato=compacto").await;
        assert_eq!(self.drawn, Drawn::map(&map));
        let count = |state| {
            self.drawn
                .sections
                .iter()
                .flat_map(|section| section.chars())
                .filter(|is| *is == state)
                .count() as u64
        };
        assert_eq!(self.tally, [count('l'), count('r'), count('v')]);
    }
}

const LAST: &str = "Palco-B-B-5";

#[tokio::test]
async fn a_seat_that_somebody_saw_taken_before_the_hub_did_is_free_for_them_again() {
    for something_else_happens in [true, false] {
        let (stage, store, router) = quiet_stage().await;
        let mut early = Drawing::begin(&stage, &router).await;
        stage.happen('h', &["Platea-A-1"]).await;
        let mut late = Drawing::begin(&stage, &router).await;
        assert_eq!(late.drawn.sections[0], "rlllllllll");
        stage.happen('f', &["Platea-A-1"]).await;
        if something_else_happens {
            stage.happen('h', &["Palco-B-A-1"]).await;
        }
        store.announce();
        late.hear().await;
        assert_eq!(late.drawn, Drawn::map(&stage.map("formato=compacto").await));
        stage.happen('s', &[LAST]).await;
        store.announce();
        for drawing in [&mut early, &mut late] {
            drawing.is_right_when_sold(&stage).await;
        }
    }
}

#[tokio::test]
async fn a_map_that_is_told_anew_is_as_fresh_as_a_read() {
    let stage = Stage::with(query_side::Settings {
        max_missed: 1,
        ..crate::stage::at_once()
    })
    .await;
    let store = TornStore::over(stage.world.store.clone());
    let app = App {
        store: store.clone(),
        ..stage.world.app.clone()
    };
    let router = query_side::router(app);
    let mut early = Drawing::begin(&stage, &router).await;
    for seat in ["Platea-A-1", "Platea-A-2", "Platea-A-3"] {
        stage.happen('h', &[seat]).await;
    }
    // The hub has told none of it.
    let mut late = Following::start_with(&router, "formato=compacto&desde=0", None).await;
    let told = late.told().await;
    assert_eq!(
        (told.event.as_str(), told.id, told.tally()),
        ("mapa", 3, [17, 3, 0])
    );
    let mut late = Drawing {
        drawn: Drawn::map(&told.data),
        tally: told.tally(),
        following: late,
    };
    stage.happen('s', &[LAST]).await;
    store.announce();
    for drawing in [&mut early, &mut late] {
        drawing.is_right_when_sold(&stage).await;
    }
}

/// What happens.
#[derive(Clone, Debug)]
enum Happens {
    /// To a seat.
    Seat(char, usize),
    /// Somebody comes.
    Comes,
    /// The hub looks.
    Looks,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (prop::sample::select(vec!['f', 'h', 's']), 0_usize..3).prop_map(|(state, seat)| Happens::Seat(state, seat)),
        2 => Just(Happens::Comes),
        2 => Just(Happens::Looks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Few seats, so that what was taken is often free again between two looks.
    #[test]
    fn whenever_somebody_comes_they_end_with_the_map_of_now(story in prop::collection::vec(happens(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (stage, store, router) = quiet_stage().await;
            let mut drawings = vec![Drawing::begin(&stage, &router).await];
            for happens in &story {
                match happens {
                    Happens::Seat(state, seat) => stage.happen(*state, &[["Platea-A-1", "Platea-A-2", "Palco-B-A-1"][*seat]]).await,
                    Happens::Comes => drawings.push(Drawing::begin(&stage, &router).await),
                    Happens::Looks => {
                        store.announce();
                        tokio::task::yield_now().await;
                    }
                }
            }
            stage.happen('s', &[LAST]).await;
            store.announce();
            for drawing in &mut drawings {
                drawing.is_right_when_sold(&stage).await;
            }
        });
    }
}
