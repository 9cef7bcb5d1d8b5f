//! Reads, and what else a client asks.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_does_not_exist_is_not_found() {
    let house = House::new().await;
    let client = client(&house.url());
    for options in [
        ReadStreamOptions::default(),
        ReadStreamOptions::default().backwards(),
    ] {
        let read = read_stream(&client, "none", &options).await;
        assert!(matches!(read, Err(Error::ResourceNotFound)), "{read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_both_ways_from_any_place() {
    let house = House::new().await;
    let client = client(&house.url());
    written(&client, "other", 2).await;
    written(&client, "s", 8).await;
    let from = StreamPosition::Position;
    let forwards = ReadStreamOptions::default;
    let backwards = || ReadStreamOptions::default().backwards();
    for (options, expected) in [
        (forwards(), vec![0, 1, 2, 3, 4, 5, 6, 7]),
        (forwards().max_count(4), vec![0, 1, 2, 3]),
        (forwards().position(from(6)), vec![6, 7]),
        (forwards().position(from(2)).max_count(3), vec![2, 3, 4]),
        (forwards().position(from(8)), vec![]),
        (forwards().position(StreamPosition::End).forwards(), vec![]),
        (
            backwards().position(StreamPosition::End),
            vec![7, 6, 5, 4, 3, 2, 1, 0],
        ),
        (backwards().position(StreamPosition::End).max_count(1), vec![7]),
        (backwards().position(from(4)), vec![4, 3, 2, 1, 0]),
        (backwards().position(from(99)).max_count(2), vec![7, 6]),
        (forwards().position(StreamPosition::Start).backwards(), vec![0]),
    ] {
        let read = read_stream(&client, "s", &options).await.unwrap();
        assert_eq!(
            read.iter().map(|event| event.revision).collect::<Vec<_>>(),
            expected,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_log_is_read_both_ways_from_any_place() {
    let house = House::new().await;
    let client = client(&house.url());
    let mut all = written(&client, "a", 4).await;
    all.extend(written(&client, "b", 5).await);
    let back: Vec<_> = all.iter().rev().copied().collect();
    let forwards = ReadAllOptions::default;
    let backwards = || ReadAllOptions::default().backwards();
    for (options, expected) in [
        (forwards(), &all[..]),
        (forwards().max_count(4), &all[..4]),
        (forwards().position(at(all[5])), &all[5..]),
        (forwards().position(at(all[5] + 1)), &all[6..]),
        (forwards().position(StreamPosition::End).forwards(), &[]),
        (backwards().position(StreamPosition::End), &back[..]),
        (backwards().position(StreamPosition::End).max_count(2), &back[..2]),
        // The position itself is not part of it.
        (backwards().position(at(all[4])), &back[5..]),
        (forwards().position(StreamPosition::Start).backwards(), &[]),
    ] {
        assert_eq!(read_all(&client, &options).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_not_deleted() {
    let house = House::new().await;
    let client = client(&house.url());
    written(&client, "s", 1).await;
    let refused = client.delete_stream("s", &Default::default()).await;
    assert!(matches!(refused, Err(Error::UnsupportedFeature)), "{refused:?}");
    let refused = client.tombstone_stream("s", &Default::default()).await;
    assert!(matches!(refused, Err(Error::UnsupportedFeature)), "{refused:?}");
    assert_eq!(
        read_stream(&client, "s", &ReadStreamOptions::default())
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_who_is_there_finds_the_endpoint() {
    let house = House::new().await;
    let client = client(&house.discovering_url());
    written(&client, "s", 1).await;
    assert_eq!(client.server_info().await.unwrap().version(), (23, 10));
}
