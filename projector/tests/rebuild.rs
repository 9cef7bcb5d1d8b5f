//! Rebuilding: the same documents, with or without a run, while events come in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Run, World, faulty::BusyLog};
use contract::{ShowId, collections};
use ports::{Change, ReadStore};
use projector::{Projector, RebuildError};
use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::sync::watch;
use uuid::Uuid;

const SHOW: ShowId = ShowId(Uuid::from_u128(1));

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_rebuild_is_the_same_as_following_the_log() {
    let mut world = World::new();
    world.story(40).await;
    let projector = world.projector();
    let run = Run::of(&projector);
    world.caught_up().await;
    run.end().await;
    let (before, incremental) = (world.generation().await, world.documents().await);
    let steps = Mutex::new(vec![]);
    let rebuilt = projector
        .rebuild(&|done, total| steps.lock().unwrap().push((done, total)))
        .await
        .unwrap();
    assert_ne!(rebuilt.generation, before);
    assert_eq!(rebuilt.generation, world.generation().await);
    assert_eq!(rebuilt.position, world.head().await);
    assert_eq!(world.documents().await, incremental);
    let head = world.head().await.unwrap().0;
    let steps = steps.into_inner().unwrap();
    assert_eq!(
        (steps.first(), steps.last()),
        (Some(&(0, head)), Some(&(head, head)))
    );
    assert!(steps.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_of_an_empty_log_is_empty() {
    let world = World::new();
    let rebuilt = world.projector().rebuild(&|_, _| {}).await.unwrap();
    assert_eq!((rebuilt.position, rebuilt.events), (None, 0));
    assert!(world.documents().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_while_events_come_in_misses_none() {
    let mut world = World::new();
    world.story(20).await;
    let projector = world.projector();
    let run = Run::of(&projector);

    // Readers must never go back, not even at the swap.
    let mut applied = world.store.applied();
    let watched = tokio::spawn(async move {
        let mut last = None;
        while applied.changed().await.is_ok() {
            let now = *applied.borrow_and_update();
            assert!(now >= last, "{now:?} after {last:?}");
            last = now;
        }
    });
    let done = Arc::new(AtomicBool::new(false));
    let rebuilds = tokio::spawn({
        let (projector, done) = (projector.clone(), done.clone());
        async move {
            let mut generations = vec![];
            while !done.load(SeqCst) {
                generations.push(projector.rebuild(&|_, _| {}).await.unwrap().generation);
            }
            generations
        }
    });
    for n in 21..120 {
        world.purchase(n, SHOW, true).await;
    }
    done.store(true, SeqCst);
    let generations = rebuilds.await.unwrap();
    assert!(generations.is_sorted());
    assert_eq!(generations.last(), Some(&world.generation().await));
    world.purchase(120, SHOW, true).await;
    world.caught_up().await;
    run.end().await;
    assert_eq!(world.documents().await, world.expected().await);
    drop((world, projector));
    watched.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_ends_although_selling_never_pauses() {
    // One event for each read, or more than a read takes.
    for (with_run, burst) in [(true, 1), (false, 1), (true, 120), (false, 120)] {
        let mut world = World::new();
        world.story(20).await;
        let log = Arc::new(BusyLog {
            log: world.log(),
            burst,
            sales: AtomicU64::new(0),
        });
        let projector = common::projector(log, world.store());
        let run = with_run.then(|| Run::of(&projector));
        let rebuilding = projector.rebuild(&|_, _| {});
        let rebuilt = tokio::time::timeout(Duration::from_secs(60), rebuilding).await;
        let rebuilt = rebuilt.expect("the rebuild chases the end of the log").unwrap();
        assert_eq!(rebuilt.generation, world.generation().await);
        if let Some(run) = run {
            world.caught_up().await;
            run.end().await;
            assert_eq!(world.documents().await, world.expected().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_brings_back_what_was_lost() {
    let mut world = World::new();
    world.story(10).await;
    let projector = world.projector();
    let run = Run::of(&projector);
    world.caught_up().await;
    let expected = world.expected().await;
    let losses = expected.keys().map(|(collection, key)| Change::Delete {
        collection: collections::ALL
            .into_iter()
            .find(|c| c.name == collection)
            .unwrap(),
        key: key.clone(),
    });
    let head = world.head().await.unwrap();
    world
        .store
        .apply(world.generation().await, losses.collect(), head)
        .await
        .unwrap();
    assert!(world.documents().await.is_empty());
    projector.rebuild(&|_, _| {}).await.unwrap();
    run.end().await;
    assert_eq!(world.documents().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rebuild_at_a_time() {
    let mut world = World::new();
    world.story(5).await;
    let projector = world.projector();
    let refused = AtomicBool::new(false);
    // Told while the first is at work.
    let progress = |_, _| {
        let mut second = pin!(projector.rebuild(&|_, _| {}));
        let outcome = second.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        refused.store(matches!(outcome, Poll::Ready(Err(RebuildError::Running))), SeqCst);
    };
    projector.rebuild(&progress).await.unwrap();
    assert!(refused.load(SeqCst));
    projector.rebuild(&|_, _| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_rebuild_leaves_no_trace() {
    let mut world = World::new();
    world.story(20).await;
    let projector = world.projector();
    for with_run in [false, true] {
        let run = with_run.then(|| Run::of(&projector));
        for steps in 0..8 {
            let (step, mut stepped) = watch::channel(0);
            let tell = |_, _| step.send_modify(|count| *count += 1);
            tokio::select! {
                biased;
                _ = stepped.wait_for(|count| *count > steps) => {}
                () = rebuild(&projector, &tell) => {}
            }
        }
        rebuild(&projector, &|_, _| {}).await;
        if let Some(run) = run {
            world.purchase(21, SHOW, true).await;
            world.caught_up().await;
            run.end().await;
        }
        assert_eq!(world.documents().await, world.expected().await);
    }
}

/// Rebuilds, as soon as no other rebuild is at work: what was abandoned may just be taken over by the run.
async fn rebuild(projector: &Projector, progress: &(dyn Fn(u64, u64) + Send + Sync)) {
    loop {
        match projector.rebuild(progress).await {
            Err(RebuildError::Running) => tokio::task::yield_now().await,
            outcome => {
                outcome.unwrap();
                return;
            }
        }
    }
}
