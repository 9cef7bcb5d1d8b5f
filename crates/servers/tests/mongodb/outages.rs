//! A server that is killed, silent, or was never there.

use crate::bed::{connect, found, new_database, pair, project, store, until};
use contract::{Position, collections::SHOWS};
use ports::{Generation, Query, ReadStore, Snapshots, StoreError};
use servers::mongodb::{Mongo, MongoError, MongoOptions, MongoStore};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const ALL: Query = Query {
    filters: Vec::new(),
    order: None,
    after: None,
    limit: 10,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_nothing_half_applied_and_projecting_goes_on() {
    for (server, keeps_all) in [
        (stack::mongodb::start().unwrap(), false),
        (stack::mongodb::start_durable().unwrap(), true),
    ] {
        let database = new_database();
        let store = store(&server, &database).await;
        let rounds = 3;
        for round in 1..=rounds {
            let goal = round * 100;
            let projecting = tokio::spawn({
                let store = store.clone();
                async move { project(&*store, goal).await }
            });
            let told = store.applied();
            until("it is half way", async || {
                told.borrow().is_some_and(|position| position.0 >= goal - 60)
            })
            .await;
            server.server().kill();
            let told = told.borrow().map_or(0, |position| position.0);
            server.server().begin().unwrap();
            // Nobody writes between the return of the server and what another process finds there first.
            let other = crate::bed::store(&server, &database).await;
            until("the server answers", async || other.active().await.is_ok()).await;
            let [one, two, checkpoint] = snapshot(&other).await;
            assert_eq!((one, two), (checkpoint, checkpoint));
            assert!(
                !keeps_all || checkpoint >= told,
                "{told} was acknowledged, {checkpoint} is left"
            );
            projecting.await.unwrap();
            assert_eq!(found(&*store).await, [goal, goal, goal]);
        }
    }
}

/// The two versions and the checkpoint while another writes: read until none has moved meanwhile.
async fn snapshot(store: &MongoStore) -> [u64; 3] {
    loop {
        let (before, after) = (found(store).await, found(store).await);
        if before == after {
            return after;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_server_is_no_error_and_every_call_is_turned_away_soon() {
    let nobody = stack::free_port().unwrap();
    let url = format!("mongodb://127.0.0.1:{nobody}/?directConnection=true");
    let mongo = Mongo::connect(&MongoOptions::new(url)).await.unwrap();
    let store = within_3_s("open", MongoStore::open(&mongo)).await;
    all_are_turned_away(&store).await;
    assert!(matches!(mongo.ping().await, Err(MongoError::Unavailable(_))));
    // What is known to be away is not waited for again.
    let began = Instant::now();
    assert!(store.mark("forwarder").await.is_err());
    assert!(
        began.elapsed() < Duration::from_millis(100),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_not_waited_for_and_is_used_again_when_it_speaks() {
    let server = stack::mongodb::start().unwrap();
    let store = store(&server, &new_database()).await;
    let active = store.active().await.unwrap();
    store.apply(active, pair(1), Position(1)).await.unwrap();
    server.server().pause();
    let refused = within_3_s("apply", store.apply(active, pair(2), Position(2))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    all_are_turned_away(&store).await;
    server.server().resume();
    let began = Instant::now();
    // What was turned away may have been applied all the same.
    assert!((3..=4).contains(&project(&*store, 5).await));
    println!("used again after {:?}", began.elapsed());
    assert_eq!(found(&*store).await, [5, 5, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_opened_without_its_server_works_when_it_comes() {
    let server = stack::mongodb::start().unwrap();
    let database = new_database();
    server.server().kill();
    let store = MongoStore::open(&connect(&server, &database).await).await;
    assert!(store.active().await.is_err());
    server.server().begin().unwrap();
    until("it is used", async || store.active().await.is_ok()).await;
    project(&*store, 3).await;
    assert_eq!(found(&*store).await, [3, 3, 3]);
}

#[tokio::test]
async fn a_malformed_url_is_an_error_at_once() {
    for url in ["", "http://localhost", "mongodb://", "mongodb://user:secret@/x?="] {
        let error = Mongo::connect(&MongoOptions::new(url)).await.err();
        assert!(matches!(error, Some(MongoError::Url(_))), "{url}: {error:?}");
        assert!(!error.unwrap().to_string().contains("secret"));
    }
}

async fn all_are_turned_away(store: &Arc<MongoStore>) {
    let stream = contract::StreamName::new("show-1");
    let turned_away = |what: &str, error: Option<StoreError>| {
        assert!(
            matches!(error, Some(StoreError::Unavailable(_))),
            "{what}: {error:?}"
        );
    };
    let one = Generation(1);
    turned_away("get", within_3_s("get", store.get(&SHOWS, "k")).await.err());
    turned_away(
        "get_in",
        within_3_s("get_in", store.get_in(one, &SHOWS, "k")).await.err(),
    );
    turned_away("find", within_3_s("find", store.find(&SHOWS, ALL)).await.err());
    turned_away("count", within_3_s("count", store.count(&SHOWS)).await.err());
    turned_away("mark", within_3_s("mark", store.mark("m")).await.err());
    turned_away(
        "set_mark",
        within_3_s("set_mark", store.set_mark("m", Position(1)))
            .await
            .err(),
    );
    turned_away(
        "apply",
        within_3_s("apply", store.apply(one, pair(9), Position(9)))
            .await
            .err(),
    );
    turned_away("begin", within_3_s("begin", store.begin()).await.err());
    turned_away(
        "activate",
        within_3_s("activate", store.activate(one)).await.err(),
    );
    turned_away("load", within_3_s("load", store.load(&stream)).await.err());
}

async fn within_3_s<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(3);
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| panic!("{what} took more than 3 s"))
}
