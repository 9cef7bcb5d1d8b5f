//! Other processes that read: what they hear of, and what they see while a rebuild is swapped in.

use crate::bed::{connect, found, new_database, pair, project, put, server, store, until};
use contract::{Position, collections::SHOWS};
use ports::{Generation, Query, ReadStore};
use servers::mongodb::MongoStore;
use stack::mongodb::MongoDb;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

const SHOWN: u64 = 40;

fn all(version: u64) -> Vec<ports::Change> {
    (0..SHOWN)
        .map(|key| put(&SHOWS, &format!("{key:03}"), version))
        .collect()
}

const ALL: Query = Query {
    filters: Vec::new(),
    order: None,
    after: None,
    limit: 1_000,
};

#[tokio::test(flavor = "multi_thread")]
async fn another_process_hears_of_positions_and_finds_their_documents() {
    let (server, database) = (server(), new_database());
    let (writer, reader) = (store(&server, &database).await, store(&server, &database).await);
    let active = writer.active().await.unwrap();
    let mut waits = Vec::new();
    for round in 1..=40 {
        let mut applied = reader.applied();
        writer.apply(active, pair(round), Position(round)).await.unwrap();
        let began = Instant::now();
        let reached = applied.wait_for(|applied| *applied >= Some(Position(round)));
        tokio::time::timeout(Duration::from_secs(5), reached)
            .await
            .unwrap()
            .unwrap();
        waits.push(began.elapsed());
        let found = reader.get(&SHOWS, "one").await.unwrap().unwrap();
        assert!(found.version >= round);
    }
    waits.sort();
    println!(
        "heard after {:?} at the median, {:?} at the worst",
        waits[20], waits[39]
    );
    assert!(waits[39] < Duration::from_millis(500), "{:?}", waits[39]);
}

/// Reads until told to stop. Every answer is one whole generation, and none is older than the one before.
async fn read_on(store: Arc<MongoStore>, stop: watch::Receiver<bool>) -> u64 {
    let (mut answers, mut seen) = (0, 0);
    while !*stop.borrow() {
        let shows = store.find(&SHOWS, ALL).await.unwrap();
        assert_eq!(shows.len() as u64, SHOWN, "after {answers} answers");
        let version = shows[0].version;
        assert!(
            shows.iter().all(|show| show.version == version),
            "two generations in one answer"
        );
        assert!(version >= seen, "{version} after {seen}");
        seen = version;
        let show = store
            .get(&SHOWS, "007")
            .await
            .unwrap()
            .expect("it is in every generation");
        assert!(show.version >= seen);
        assert_eq!(store.count(&SHOWS).await.unwrap(), SHOWN);
        answers += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_one_whole_generation_or_the_other_while_a_rebuild_is_swapped_in() {
    let (server, database) = (server(), new_database());
    let (projector, other) = (store(&server, &database).await, store(&server, &database).await);
    let old = projector.active().await.unwrap();
    projector.apply(old, all(1), Position(1)).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let mut readers = Vec::new();
    for _ in 0..2 {
        readers.push(tokio::spawn(read_on(
            store(&server, &database).await,
            stopped.clone(),
        )));
    }
    // The rebuild is made by another process than the one that projects meanwhile.
    let new = other.begin().await.unwrap();
    for version in 2..=5 {
        other.apply(new, all(version), Position(version)).await.unwrap();
        projector.apply(old, all(1), Position(version)).await.unwrap();
    }
    other.activate(new).await.unwrap();
    assert!(
        projector.apply(old, all(1), Position(9)).await.is_err(),
        "its generation is gone"
    );
    until("the projector sees the new one", async || {
        projector.active().await.unwrap() == new
    })
    .await;
    projector.checkpoint(new).await.unwrap();
    projector.apply(new, all(6), Position(6)).await.unwrap();
    // The old collections go, after a while, and nobody notices.
    let database = connect(&server, &database).await;
    until("the old collections are dropped", async || {
        let names = database.collections().await.unwrap();
        !names.iter().any(|name| name == "shows_g1")
    })
    .await;
    stop.send_replace(true);
    for reader in readers {
        assert!(reader.await.unwrap() > 20);
    }
    let names = database.collections().await.unwrap();
    assert!(names.iter().any(|name| name == "shows_g2"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rebuilds_the_later_one_stands() {
    let (server, database) = (server(), new_database());
    let (one, other) = (store(&server, &database).await, store(&server, &database).await);
    let (first, second) = tokio::join!(one.begin(), other.begin());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first, second);
    let stands = Generation(first.0.max(second.0));
    let fallen = Generation(first.0.min(second.0));
    assert!(one.apply(fallen, pair(1), Position(1)).await.is_err());
    assert!(one.activate(fallen).await.is_err());
    other.checkpoint(stands).await.unwrap();
    other.apply(stands, pair(1), Position(1)).await.unwrap();
    other.activate(stands).await.unwrap();
    until("both see it", async || one.active().await.unwrap() == stands).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_stored_as_fields_with_their_indexes() {
    let (server, database) = (server(), new_database());
    let store = store(&server, &database).await;
    let active = store.active().await.unwrap();
    store.apply(active, pair(1), Position(1)).await.unwrap();
    let database = connect(&server, &database).await;
    until("the indexes are made", async || {
        database.indexes("shows_g1").await.is_ok_and(|names| {
            SHOWN_BY
                .iter()
                .all(|index| names.iter().any(|name| name == index))
        })
    })
    .await;
}

const SHOWN_BY: [&str; 4] = [
    "starts_at_ms",
    "category_starts_at_ms",
    "organiser_starts_at_ms",
    "unsettled",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_program_that_knew_fewer_indexes_gets_them_while_it_is_written_to() {
    let (server, database) = (server(), new_database());
    let old = store(&server, &database).await;
    let active = old.active().await.unwrap();
    old.apply(active, all(1), Position(1)).await.unwrap();
    let connection = connect(&server, &database).await;
    let is_indexed = async || {
        let names = connection.indexes("shows_g1").await.unwrap();
        names.iter().any(|name| name == "organiser_starts_at_ms")
    };
    until("the index is made", is_indexed).await;
    drop_index(&server, &database, "shows_g1", "organiser_starts_at_ms").await;
    assert!(!is_indexed().await);
    // The projector that is at work is of the old program, and goes on while a node of the new one starts.
    let projector = tokio::spawn(async move { (project(&*old, 200).await, old) });
    let new = store(&server, &database).await;
    until("the index is made again", is_indexed).await;
    let (_, old) = tokio::time::timeout(Duration::from_secs(60), projector)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(new.active().await.unwrap(), active, "nothing was begun anew");
    assert_eq!(found(&*new).await, [200, 200, 200]);
    assert_eq!(new.count(&SHOWS).await.unwrap(), SHOWN + 1);
    let own = |store: Arc<MongoStore>| async move {
        let filter = ports::Filter {
            field: "organiser",
            op: ports::Op::Eq("ana".into()),
        };
        let query = Query {
            filters: vec![filter],
            ..ALL
        };
        store.find(&SHOWS, query).await.unwrap().len()
    };
    assert_eq!(own(new.clone()).await, 0);
    let theirs = ports::Document {
        key: "hers".into(),
        version: 1,
        body: r#"{"organiser":"ana","starts_at_ms":1}"#.into(),
    };
    let put = ports::Change::Put {
        collection: &SHOWS,
        document: Arc::new(theirs),
    };
    old.apply(active, vec![put], Position(201)).await.unwrap();
    assert_eq!(own(new).await, 1);
}

/// As a program that does not know the index would have left the database.
async fn drop_index(server: &MongoDb, database: &str, collection: &str, index: &str) {
    let client = ::mongodb::Client::with_uri_str(server.url()).await.unwrap();
    let command = ::mongodb::bson::doc! { "dropIndexes": collection, "index": index };
    client.database(database).run_command(command).await.unwrap();
}
