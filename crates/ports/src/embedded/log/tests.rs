#![allow(clippy::unwrap_used)]

use super::*;
use crate::embedded::scratch::Scratch;
use bytes::Bytes;
use contract::EventId;
use uuid::Uuid;

fn events(count: usize, bytes: usize) -> Vec<NewEvent> {
    (0..count)
        .map(|_| NewEvent {
            id: EventId(Uuid::new_v4()),
            kind: "tested.v1".into(),
            data: Bytes::from(vec![b'1'; bytes]),
            meta: Bytes::from_static(b"{}"),
            decoded: None,
        })
        .collect()
}

fn stream() -> StreamName {
    StreamName::new(&Uuid::new_v4().to_string())
}

/// A log with some events in several streams; returns the file.
async fn written(folder: &Scratch) -> PathBuf {
    let path = folder.file("events.db");
    let log = SqliteLog::open(&path, LogOptions::default()).unwrap();
    for size in 1..=40 {
        log.append(&stream(), Expected::NoStream, events(3, size))
            .await
            .unwrap();
    }
    path
}

fn scan(reader: LogReader) -> Vec<Recorded> {
    reader
        .scan(None)
        .unwrap()
        .flat_map(|batch| batch.unwrap())
        .collect()
}

#[tokio::test]
async fn each_event_ends_where_the_next_begins_and_the_head_says_where_the_last_does() {
    let folder = Scratch::new().unwrap();
    let path = written(&folder).await;
    let reader = SqliteLog::open_read_only(&path).unwrap();
    let head = reader.head().unwrap();
    let events = scan(reader);
    assert_eq!(events.len() as u64, head.count);
    let mut expected = LogReader::FIRST;
    for event in &events {
        assert_eq!(event.position, expected);
        expected = next_position(event);
    }
    assert_eq!(head.next, expected);
    assert_eq!(head.last, events.last().map(|event| event.position));
}

#[tokio::test]
async fn a_log_whose_end_was_cut_off_is_not_opened() {
    for damage in [
        "DELETE FROM events WHERE pos = (SELECT max(pos) FROM events)",
        "DELETE FROM events",
        "UPDATE events SET data = data || ' ' WHERE pos = (SELECT max(pos) FROM events)",
        "DELETE FROM head",
    ] {
        let folder = Scratch::new().unwrap();
        let path = written(&folder).await;
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let opened = SqliteLog::open(&path, LogOptions::default());
        assert!(
            matches!(opened, Err(OpenError::Damaged { .. })),
            "{damage}: {:?}",
            opened.err()
        );
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_not_opened() {
    let folder = Scratch::new().unwrap();
    let path = written(&folder).await;
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 9)
        .unwrap();
    let opened = SqliteLog::open(&path, LogOptions::default());
    assert!(matches!(
        opened,
        Err(OpenError::Version {
            found: 9,
            known: 1,
            ..
        })
    ));
}

#[tokio::test]
async fn a_full_disk_refuses_the_append_and_loses_no_position() {
    let folder = Scratch::new().unwrap();
    let path = folder.file("events.db");
    let connection = schema::open(&path).unwrap();
    connection.pragma_update(None, "max_page_count", 60).unwrap();
    let log = SqliteLog::start(&path, LogOptions::default(), connection).unwrap();
    let kept = stream();
    log.append(&kept, Expected::NoStream, events(1, 100))
        .await
        .unwrap();
    let before = log.head().await.unwrap();
    let large = stream();
    for (stream, expected) in [(&large, Expected::NoStream), (&kept, Expected::Exactly(0))] {
        let refused = log.append(stream, expected, events(2, 200_000)).await;
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(log.head().await.unwrap(), before);
    // What the writer remembers of the failed appends is gone too: both streams are where they were.
    let more = events(1, 100);
    log.append(&large, Expected::NoStream, events(1, 100))
        .await
        .unwrap();
    let last = log.append(&kept, Expected::Exactly(0), more).await.unwrap();
    assert_eq!(log.head().await.unwrap(), Some(last.position));
    drop(log);
    let events = scan(SqliteLog::open_read_only(&path).unwrap());
    assert_eq!(events.len(), 3);
    assert!(
        events
            .windows(2)
            .all(|pair| next_position(&pair[0]) == pair[1].position)
    );
}

#[tokio::test]
async fn a_reader_opens_the_log_beside_its_writer_and_sees_what_is_durable() {
    let folder = Scratch::new().unwrap();
    let path = folder.file("events.db");
    let log = SqliteLog::open(&path, LogOptions::default()).unwrap();
    let mut reader = SqliteLog::open_read_only(&path).unwrap();
    for count in 1..=5 {
        let appended = log
            .append(&stream(), Expected::NoStream, events(1, 10))
            .await
            .unwrap();
        assert_eq!(reader.head().unwrap().last, Some(appended.position));
        assert_eq!(reader.read_all(None, 100).unwrap().len(), count);
    }
    assert_eq!(
        log.scan(None)
            .unwrap()
            .map(|batch| batch.unwrap().len())
            .sum::<usize>(),
        5
    );
}

#[tokio::test]
async fn closely_followed_events_come_as_the_values_that_were_appended() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let mut tail = log.tail(None).await.unwrap();
    let written = events(1, 10);
    let data = written[0].data.as_ptr();
    log.append(&stream(), Expected::NoStream, written).await.unwrap();
    let found = tail.next(10).await.unwrap();
    assert_eq!(
        found[0].data.as_ptr(),
        data,
        "the event was copied or read from the file"
    );
}

#[tokio::test]
async fn a_tail_ends_with_an_error_when_the_log_is_closed() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let mut tail = log.tail(None).await.unwrap();
    let waiting = tokio::spawn(async move { tail.next(10).await });
    tokio::task::yield_now().await;
    drop(log);
    assert!(matches!(waiting.await.unwrap(), Err(LogError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_of_a_busy_log_stays_bounded() {
    let folder = Scratch::new().unwrap();
    let path = folder.file("events.db");
    let log = SqliteLog::open(&path, LogOptions::default()).unwrap();
    // About 400 MB in all, written by several at once.
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    log.append(&stream(), Expected::NoStream, events(10, 100_000))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let journal = std::fs::metadata(folder.file("events.db-wal")).unwrap().len();
    assert!(journal < 200 << 20, "{} MB", journal >> 20);
    assert_eq!(scan(SqliteLog::open_read_only(&path).unwrap()).len(), 4_000);
}

fn positions(events: &[Dated]) -> Vec<u64> {
    events.iter().map(|dated| dated.event.position.0).collect()
}

#[tokio::test]
async fn a_page_ends_after_so_many_events_or_bytes_but_has_one_event_whatever_its_size() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let stream = stream();
    log.append(&stream, Expected::NoStream, events(10, 98))
        .await
        .unwrap();
    for (events, bytes, expected) in [
        (4, usize::MAX, 4),
        (100, 250, 3),
        (100, 1, 1),
        (100, 0, 1),
        (100, 1_000, 10),
    ] {
        let page = Page { events, bytes };
        for (from, towards) in [(0, Towards::End), (9, Towards::Start)] {
            let found = log.stream_page(&stream, from, towards, page).await.unwrap();
            assert_eq!(found.last, Some(9));
            assert_eq!(found.events.len(), expected, "{page:?}");
            assert_eq!(found.events[0].event.revision, from);
        }
        assert_eq!(
            log.page_before(None, page).await.unwrap().len(),
            expected,
            "{page:?}"
        );
    }
}

#[tokio::test]
async fn the_log_is_paged_both_ways_without_gaps_or_repetitions() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&written(&folder).await, LogOptions::default()).unwrap();
    let page = Page {
        events: 7,
        bytes: 1 << 20,
    };
    let all = positions(&log.page_after(None, Page::of(1_000)).await.unwrap());
    let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
    while let found = log
        .page_after(forwards.last().copied().map(Position), page)
        .await
        .unwrap()
        && !found.is_empty()
    {
        forwards.extend(positions(&found));
    }
    while let found = log
        .page_before(backwards.last().copied().map(Position), page)
        .await
        .unwrap()
        && !found.is_empty()
    {
        backwards.extend(positions(&found));
    }
    backwards.reverse();
    assert_eq!(all.len(), 120);
    assert_eq!((forwards, backwards), (all.clone(), all));
}

#[tokio::test]
async fn when_an_event_was_taken_is_the_same_in_memory_and_in_the_file() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let before = SystemClock.now();
    log.append(&stream(), Expected::NoStream, events(3, 10))
        .await
        .unwrap();
    let followed = log.follow(None).next_page(Page::of(10)).await.unwrap();
    let mut reader = SqliteLog::open_read_only(&folder.file("events.db")).unwrap();
    let stored = reader.page_after(None, Page::of(10)).unwrap();
    let created = |events: &[Dated]| events.iter().map(|dated| dated.created).collect::<Vec<_>>();
    assert_eq!(created(&followed), created(&stored));
    assert!(
        followed
            .iter()
            .all(|dated| (before..=SystemClock.now()).contains(&dated.created))
    );
}

#[tokio::test]
async fn a_stream_that_does_not_exist_has_no_last_revision() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let found = log
        .stream_page(&stream(), 0, Towards::End, Page::of(1))
        .await
        .unwrap();
    assert_eq!((found.last, found.events.len()), (None, 0));
}

#[tokio::test]
async fn an_append_at_the_end_goes_wherever_the_end_is_and_only_once() {
    let folder = Scratch::new().unwrap();
    let log = SqliteLog::open(&folder.file("events.db"), LogOptions::default()).unwrap();
    let stream = stream();
    let none = log.append_at_end(&stream, true, events(1, 10)).await;
    assert!(
        matches!(none, Err(AppendError::Conflict { current: None })),
        "{none:?}"
    );
    let first = events(2, 10);
    for must_exist in [false, true] {
        let appended = log
            .append_at_end(&stream, must_exist, first.clone())
            .await
            .unwrap();
        assert_eq!(appended.revision, 1);
    }
    let last = log
        .append(&stream, Expected::Exactly(1), events(3, 10))
        .await
        .unwrap();
    assert_eq!(last.revision, 4);
    // Still among the latest; what only begins like it is another append.
    assert_eq!(
        log.append_at_end(&stream, true, first.clone())
            .await
            .unwrap()
            .revision,
        1
    );
    let half = vec![first[0].clone(), events(1, 10).remove(0)];
    let conflict = log.append_at_end(&stream, true, half).await;
    assert!(
        matches!(conflict, Err(AppendError::Conflict { current: Some(4) })),
        "{conflict:?}"
    );
    assert_eq!(
        log.append_at_end(&stream, true, events(1, 10))
            .await
            .unwrap()
            .revision,
        5
    );
}
