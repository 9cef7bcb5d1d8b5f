//! A log in which others write too: the server itself, and other programs.

use crate::{Wire, event, events, follow, ids, stream};
use contract::{NewEvent, StreamName};
use ports::{EventLog, Expected};
use std::time::Duration;

/// What a server writes about itself.
fn systems(count: usize) -> Vec<NewEvent> {
    let system = |kind: &str| NewEvent {
        kind: kind.into(),
        ..event("")
    };
    (0..count)
        .map(|index| system(if index % 2 == 0 { "$statsCollected" } else { "$>" }))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_writes_for_itself_is_passed_over() {
    let wire = Wire::new().await;
    let (log, ours) = (wire.client(), stream());
    let server = &wire.endpoint.log;
    let (stats, linked) = (StreamName::new("$stats-127.0.0.1:2113"), stream());
    assert_eq!(log.head().await.unwrap(), None);
    server
        .append(&stats, Expected::NoStream, systems(4_000))
        .await
        .unwrap();
    assert_eq!(log.head().await.unwrap(), None);
    let mut tail = log.tail(None).await.unwrap();
    let first = log.append(&ours, Expected::NoStream, events(3)).await.unwrap();
    server
        .append(&stats, Expected::Exactly(3_999), systems(4_000))
        .await
        .unwrap();
    // Links in a stream of another's projection, and an event of an unusual type in a stream of the server's.
    server
        .append(&linked, Expected::NoStream, systems(10))
        .await
        .unwrap();
    server
        .append(&stats, Expected::Exactly(7_999), events(10))
        .await
        .unwrap();
    assert_eq!(log.head().await.unwrap(), Some(first.position));
    assert_eq!(log.head().await.unwrap(), Some(first.position));
    let second = log.append(&ours, Expected::Exactly(2), events(2)).await.unwrap();
    server
        .append(&stats, Expected::Exactly(8_009), systems(3_000))
        .await
        .unwrap();
    let written = ids(&log.read(&ours, 0, 100).await.unwrap());
    assert_eq!(written.len(), 5);
    assert_eq!(ids(&log.read_all(None, 100).await.unwrap()), written);
    assert_eq!(ids(&log.read_all(None, 4).await.unwrap()), written[..4]);
    assert_eq!(
        ids(&log.read_all(Some(first.position), 100).await.unwrap()),
        written[3..]
    );
    assert_eq!(log.head().await.unwrap(), Some(second.position));
    assert_eq!(ids(&follow(&mut *tail, second.position).await), written);
    let nothing = tokio::time::timeout(Duration::from_millis(300), tail.next(10)).await;
    assert!(nothing.is_err(), "{nothing:?}");
}
