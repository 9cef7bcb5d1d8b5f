//! What every snapshot store promises.

use super::{Check, Fixture, Outcome, checks, ensure, same};
use crate::{Snapshot, Snapshots};
use contract::{Digest, Position, StreamName};

type Store<'a> = &'a dyn Fixture<dyn Snapshots>;

pub(super) fn checks() -> Vec<Check<dyn Snapshots>> {
    checks![
        a_snapshot_reads_back_as_it_was_saved,
        a_later_snapshot_takes_the_place_of_the_one_before,
        after_a_restart_a_snapshot_is_whole_or_gone,
    ]
}

fn snapshot(revision: u64) -> Snapshot {
    let state = format!("{{\"revision\":{revision}}}").into_bytes();
    Snapshot {
        revision,
        digest: Digest([7; 32]),
        position: Position(revision * 100),
        form: 3,
        state,
    }
}

async fn a_snapshot_reads_back_as_it_was_saved(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let (one, other) = (StreamName::new("show-1"), StreamName::new("show-2"));
    same("none", store.load(&one).await?, None)?;
    store.save(&one, snapshot(5)).await?;
    same("the one saved", store.load(&one).await?, Some(snapshot(5)))?;
    same("another stream's", store.load(&other).await?, None)
}

async fn a_later_snapshot_takes_the_place_of_the_one_before(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let stream = StreamName::new("show-1");
    store.save(&stream, snapshot(5)).await?;
    store.save(&stream, snapshot(9)).await?;
    same("the latest", store.load(&stream).await?, Some(snapshot(9)))
}

async fn after_a_restart_a_snapshot_is_whole_or_gone(fixture: Store<'_>) -> Outcome {
    let store = fixture.fresh().await?;
    let stream = StreamName::new("show-1");
    store.save(&stream, snapshot(5)).await?;
    store.save(&stream, snapshot(9)).await?;
    let store = fixture.reopen(store).await?;
    let found = store.load(&stream).await?;
    let whole = [None, Some(snapshot(5)), Some(snapshot(9))].contains(&found);
    ensure!(whole, "found {found:?}");
    Ok(())
}
