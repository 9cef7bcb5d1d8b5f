//! Tails beside everything else on the one connection.

use crate::{Wire, event, events, follow, ids, stream};
use bytes::Bytes;
use contract::NewEvent;
use ports::{EventLog, Expected};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn tails_that_nobody_reads_block_nobody_and_lose_nothing() {
    let wire = Wire::new().await;
    let (log, large) = (wire.client(), stream());
    let mut tails = Vec::new();
    for _ in 0..6 {
        let mut tail = log.tail(None).await.unwrap();
        let first = log
            .append(&stream(), Expected::NoStream, events(1))
            .await
            .unwrap();
        follow(&mut *tail, first.position).await;
        tails.push(tail);
    }
    // Together far more than the connection's window, and more than a feed holds.
    let mut last = log.head().await.unwrap().unwrap();
    let mut written = Vec::new();
    for round in 0..120 {
        let batch = vec![NewEvent {
            data: Bytes::from(format!("\"{}\"", "x".repeat(250_000))),
            ..event("")
        }];
        written.extend(batch.iter().map(|event| event.id));
        let begun = Instant::now();
        last = log
            .append(&large, Expected::before(round), batch)
            .await
            .unwrap()
            .position;
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "blocked in round {round}"
        );
    }
    for tail in &mut tails {
        let found = follow(&mut **tail, last).await;
        assert!(found.is_sorted_by(|a, b| a.position < b.position));
        let large: Vec<_> = found.iter().filter(|event| event.stream == large).collect();
        assert_eq!(ids(large), written);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_goes_on_behind_a_position_that_another_has_reached() {
    let wire = Wire::new().await;
    let (log, stream) = (wire.client(), stream());
    let mut last = log
        .append(&stream, Expected::NoStream, events(3_000))
        .await
        .unwrap();
    for _ in 0..2 {
        last = log
            .append(&stream, Expected::Exactly(last.revision), events(3_000))
            .await
            .unwrap();
    }
    let mut found = Vec::new();
    while found.len() < 9_000 {
        // A new one each time, as after a restart.
        let mut tail = log
            .tail(
                found
                    .last()
                    .map(|event: &std::sync::Arc<contract::Recorded>| event.position),
            )
            .await
            .unwrap();
        found.extend(tail.next(700).await.unwrap());
        if found.len() < 9_000 {
            found.extend(tail.next(700).await.unwrap());
        }
    }
    assert!(
        found
            .iter()
            .zip(0..)
            .all(|(event, revision)| event.revision == revision)
    );
    assert_eq!(found.last().unwrap().position, last.position);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_whose_caller_keeps_giving_up_still_gets_everything() {
    let wire = Wire::new().await;
    let (log, stream) = (wire.client(), stream());
    let mut tail = log.tail(None).await.unwrap();
    let mut found = Vec::new();
    for round in 0..300 {
        log.append(&stream, Expected::before(round), events(1))
            .await
            .unwrap();
        let patience = Duration::from_micros(round * 7 % 900);
        if let Ok(batch) = tokio::time::timeout(patience, tail.next(2)).await {
            found.extend(batch.unwrap());
        }
    }
    let head = log.head().await.unwrap().unwrap();
    if found
        .last()
        .is_none_or(|event: &std::sync::Arc<contract::Recorded>| event.position < head)
    {
        found.extend(follow(&mut *tail, head).await);
    }
    assert!(
        found
            .iter()
            .zip(0..)
            .all(|(event, revision)| event.revision == revision)
    );
    assert_eq!(found.len(), 300);
}
