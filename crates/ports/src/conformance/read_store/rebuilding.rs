//! What every read store promises of generations.

use super::{Store, show, version};
use crate::{
    Generation, Query, ReadStore, StoreError,
    conformance::{Check, Outcome, checks, ensure, same},
};
use contract::{Position, collections::SHOWS};

pub(super) fn checks() -> Vec<Check<dyn ReadStore>> {
    checks![
        a_rebuild_is_not_seen_until_it_is_activated,
        a_new_rebuild_drops_an_unfinished_one,
        a_generation_that_is_gone_refuses_changes,
    ]
}

/// How many shows readers find.
async fn found(store: &dyn ReadStore) -> Result<usize, StoreError> {
    let all = Query {
        filters: Vec::new(),
        order: None,
        after: None,
        limit: 100,
    };
    Ok(store.find(&SHOWS, all).await?.len())
}

async fn a_rebuild_is_not_seen_until_it_is_activated(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let old = store.active().await?;
    store
        .apply(old, vec![show("s", 1), show("only_old", 1)], Position(10))
        .await?;
    let new = store.begin().await?;
    ensure!(new != old, "the new generation is the old one");
    same("the active generation", store.active().await?, old)?;
    same("the new one's checkpoint", store.checkpoint(new).await?, None)?;
    same(
        "the new one's document",
        store.get_in(new, &SHOWS, "s").await?,
        None,
    )?;
    store.apply(new, vec![show("s", 2)], Position(8)).await?;
    same(
        "what readers see meanwhile",
        version(&*store, &SHOWS, "s").await?,
        Some(1),
    )?;
    same(
        "what they are told meanwhile",
        *store.applied().borrow(),
        Some(Position(10)),
    )?;
    store.apply(old, vec![show("s", 3)], Position(11)).await?;
    same("what readers see", version(&*store, &SHOWS, "s").await?, Some(3))?;
    same(
        "what they are told",
        *store.applied().borrow(),
        Some(Position(11)),
    )?;
    same("what is found", found(&*store).await?, 2)?;
    let store = fixture.reopen(store).await?;
    same(
        "the unfinished one's document",
        store.get_in(new, &SHOWS, "s").await?.map(|found| found.version),
        Some(2),
    )?;
    store.apply(new, vec![show("s", 4)], Position(12)).await?;
    store.activate(new).await?;
    for restarted in [false, true] {
        let store = if restarted {
            fixture.reopen(store.clone()).await?
        } else {
            store.clone()
        };
        same("the active generation now", store.active().await?, new)?;
        same(
            "what readers see now",
            version(&*store, &SHOWS, "s").await?,
            Some(4),
        )?;
        same(
            "what was only in the old one",
            version(&*store, &SHOWS, "only_old").await?,
            None,
        )?;
        same(
            "what they are told now",
            *store.applied().borrow(),
            Some(Position(12)),
        )?;
        same("what is found now", found(&*store).await?, 1)?;
    }
    Ok(())
}

async fn a_new_rebuild_drops_an_unfinished_one(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let first = store.begin().await?;
    store.apply(first, vec![show("s", 1)], Position(1)).await?;
    let second = store.begin().await?;
    ensure!(first != second, "both have the same number");
    same(
        "the second one's document",
        store.get_in(second, &SHOWS, "s").await?,
        None,
    )?;
    refused(store.apply(first, vec![show("s", 2)], Position(2)).await)
}

async fn a_generation_that_is_gone_refuses_changes(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let old = store.active().await?;
    let new = store.begin().await?;
    store.activate(new).await?;
    refused(store.apply(old, vec![show("s", 1)], Position(9)).await)?;
    refused(store.activate(Generation(9_999)).await)?;
    same("the active generation", store.active().await?, new)?;
    same("what readers see", version(&*store, &SHOWS, "s").await?, None)?;
    same("what they are told", *store.applied().borrow(), None)
}

fn refused(outcome: Result<(), StoreError>) -> Outcome {
    ensure!(outcome.is_err(), "a generation that does not exist was changed");
    Ok(())
}
