//! Subscriptions to some of the log.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_keeps_to_its_prefixes_and_tells_how_far_it_is() {
    let house = House::new().await;
    let client = client(&house.url());
    let positions = [
        written(&client, "show-1", 2).await,
        written(&client, "user-1", 5).await,
    ]
    .concat();
    let filter = SubscriptionFilter::on_stream_name()
        .add_prefix("show-")
        .add_prefix("key-")
        .max(4);
    let options = SubscribeToAllOptions::default()
        .position(StreamPosition::Start)
        .filter(filter);
    let mut subscription = client.subscribe_to_all(&options).await;
    let expected = [
        Seen::Confirmed,
        seen("show-1", 0),
        seen("show-1", 1),
        // Four were considered …
        Seen::Checkpoint(positions[3]),
        // … and then all.
        Seen::Checkpoint(positions[6]),
        Seen::CaughtUp,
    ];
    assert_eq!(see_many(&mut subscription, 6).await, expected);
    let more = written(&client, "user-2", 3).await;
    written(&client, "key-1", 2).await;
    let expected = [
        seen("key-1", 0),
        Seen::Checkpoint(more[2] + more[1] - more[0]),
        seen("key-1", 1),
    ];
    assert_eq!(see_many(&mut subscription, 3).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_may_be_a_regular_expression_over_types() {
    let house = House::new().await;
    let client = client(&house.url());
    let kinds = ["$metadata", "sold.v1", "held.v1", "PersistentConfig1", "sold.v2"];
    for (revision, kind) in kinds.iter().enumerate() {
        let expected = revision
            .checked_sub(1)
            .map_or(NO_STREAM, |last| exactly(last as u64));
        client
            .append_to_stream("s", &expecting(expected), event(kind, revision))
            .await
            .unwrap();
    }
    for (filter, expected) in [
        (SubscriptionFilter::on_event_type().regex("^sold"), vec![1, 4]),
        // The Python client's default: look-ahead.
        (
            SubscriptionFilter::on_event_type().regex(r"^(?!(\$.+$|PersistentConfig\d+$))"),
            vec![1, 2, 4],
        ),
        (SubscriptionFilter::on_event_type().add_prefix("held"), vec![2]),
        (
            SubscriptionFilter::on_event_type().exclude_system_events(),
            vec![1, 2, 3, 4],
        ),
        (SubscriptionFilter::on_stream_name().regex("^t"), vec![]),
    ] {
        let options = SubscribeToAllOptions::default()
            .position(StreamPosition::Start)
            .filter(filter);
        let mut subscription = client.subscribe_to_all(&options).await;
        let mut found = Vec::new();
        loop {
            match see(&mut subscription).await {
                Seen::Event(_, revision) => found.push(revision),
                Seen::CaughtUp => break,
                _ => {}
            }
        }
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_not_one_is_refused() {
    let house = House::new().await;
    let client = client(&house.url());
    let filter = SubscriptionFilter::on_event_type().regex("(");
    let options = SubscribeToAllOptions::default().filter(filter);
    let refused = soon(client.subscribe_to_all(&options).await.next_subscription_event()).await;
    assert!(matches!(refused, Err(Error::Grpc { .. })), "{refused:?}");
}
