//! What every event log promises.

mod tails;

use super::{Check, Failed, Fixture, Outcome, checks, ensure, fresh_id, same};
use crate::{
    AppendError, Appended, EventLog, Expected,
    event_log::{MAX_APPEND_EVENTS, MAX_EVENT_BYTES},
};
use bytes::Bytes;
use contract::{EventId, NewEvent, Position, Recorded, StreamName};
use std::{collections::BTreeMap, sync::Arc};

type Log<'a> = &'a dyn Fixture<dyn EventLog>;

pub(super) fn checks() -> Vec<Check<dyn EventLog>> {
    let mut checks: Vec<Check<dyn EventLog>> = checks![
        a_stream_reads_back_as_it_was_appended,
        a_stream_reads_in_pages,
        a_stream_that_does_not_exist_reads_empty,
        a_stream_that_exists_cannot_be_begun_again,
        an_append_succeeds_only_at_the_end_of_its_stream,
        the_same_append_again_succeeds_without_writing,
        an_append_that_only_begins_like_another_is_a_conflict,
        of_many_appends_at_one_place_exactly_one_succeeds,
        a_conflict_costs_the_others_nothing,
        an_unacceptable_append_writes_nothing,
        acknowledged_events_survive_a_restart,
        positions_grow_and_the_head_is_the_last,
        the_whole_log_has_every_event_once_and_each_stream_in_order,
    ];
    checks.extend(tails::checks());
    checks
}

fn event(text: &str) -> NewEvent {
    NewEvent {
        id: EventId(fresh_id()),
        kind: "conformance_checked.v1".into(),
        data: Bytes::from(format!("{{\"text\":\"{text}\"}}")),
        meta: Bytes::from_static(b"{\"by\":\"conformance\"}"),
        decoded: None,
    }
}

fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|index| event(&index.to_string())).collect()
}

fn stream() -> StreamName {
    StreamName::new(&format!("conformance-{}", fresh_id()))
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Arc<Recorded>>) -> Vec<EventId> {
    events.into_iter().map(|event| event.id).collect()
}

fn conflict(outcome: Result<Appended, AppendError>, expected: Option<u64>) -> Outcome {
    match outcome {
        Err(AppendError::Conflict { current }) => {
            same("the revision that a conflict names", current, expected)
        }
        other => Err(Failed::because(format!("expected a conflict, got {other:?}"))),
    }
}

/// Everything behind `after`, read in pages.
async fn all(log: &dyn EventLog, mut after: Option<Position>) -> Result<Vec<Arc<Recorded>>, Failed> {
    let mut found = Vec::new();
    loop {
        let page = log.read_all(after, 7).await?;
        ensure!(page.len() <= 7, "a page of 7 has {} events", page.len());
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.position);
        found.extend(page);
    }
}

/// Has many streams written at once; returns how many events each has.
async fn crowd(log: &Arc<dyn EventLog>, streams: usize) -> Result<BTreeMap<StreamName, u64>, Failed> {
    let writers: Vec<_> = (0..streams)
        .map(|index| {
            let (log, stream) = (log.clone(), stream());
            tokio::spawn(async move {
                let mut next = 0;
                for size in 1..=4 + index % 3 {
                    let appended = log.append(&stream, Expected::before(next), events(size)).await?;
                    next = appended.revision + 1;
                }
                Ok::<_, AppendError>((stream, next))
            })
        })
        .collect();
    let mut written = BTreeMap::new();
    for writer in writers {
        let (stream, count) = writer.await??;
        written.insert(stream, count);
    }
    Ok(written)
}

/// Each stream's events are there, from revision 0 on, in order, and positions grow.
fn complete(found: &[Arc<Recorded>], written: &BTreeMap<StreamName, u64>) -> Outcome {
    ensure!(
        found.is_sorted_by(|a, b| a.position < b.position),
        "positions do not grow"
    );
    let mut seen: BTreeMap<&StreamName, u64> = BTreeMap::new();
    for event in found.iter().filter(|event| written.contains_key(&event.stream)) {
        let next = seen.entry(&event.stream).or_default();
        same("a stream's next revision in the log", event.revision, *next)?;
        *next += 1;
    }
    for (stream, count) in written {
        same(
            "events of a stream in the log",
            seen.get(stream).copied().unwrap_or(0),
            *count,
        )?;
    }
    Ok(())
}

async fn a_stream_reads_back_as_it_was_appended(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let mut written = events(3);
    written[1].data = Bytes::from("{\"text\":\"á 席 \\u0000 and  spaces\" }");
    let first = log
        .append(&stream, Expected::NoStream, written[..2].to_vec())
        .await?;
    same("the revision of the last of two", first.revision, 1)?;
    let second = log
        .append(&stream, Expected::Exactly(1), written[2..].to_vec())
        .await?;
    same("the revision of the third", second.revision, 2)?;
    let found = log.read(&stream, 0, 10).await?;
    same("events", found.len(), 3)?;
    for (index, (found, written)) in found.iter().zip(&written).enumerate() {
        same("revision", found.revision, index as u64)?;
        same("stream", &found.stream, &stream)?;
        same("id", found.id, written.id)?;
        same("kind", &found.kind, &written.kind)?;
        same("data", &found.data, &written.data)?;
        same("metadata", &found.meta, &written.meta)?;
    }
    same("position of the second", found[1].position, first.position)?;
    same("position of the third", found[2].position, second.position)
}

async fn a_stream_reads_in_pages(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let written = events(10);
    log.append(&stream, Expected::NoStream, written.clone()).await?;
    for (from, limit, expected) in [
        (0, 4, 0..4),
        (4, 4, 4..8),
        (8, 4, 8..10),
        (10, 4, 10..10),
        (99, 4, 10..10),
    ] {
        let expected: Vec<_> = written[expected].iter().map(|event| event.id).collect();
        same("a page", ids(&log.read(&stream, from, limit).await?), expected)?;
    }
    Ok(())
}

async fn a_stream_that_does_not_exist_reads_empty(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    same("events", log.read(&stream(), 0, 10).await?.len(), 0)
}

async fn a_stream_that_exists_cannot_be_begun_again(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    log.append(&stream, Expected::NoStream, events(2)).await?;
    conflict(log.append(&stream, Expected::NoStream, events(1)).await, Some(1))?;
    same("events", log.read(&stream, 0, 10).await?.len(), 2)
}

async fn an_append_succeeds_only_at_the_end_of_its_stream(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    for revision in [0, 1, u64::MAX] {
        conflict(
            log.append(&stream, Expected::Exactly(revision), events(1)).await,
            None,
        )?;
    }
    log.append(&stream, Expected::NoStream, events(3)).await?;
    for revision in [0, 1, 3, 4, u64::MAX - 1, u64::MAX] {
        conflict(
            log.append(&stream, Expected::Exactly(revision), events(1)).await,
            Some(2),
        )?;
    }
    same("events", log.read(&stream, 0, 10).await?.len(), 3)?;
    same(
        "revision",
        log.append(&stream, Expected::Exactly(2), events(1))
            .await?
            .revision,
        3,
    )
}

async fn the_same_append_again_succeeds_without_writing(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let (first, second) = (events(2), events(3));
    let begun = log.append(&stream, Expected::NoStream, first.clone()).await?;
    same(
        "the answer",
        log.append(&stream, Expected::NoStream, first.clone()).await?,
        begun,
    )?;
    let more = log.append(&stream, Expected::Exactly(1), second.clone()).await?;
    log.append(&stream, Expected::Exactly(4), events(1)).await?;
    same(
        "the answer, later",
        log.append(&stream, Expected::NoStream, first).await?,
        begun,
    )?;
    same(
        "the other answer",
        log.append(&stream, Expected::Exactly(1), second.clone()).await?,
        more,
    )?;
    let log = fixture.reopen(log).await?;
    same(
        "the answer after a restart",
        log.append(&stream, Expected::Exactly(1), second).await?,
        more,
    )?;
    same("events", log.read(&stream, 0, 10).await?.len(), 6)
}

async fn an_append_that_only_begins_like_another_is_a_conflict(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let written = events(2);
    log.append(&stream, Expected::NoStream, written.clone()).await?;
    let longer = [written.clone(), events(1)].concat();
    conflict(log.append(&stream, Expected::NoStream, longer).await, Some(1))?;
    let other = vec![written[0].clone(), event("other")];
    conflict(log.append(&stream, Expected::NoStream, other).await, Some(1))?;
    let moved = vec![written[0].clone()];
    conflict(log.append(&stream, Expected::Exactly(0), moved).await, Some(1))?;
    same("events", log.read(&stream, 0, 10).await?.len(), 2)
}

async fn of_many_appends_at_one_place_exactly_one_succeeds(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let mut expected = Expected::NoStream;
    for round in 0..4 {
        let rivals: Vec<_> = (0..16)
            .map(|_| {
                let (log, stream) = (log.clone(), stream.clone());
                tokio::spawn(async move { log.append(&stream, expected, events(2)).await })
            })
            .collect();
        let mut winners = Vec::new();
        for rival in rivals {
            match rival.await? {
                Ok(appended) => winners.push(appended.revision),
                conflicted => conflict(conflicted, Some(round * 2 + 1))?,
            }
        }
        same("those who succeeded", winners, vec![round * 2 + 1])?;
        expected = Expected::Exactly(round * 2 + 1);
    }
    same("events", log.read(&stream, 0, 100).await?.len(), 8)
}

async fn a_conflict_costs_the_others_nothing(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    let (taken, before) = (stream(), log.head().await?);
    log.append(&taken, Expected::NoStream, events(1)).await?;
    let losers: Vec<_> = (0..16)
        .map(|_| {
            let (log, taken) = (log.clone(), taken.clone());
            tokio::spawn(async move { log.append(&taken, Expected::NoStream, events(1)).await })
        })
        .collect();
    let written = crowd(&log, 16).await?;
    for loser in losers {
        conflict(loser.await?, Some(0))?;
    }
    complete(&all(&*log, before).await?, &written)
}

async fn an_unacceptable_append_writes_nothing(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let large = NewEvent {
        data: vec![b'1'; MAX_EVENT_BYTES].into(),
        ..event("large")
    };
    for unacceptable in [
        Vec::new(),
        events(MAX_APPEND_EVENTS + 1),
        vec![event("small"), large],
    ] {
        let outcome = log.append(&stream, Expected::NoStream, unacceptable).await;
        ensure!(
            matches!(outcome, Err(AppendError::Unacceptable(_))),
            "expected `Unacceptable`, got {outcome:?}"
        );
    }
    same("events", log.read(&stream, 0, 10).await?.len(), 0)?;
    same(
        "revision",
        log.append(&stream, Expected::NoStream, events(1)).await?.revision,
        0,
    )
}

async fn acknowledged_events_survive_a_restart(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    let before = log.head().await?;
    let written = crowd(&log, 16).await?;
    let found = all(&*log, before).await?;
    let log = fixture.reopen(log).await?;
    let after = all(&*log, before).await?;
    complete(&after, &written)?;
    let places = |events: &[Arc<Recorded>]| {
        events
            .iter()
            .map(|event| (event.position, event.id))
            .collect::<Vec<_>>()
    };
    same("the log", places(&after), places(&found))?;
    same(
        "the head",
        log.head().await?,
        found.last().map(|event| event.position),
    )?;
    for (stream, count) in &written {
        same(
            "a stream's events",
            log.read(stream, 0, 100).await?.len() as u64,
            *count,
        )?;
        conflict(
            log.append(stream, Expected::NoStream, events(1)).await,
            Some(count - 1),
        )?;
    }
    Ok(())
}

async fn positions_grow_and_the_head_is_the_last(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    let mut last = log.head().await?;
    for _ in 0..5 {
        let appended = log.append(&stream(), Expected::NoStream, events(2)).await?;
        ensure!(
            Some(appended.position) > last,
            "{:?} does not lie behind {last:?}",
            appended.position
        );
        last = Some(appended.position);
        same("the head", log.head().await?, last)?;
        same("events behind the head", log.read_all(last, 10).await?.len(), 0)?;
    }
    Ok(())
}

async fn the_whole_log_has_every_event_once_and_each_stream_in_order(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    let before = log.head().await?;
    let written = crowd(&log, 32).await?;
    complete(&all(&*log, before).await?, &written)
}
