//! Appends, one by one and in batches.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_back_as_it_was_appended() {
    let house = House::new().await;
    let client = client(&house.url());
    let (id, before) = (Uuid::new_v4(), now_ms());
    let data = EventData::json("told.v1", &["ä", "b"])
        .unwrap()
        .id(id)
        .metadata(br#"{"by":"us"}"#.as_slice().into());
    let appended = client
        .append_to_stream("story-1", &expecting(NO_STREAM), data)
        .await
        .unwrap();
    let read = read_stream(&client, "story-1", &ReadStreamOptions::default())
        .await
        .unwrap();
    let [event] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!((event.id, event.revision), (id, 0));
    assert_eq!(
        (event.position, appended.next_expected_version),
        (appended.position, 0)
    );
    assert_eq!(
        (stream_of(event).as_str(), event.event_type.as_str()),
        ("story-1", "told.v1")
    );
    assert_eq!(
        (&event.data[..], &event.custom_metadata[..]),
        (r#"["ä","b"]"#.as_bytes(), &br#"{"by":"us"}"#[..])
    );
    assert!(event.is_json);
    // In units of 100 ns; the client's own `created` is cut to seconds.
    let created = event.metadata["created"].parse::<i64>().unwrap() / 10_000;
    assert!((before..=now_ms()).contains(&created), "{created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_append_again_succeeds_and_writes_nothing() {
    let house = House::new().await;
    let client = client(&house.url());
    let (first, second) = (events(3), events(2));
    for _ in 0..2 {
        let appended = client
            .append_to_stream("s", &expecting(NO_STREAM), first.clone())
            .await
            .unwrap();
        assert_eq!(appended.next_expected_version, 2);
        let appended = client
            .append_to_stream("s", &expecting(exactly(2)), second.clone())
            .await
            .unwrap();
        assert_eq!(appended.next_expected_version, 4);
    }
    for expected in [ANY, EXISTS] {
        let appended = client
            .append_to_stream("s", &expecting(expected), second.clone())
            .await
            .unwrap();
        assert_eq!(appended.next_expected_version, 4);
    }
    assert_eq!(
        read_stream(&client, "s", &ReadStreamOptions::default())
            .await
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_expectation_is_told_where_the_stream_is() {
    let house = House::new().await;
    let client = client(&house.url());
    written(&client, "s", 3).await;
    for (stream, expected, is) in [
        ("s", NO_STREAM, CurrentRevision::Current(2)),
        ("s", exactly(1), CurrentRevision::Current(2)),
        ("s", exactly(3), CurrentRevision::Current(2)),
        ("none", exactly(0), CurrentRevision::NoStream),
        ("none", EXISTS, CurrentRevision::NoStream),
    ] {
        let refused = client
            .append_to_stream(stream, &expecting(expected), events(1))
            .await;
        match refused {
            Err(Error::WrongExpectedVersion {
                current,
                expected: was,
            }) => {
                assert_eq!((current, was), (is, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_expects_nothing_goes_to_the_end() {
    let house = House::new().await;
    let client = client(&house.url());
    for (expected, last) in [(ANY, 0), (ANY, 1), (EXISTS, 2)] {
        let appended = client
            .append_to_stream("s", &expecting(expected), events(1))
            .await
            .unwrap();
        assert_eq!(appended.next_expected_version, last);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_at_once_over_one_connection_are_all_there() {
    let house = House::new().await;
    let client = client(&house.url());
    let appends: Vec<_> = (0..200)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let stream = format!("s-{}", number % 20);
                client
                    .append_to_stream(stream, &expecting(ANY), events(2))
                    .await
                    .unwrap()
            })
        })
        .collect();
    for append in appends {
        soon(append).await.unwrap();
    }
    for number in 0..20 {
        let read = read_stream(&client, &format!("s-{number}"), &ReadStreamOptions::default())
            .await
            .unwrap();
        assert!(read.iter().map(|event| event.revision).eq(0..20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_cannot_keep_is_refused_with_the_reason() {
    let house = House::new().await;
    let client = client(&house.url());
    let not_text = EventData::binary("told.v1", vec![0xff, 0xfe].into()).id(Uuid::new_v4());
    let large = EventData::binary("told.v1", vec![b'1'; 5 << 20].into()).id(Uuid::new_v4());
    for (stream, event, reason) in [
        ("s", not_text, "UTF-8"),
        ("s", large, "larger than"),
        ("$$s", events(1).remove(0), "$"),
        ("s", event_without_kind(), "type"),
    ] {
        let refused = client
            .append_to_stream(stream, &expecting(NO_STREAM), event)
            .await;
        match refused {
            Err(Error::Grpc { message, .. }) => assert!(message.contains(reason), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read_all(&client, &ReadAllOptions::default()).await, [0; 0]);
}

fn event_without_kind() -> EventData {
    event("", 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_one_by_one() {
    let house = House::new().await;
    let client = client(&house.url());
    let batch = client.batch_append(&BatchAppendOptions::default()).await.unwrap();
    let appends = (0..100).map(|number| batch.append_to_stream(format!("s-{number}"), NO_STREAM, events(2)));
    for appended in soon(futures_util::future::join_all(appends)).await {
        assert_eq!(appended.unwrap().current_revision(), Some(1));
    }
    let wrong = soon(batch.append_to_stream("s-1", NO_STREAM, events(1))).await;
    match wrong {
        Err(Error::Grpc { message, .. }) => assert_eq!(message, "WrongExpectedVersion"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        read_all(&client, &ReadAllOptions::default().max_count(1_000))
            .await
            .len(),
        200
    );
}
