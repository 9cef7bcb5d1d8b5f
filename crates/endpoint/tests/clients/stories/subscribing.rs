//! Subscriptions to streams and to all.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_brings_what_is_there_and_then_what_comes() {
    let house = House::new().await;
    let client = client(&house.url());
    written(&client, "a", 5).await;
    let options = SubscribeToAllOptions::default().position(StreamPosition::Start);
    let mut subscription = client.subscribe_to_all(&options).await;
    assert_eq!(see(&mut subscription).await, Seen::Confirmed);
    for revision in 0..5 {
        assert_eq!(see(&mut subscription).await, seen("a", revision));
    }
    assert_eq!(see(&mut subscription).await, Seen::CaughtUp);
    for name in ["b", "c"] {
        written(&client, name, 2).await;
        assert_eq!(
            see_many(&mut subscription, 2).await,
            [seen(name, 0), seen(name, 1)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_begins_behind_its_position() {
    let house = House::new().await;
    let client = client(&house.url());
    let positions = written(&client, "a", 5).await;
    for (from, expected) in [
        (at(positions[2]), vec![3, 4]),
        (at(positions[4]), vec![]),
        (StreamPosition::End, vec![]),
    ] {
        let options = SubscribeToAllOptions::default().position(from);
        let mut subscription = client.subscribe_to_all(&options).await;
        assert_eq!(see(&mut subscription).await, Seen::Confirmed);
        for revision in expected {
            assert_eq!(see(&mut subscription).await, seen("a", revision));
        }
        match soon(subscription.next_subscription_event()).await.unwrap() {
            event if caught_up(&event).is_some() => {
                let with = caught_up(&event).unwrap();
                assert!(with.is_none_or(|with| with == positions[4]));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_subscribed_to_from_any_place_and_before_it_exists() {
    let house = House::new().await;
    let client = client(&house.url());
    written(&client, "a", 5).await;
    let from = StreamPosition::Position;
    let mut subscriptions = Vec::new();
    for (from, first) in [
        (StreamPosition::Start, 0),
        (from(1), 2),
        (from(4), 5),
        (StreamPosition::End, 5),
    ] {
        let options = SubscribeToStreamOptions::default().start_from(from);
        let mut subscription = client.subscribe_to_stream("a", &options).await;
        assert_eq!(see(&mut subscription).await, Seen::Confirmed);
        for revision in first..5 {
            assert_eq!(see(&mut subscription).await, seen("a", revision));
        }
        assert_eq!(see(&mut subscription).await, Seen::CaughtUp);
        subscriptions.push(subscription);
    }
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut early = client.subscribe_to_stream("b", &options).await;
    assert_eq!(see_many(&mut early, 2).await, [Seen::Confirmed, Seen::CaughtUp]);
    written(&client, "b", 2).await;
    client
        .append_to_stream("a", &expecting(exactly(4)), events(1))
        .await
        .unwrap();
    assert_eq!(see_many(&mut early, 2).await, [seen("b", 0), seen("b", 1)]);
    for subscription in &mut subscriptions {
        assert_eq!(see(subscription).await, seen("a", 5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_on_after_the_endpoint_was_away() {
    let mut house = House::new().await;
    let client = client(&house.url());
    let retry = RetryOptions::default()
        .retry_forever()
        .retry_delay(Duration::from_millis(20));
    let options = SubscribeToAllOptions::default()
        .position(StreamPosition::Start)
        .retry_options(retry);
    let mut subscription = client.subscribe_to_all(&options).await;
    written(&client, "a", 2).await;
    let reading = tokio::spawn(async move {
        let mut found = Vec::new();
        while found.len() < 4 {
            if let Seen::Event(stream, revision) = see(&mut subscription).await {
                found.push((stream, revision));
            }
        }
        found
    });
    house.close().await;
    house.open().await;
    let again = super::client(&house.url());
    written(&again, "b", 2).await;
    let found = soon(reading).await.unwrap();
    assert_eq!(
        found,
        [("a".into(), 0), ("a".into(), 1), ("b".into(), 0), ("b".into(), 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subscription_too_many_is_refused_until_another_ends() {
    let options = Options {
        max_subscriptions: 1,
        ..Options::default()
    };
    let house = House::with(options).await;
    let client = client(&house.url());
    let options = SubscribeToAllOptions::default();
    let mut first = client.subscribe_to_all(&options).await;
    assert_eq!(see(&mut first).await, Seen::Confirmed);
    let refused = soon(client.subscribe_to_all(&options).await.next_subscription_event()).await;
    assert!(matches!(refused, Err(Error::Grpc { .. })), "{refused:?}");
    drop(first);
    soon(async {
        while client
            .subscribe_to_all(&options)
            .await
            .next_subscription_event()
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_stops_reading_holds_up_nobody_and_misses_nothing() {
    let house = House::with(Options::default()).await;
    let client = client(&house.url());
    let options = SubscribeToAllOptions::default().position(StreamPosition::Start);
    let mut slow = client.subscribe_to_all(&options).await;
    assert_eq!(see(&mut slow).await, Seen::Confirmed);
    // 40 MB, many times what the connection takes ahead.
    for number in 0..40 {
        let event = EventData::binary("large.v1", vec![b'1'; 1 << 20].into()).id(Uuid::new_v4());
        soon(client.append_to_stream(format!("s-{number}"), &expecting(NO_STREAM), event))
            .await
            .unwrap();
    }
    let mut found = 0;
    while found < 40 {
        if let Seen::Event(stream, 0) = see(&mut slow).await {
            assert_eq!(stream, format!("s-{found}"));
            found += 1;
        }
    }
    drop(house.log());
}
