//! What every tail of a log promises.

use super::{Log, complete, crowd, events, stream};
use crate::{
    EventLog, Expected, Tail,
    conformance::{Check, Failed, Outcome, checks, ensure},
};
use contract::{Position, Recorded};
use std::{collections::BTreeMap, sync::Arc, task::Poll};

pub(super) fn checks() -> Vec<Check<dyn EventLog>> {
    checks![
        a_tail_catches_up_and_then_follows,
        a_tail_sees_what_the_log_has_while_many_write,
        a_tail_loses_nothing_when_its_caller_stops_waiting,
        a_tail_goes_on_after_a_restart,
    ]
}

/// The tail's next events, until it has shown the one at `until`.
async fn follow(tail: &mut dyn Tail, until: Position, max: usize) -> Result<Vec<Arc<Recorded>>, Failed> {
    let mut found: Vec<Arc<Recorded>> = Vec::new();
    while found.last().is_none_or(|event| event.position < until) {
        let batch = tail.next(max).await?;
        ensure!(
            !batch.is_empty() && batch.len() <= max,
            "a batch of 1 to {max} has {} events",
            batch.len()
        );
        found.extend(batch);
    }
    Ok(found)
}

async fn a_tail_catches_up_and_then_follows(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let before = log.head().await?;
    let first = log.append(&stream, Expected::NoStream, events(20)).await?;
    let mut tail = log.tail(before).await?;
    let mut found = follow(&mut *tail, first.position, 8).await?;
    for revision in 19..39 {
        let next = log
            .append(&stream, Expected::Exactly(revision), events(1))
            .await?;
        found.extend(follow(&mut *tail, next.position, 8).await?);
    }
    complete(&found, &BTreeMap::from([(stream, 40)]))
}

async fn a_tail_sees_what_the_log_has_while_many_write(fixture: Log<'_>) -> Outcome {
    let log = fixture.fresh().await?;
    let before = log.head().await?;
    let mut tail = log.tail(before).await?;
    let writing = tokio::spawn({
        let log = log.clone();
        async move { crowd(&log, 64).await }
    });
    let mut found = tail.next(16).await?;
    let written = writing.await??;
    let head = log
        .head()
        .await?
        .ok_or_else(|| Failed::because("the log has no head"))?;
    if found.last().is_some_and(|event| event.position < head) {
        found.extend(follow(&mut *tail, head, 16).await?);
    }
    complete(&found, &written)
}

async fn a_tail_loses_nothing_when_its_caller_stops_waiting(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let mut tail = log.tail(log.head().await?).await?;
    let mut found = Vec::new();
    let mut last = Position(0);
    for round in 0..50 {
        last = log
            .append(&stream, Expected::before(round), events(1))
            .await?
            .position;
        // Looks once and goes away again, whether there was an answer or not.
        let mut next = tail.next(1);
        let looked = std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await;
        if let Poll::Ready(batch) = looked {
            found.extend(batch?);
        }
        tokio::task::yield_now().await;
    }
    if found
        .last()
        .is_none_or(|event: &Arc<Recorded>| event.position < last)
    {
        found.extend(follow(&mut *tail, last, 3).await?);
    }
    complete(&found, &BTreeMap::from([(stream, 50)]))
}

async fn a_tail_goes_on_after_a_restart(fixture: Log<'_>) -> Outcome {
    let (log, stream) = (fixture.fresh().await?, stream());
    let before = log.head().await?;
    log.append(&stream, Expected::NoStream, events(5)).await?;
    let mut found = log.tail(before).await?.next(3).await?;
    let log = fixture.reopen(log).await?;
    let last = log.append(&stream, Expected::Exactly(4), events(5)).await?;
    let mut tail = log.tail(found.last().map(|event| event.position)).await?;
    found.extend(follow(&mut *tail, last.position, 3).await?);
    complete(&found, &BTreeMap::from([(stream, 10)]))
}
