//! Two projectors on one database, and large change sets.

use crate::bed::{connect_to, found, new_database, pair, project, put, server, store};
use contract::{
    Position,
    collections::{SHOWS, USERS},
};
use ports::{Generation, ReadStore, StoreError};
use servers::mongodb::MongoStore;

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_never_interleave() {
    let (server, database) = (server(), new_database());
    let (one, other) = (store(&server, &database).await, store(&server, &database).await);
    let (first, second) = tokio::join!(
        tokio::spawn(async move { project(&*one, 150).await }),
        tokio::spawn(async move { project(&*other, 150).await }),
    );
    // Each position was applied by one of them, and by one alone.
    assert_eq!(first.unwrap() + second.unwrap(), 150);
    assert_eq!(found(&*store(&server, &database).await).await, [150, 150, 150]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_was_overtaken_is_refused_whoever_looked_meanwhile() {
    let (server, database) = (server(), new_database());
    let (one, other) = (store(&server, &database).await, store(&server, &database).await);
    let active = one.active().await.unwrap();
    one.apply(active, pair(1), Position(1)).await.unwrap();
    other.checkpoint(active).await.unwrap();
    other.apply(active, pair(2), Position(2)).await.unwrap();
    // A health check of the first one looks; its projector still has the documents of position 1 in its hands.
    assert_eq!(one.checkpoint(active).await.unwrap(), Some(Position(2)));
    let refused = one.apply(active, vec![put(&SHOWS, "one", 99)], Position(3)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(found(&*one).await, [2, 2, 2]);
    // It begins again where the store is.
    one.apply(active, pair(3), Position(3)).await.unwrap();
    assert_eq!(found(&*other).await, [3, 3, 3]);
    // The checkpoint does not go back, not even for one that has just looked.
    other.take_over();
    other.checkpoint(active).await.unwrap();
    assert!(other.apply(active, pair(2), Position(2)).await.is_err());
    assert_eq!(found(&*one).await, [3, 3, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_takes_the_lead_is_not_refused_for_what_it_saw_before() {
    let (server, database) = (server(), new_database());
    let (leads, stands_by) = (store(&server, &database).await, store(&server, &database).await);
    let active = leads.active().await.unwrap();
    stands_by.checkpoint(active).await.unwrap();
    leads.apply(active, pair(1), Position(1)).await.unwrap();
    stands_by.take_over();
    assert_eq!(stands_by.checkpoint(active).await.unwrap(), Some(Position(1)));
    stands_by.apply(active, pair(2), Position(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_whose_transaction_was_abandoned_writes_again_at_once() {
    let (server, database) = (server(), new_database());
    let store = store(&server, &database).await;
    let active = store.active().await.unwrap();
    store.apply(active, pair(1), Position(1)).await.unwrap();
    // The lead is lost in the middle, again and again, and taken again by the same process.
    for round in 0..20_u64 {
        let many = (0..400)
            .map(|key| put(&USERS, &key.to_string(), round + 2))
            .collect();
        let applying = store.apply(active, many, Position(round + 2));
        let patience = std::time::Duration::from_millis(round * 3);
        let _ = tokio::time::timeout(patience, applying).await;
        store.take_over();
        let mut written = from_where_it_is(&store, active, round).await;
        if matches!(&written, Err(StoreError::Unavailable(why)) if why.contains("another projector has written"))
        {
            // The commit was on its way when it was abandoned, and arrived after the look: as when another had written.
            // There is one of those.
            written = from_where_it_is(&store, active, round).await;
        }
        assert_eq!(written.map_err(|error| format!("round {round}: {error}")), Ok(()));
    }
}

/// What a projector does that takes the lead: it looks where the store is, and goes on there.
async fn from_where_it_is(store: &MongoStore, active: Generation, round: u64) -> Result<(), StoreError> {
    let at = store.checkpoint(active).await?.unwrap();
    store.apply(active, pair(round + 100), Position(at.0 + 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_do_not_go_back_to_a_rebuild_of_somebody_who_has_lost_the_lead() {
    let (server, database) = (server(), new_database());
    let (lost, leads) = (store(&server, &database).await, store(&server, &database).await);
    let old = leads.active().await.unwrap();
    let rebuilt = lost.begin().await.unwrap();
    lost.apply(rebuilt, pair(1), Position(1)).await.unwrap();
    leads.apply(old, pair(2), Position(2)).await.unwrap();
    assert!(lost.activate(rebuilt).await.is_err());
    assert_eq!(found(&*leads).await, [2, 2, 2]);
    // As far as readers, it stands.
    lost.apply(rebuilt, pair(2), Position(2)).await.unwrap();
    lost.activate(rebuilt).await.unwrap();
    assert_eq!(lost.active().await.unwrap(), rebuilt);
    assert_eq!(found(&*lost).await, [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_another_process_made_is_changed_and_not_made_again() {
    let (server, database) = (server(), new_database());
    let (one, other) = (store(&server, &database).await, store(&server, &database).await);
    let active = one.active().await.unwrap();
    let people = |version| (0..50).map(move |key| put(&USERS, &key.to_string(), version));
    one.apply(active, people(1).collect(), Position(1)).await.unwrap();
    // To this process they are all new, until the server says otherwise; one of them is.
    let mut changes: Vec<_> = people(2).collect();
    changes.push(put(&USERS, "another", 1));
    other.apply(active, changes, Position(2)).await.unwrap();
    assert_eq!(other.count(&USERS).await.unwrap(), 51);
    let changed = one.get(&USERS, "7").await.unwrap().unwrap();
    assert_eq!(changed.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_that_is_larger_than_a_transaction_arrives_whole() {
    let (server, database) = (server(), new_database());
    let store = store(&server, &database).await;
    let active = store.active().await.unwrap();
    let mut changes: Vec<_> = (0..2_300)
        .map(|key| put(&SHOWS, &format!("{key:05}"), 1))
        .collect();
    changes.extend(pair(1));
    store.apply(active, changes, Position(1)).await.unwrap();
    assert_eq!(store.count(&SHOWS).await.unwrap(), 2_301);
    assert_eq!(store.count(&USERS).await.unwrap(), 1);
    assert_eq!(store.checkpoint(active).await.unwrap(), Some(Position(1)));
    // And the next one finds the fence as it was left.
    store.apply(active, pair(2), Position(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_stored_changes_nothing() {
    let (server, database) = (server(), new_database());
    let store = store(&server, &database).await;
    let active = store.active().await.unwrap();
    store.apply(active, pair(1), Position(1)).await.unwrap();
    for body in [
        r#"{"_id":1}"#.to_owned(),
        r#"{"$top":1}"#.into(),
        format!(r#"{{"s":"{}"}}"#, "x".repeat(17 << 20)),
    ] {
        let ports::Change::Put { collection, document } = put(&SHOWS, "one", 2) else {
            unreachable!()
        };
        let document = ports::Document {
            body: body.into(),
            ..(*document).clone()
        };
        let bad = ports::Change::Put {
            collection,
            document: document.into(),
        };
        let refused = store
            .apply(active, vec![put(&USERS, "other", 2), bad], Position(2))
            .await;
        assert!(refused.is_err());
        assert_eq!(found(&*store).await, [1, 1, 1]);
    }
    store.apply(active, pair(2), Position(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_dies_in_the_middle_of_a_transaction_does_not_hold_up_the_next() {
    let (server, database) = (server(), new_database());
    let next = store(&server, &database).await;
    let active = next.active().await.unwrap();
    let mut at = 0;
    for round in 0..3 {
        // A runtime of its own, whose end is the death of a process: its transaction stays open on the server.
        let process = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let (url, database_of) = (server.url(), database.clone());
        let (began, told) = tokio::sync::oneshot::channel();
        process.spawn(async move {
            let dies = MongoStore::open(&connect_to(&url, &database_of).await).await;
            let changes: Vec<_> = (0..900).map(|key| put(&SHOWS, &format!("{key:05}"), 7)).collect();
            began.send(()).unwrap();
            dies.apply(active, changes, Position(at + 1)).await
        });
        told.await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(40 + round * 20)).await;
        process.shutdown_background();
        let began = std::time::Instant::now();
        at = project(&*next, at + 2).await.max(at + 2);
        println!("went on after {:?}", began.elapsed());
        // Half a second on an idle machine; the server itself would keep it open for a minute.
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
