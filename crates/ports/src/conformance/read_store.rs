//! What every read store promises.

mod finding;
mod rebuilding;

use super::{Check, Fixture, Outcome, checks, ensure, same};
use crate::{Change, Document, ReadStore, StoreError};
use contract::{
    Position,
    collections::{Collection, RESERVATIONS, SHOWS, USERS},
};
use serde_json::json;
use std::sync::Arc;

type Store<'a> = &'a dyn Fixture<dyn ReadStore>;

pub(super) fn checks() -> Vec<Check<dyn ReadStore>> {
    let mut checks: Vec<Check<dyn ReadStore>> = checks![
        a_document_reads_back_as_it_was_put,
        the_later_change_of_a_key_counts,
        a_change_set_without_changes_moves_the_checkpoint,
        documents_and_checkpoint_survive_a_restart_together,
        whoever_hears_of_a_position_finds_its_documents,
        a_reader_never_sees_less_than_was_applied,
        a_named_mark_keeps_its_last_position,
    ];
    checks.extend(finding::checks());
    checks.extend(rebuilding::checks());
    checks
}

fn document(key: &str, version: u64, body: &serde_json::Value) -> Arc<Document> {
    Arc::new(Document {
        key: key.into(),
        version,
        body: body.to_string().into(),
    })
}

fn put(collection: &'static Collection, key: &str, version: u64, body: &serde_json::Value) -> Change {
    Change::Put {
        collection,
        document: document(key, version, body),
    }
}

fn delete(collection: &'static Collection, key: &str) -> Change {
    Change::Delete {
        collection,
        key: key.into(),
    }
}

fn show(key: &str, version: u64) -> Change {
    put(
        &SHOWS,
        key,
        version,
        &json!({"starts_at_ms": 1, "category": null, "unsettled": 0, "version": version}),
    )
}

async fn version(
    store: &dyn ReadStore,
    collection: &'static Collection,
    key: &str,
) -> Result<Option<u64>, StoreError> {
    Ok(store.get(collection, key).await?.map(|document| document.version))
}

async fn a_document_reads_back_as_it_was_put(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    same(
        "a document that is not there",
        store.get(&USERS, "a").await?,
        None,
    )?;
    same(
        "the checkpoint at the start",
        store.checkpoint(active).await?,
        None,
    )?;
    let written = document("a", 7, &json!({"name": "á 席", "deep": {"list": [1, 2.5, null]}}));
    let change = Change::Put {
        collection: &USERS,
        document: written.clone(),
    };
    store.apply(active, vec![change], Position(100)).await?;
    same(
        "the document",
        store.get(&USERS, "a").await?,
        Some(written.clone()),
    )?;
    same(
        "the document, by generation",
        store.get_in(active, &USERS, "a").await?,
        Some(written.clone()),
    )?;
    same("the same key elsewhere", store.get(&SHOWS, "a").await?, None)?;
    same(
        "the checkpoint",
        store.checkpoint(active).await?,
        Some(Position(100)),
    )?;
    let store = fixture.reopen(store).await?;
    same(
        "the document after a restart",
        store.get(&USERS, "a").await?,
        Some(written),
    )
}

async fn the_later_change_of_a_key_counts(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    let changes = vec![
        show("twice", 1),
        show("twice", 2),
        show("gone", 1),
        delete(&SHOWS, "gone"),
        delete(&SHOWS, "back"),
        show("back", 3),
        delete(&SHOWS, "never"),
    ];
    store.apply(active, changes, Position(1)).await?;
    for restarted in [false, true] {
        let store = if restarted {
            fixture.reopen(store.clone()).await?
        } else {
            store.clone()
        };
        same(
            "the one put twice",
            version(&*store, &SHOWS, "twice").await?,
            Some(2),
        )?;
        same(
            "the one deleted last",
            version(&*store, &SHOWS, "gone").await?,
            None,
        )?;
        same(
            "the one put last",
            version(&*store, &SHOWS, "back").await?,
            Some(3),
        )?;
        same(
            "the one never put",
            version(&*store, &SHOWS, "never").await?,
            None,
        )?;
    }
    Ok(())
}

async fn a_change_set_without_changes_moves_the_checkpoint(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    store.apply(active, Vec::new(), Position(5)).await?;
    same(
        "the checkpoint",
        store.checkpoint(active).await?,
        Some(Position(5)),
    )?;
    same(
        "the announced position",
        *store.applied().borrow(),
        Some(Position(5)),
    )
}

async fn documents_and_checkpoint_survive_a_restart_together(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    for round in 1..=20 {
        let changes = vec![show("s", round), put(&USERS, "u", round, &json!({}))];
        store.apply(active, changes, Position(round)).await?;
    }
    let store = fixture.reopen(store).await?;
    same("the active generation", store.active().await?, active)?;
    let checkpoint = store.checkpoint(active).await?.map_or(0, |position| position.0);
    ensure!(checkpoint > 0, "nothing is left");
    same(
        "the announced position",
        *store.applied().borrow(),
        Some(Position(checkpoint)),
    )?;
    same(
        "the show's version",
        version(&*store, &SHOWS, "s").await?,
        Some(checkpoint),
    )?;
    same(
        "the user's version",
        version(&*store, &USERS, "u").await?,
        Some(checkpoint),
    )
}

async fn whoever_hears_of_a_position_finds_its_documents(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    let mut applied = store.applied();
    // It is read once before the others are written: what is kept of this must not be served later.
    store.apply(active, vec![show("s", 1)], Position(1)).await?;
    let first = version(&*store, &SHOWS, "s").await?;
    ensure!(first == Some(1), "the first version: found {first:?}");
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 2..=200 {
                store
                    .apply(active, vec![show("s", round)], Position(round))
                    .await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    let mut told = 0;
    while told < 200 {
        let finished = writing.is_finished();
        let position = applied.borrow_and_update().map_or(0, |position| position.0);
        ensure!(position >= told, "told of {position} after {told}");
        ensure!(
            !finished || position == 200,
            "never told of what lies behind {position}"
        );
        told = position;
        let found = version(&*store, &SHOWS, "s").await?;
        ensure!(found.unwrap_or(0) >= told, "told of {told}, found {found:?}");
        tokio::task::yield_now().await;
    }
    Ok(writing.await??)
}

async fn a_reader_never_sees_less_than_was_applied(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let active = store.active().await?;
    let mut position = 0;
    for collection in [&SHOWS, &USERS] {
        // Readers keep fetching and so keep filling whatever cache there is, while the document comes and goes.
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (store, stopped) = (store.clone(), stopped.clone());
                tokio::spawn(async move {
                    while !*stopped.borrow() {
                        store.get(collection, "k").await?;
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .collect();
        for round in 1..=200 {
            let body = json!({"starts_at_ms": 1, "category": "c", "unsettled": 0});
            let change = if round % 3 == 0 {
                delete(collection, "k")
            } else {
                put(collection, "k", round, &body)
            };
            // Grows throughout: a store may refuse a checkpoint that goes back.
            position += 1;
            store.apply(active, vec![change], Position(position)).await?;
            let expected = (round % 3 != 0).then_some(round);
            for _ in 0..3 {
                same(
                    "the version just applied",
                    version(&*store, collection, "k").await?,
                    expected,
                )?;
                tokio::task::yield_now().await;
            }
        }
        stop.send_replace(true);
        for reader in readers {
            reader.await??;
        }
    }
    Ok(())
}

async fn a_named_mark_keeps_its_last_position(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    same("a mark never set", store.mark("a").await?, None)?;
    store.set_mark("a", Position(5)).await?;
    store.set_mark("b", Position(9)).await?;
    store.set_mark("a", Position(4)).await?;
    let active = store.active().await?;
    store
        .apply(
            active,
            vec![put(&RESERVATIONS, "r", 1, &json!({"open": 1}))],
            Position(6),
        )
        .await?;
    let store = fixture.reopen(store).await?;
    same("the mark", store.mark("a").await?, Some(Position(4)))?;
    same("the other mark", store.mark("b").await?, Some(Position(9)))
}
