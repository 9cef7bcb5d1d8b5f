//! The run: whatever happens to it, the documents come to what the log says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Run, World, faulty::FaultyStore, projector};
use contract::{Position, ShowId};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_what_the_log_says() {
    let mut world = World::new();
    world.story(30).await;
    let projector = world.projector();
    let run = Run::of(&projector);
    world.caught_up().await;
    assert_eq!(world.documents().await, world.expected().await);
    // And what comes while it runs.
    world.purchase(31, ShowId(Uuid::from_u128(1)), true).await;
    world.caught_up().await;
    run.end().await;
    assert_eq!(world.documents().await, world.expected().await);
    assert!(projector.health().is_green());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_no_documents() {
    let world = World::new();
    let projector = world.projector();
    let run = Run::of(&projector);
    run.end().await;
    assert!(world.documents().await.is_empty());
    assert!(projector.health().is_green());
}

#[test]
fn a_run_that_is_killed_anywhere_goes_on_where_it_was() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut world = World::new();
    runtime.block_on(world.story(40));
    let head = runtime.block_on(world.head()).unwrap().0;
    let expected = runtime.block_on(world.expected());
    let kills = prop::collection::vec(1..head, 1..6);
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&kills, |mut kills| {
        kills.sort_unstable();
        runtime.block_on(async {
            let crashed = World::new();
            for kill in &kills {
                let run = Run::of(&projector(world.log(), crashed.store()));
                crashed.applied(Some(Position(*kill))).await;
                run.kill().await;
            }
            let run = Run::of(&projector(world.log(), crashed.store()));
            crashed.applied(Some(Position(head))).await;
            run.end().await;
            prop_assert_eq!(crashed.documents().await, expected.clone());
            Ok(())
        })
    });
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_store_that_fails_loses_nothing() {
    let mut world = World::new();
    world.story(40).await;
    for every in [2, 3] {
        let target = World::new();
        let faulty = FaultyStore {
            store: target.store(),
            every,
            applies: AtomicU64::new(0),
        };
        let projector = projector(world.log(), Arc::new(faulty));
        let run = Run::of(&projector);
        target.applied(world.head().await).await;
        let is_well = async {
            while projector.health().is_failing() {
                tokio::task::yield_now().await;
            }
        };
        let is_well = tokio::time::timeout(Duration::from_secs(20), is_well).await;
        is_well.expect("what is over is no ill health");
        run.end().await;
        assert_eq!(target.documents().await, world.expected().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_waits_for_the_first() {
    let mut world = World::new();
    world.story(5).await;
    let projector = world.projector();
    let (first, second) = (Run::of(&projector), Run::of(&projector));
    world.caught_up().await;
    first.end().await;
    world.purchase(6, ShowId(Uuid::from_u128(1)), true).await;
    world.caught_up().await;
    second.end().await;
    assert_eq!(world.documents().await, world.expected().await);
}
