//! One leader at a time.

use crate::bed::{connect_to, new_database, server, until};
use servers::mongodb::{LeaseOptions, MongoLease, Term};
use stack::mongodb::MongoDb;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const TTL: Duration = Duration::from_millis(1_000);

async fn leases(server: &MongoDb, database: &str) -> MongoLease {
    leases_at(&server.url(), database).await
}

async fn leases_at(url: &str, database: &str) -> MongoLease {
    MongoLease::new(&connect_to(url, database).await, LeaseOptions { ttl: TTL })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_is_renewed_and_ends_at_once_when_it_is_dropped() {
    let (server, database) = (server(), new_database());
    let (one, other) = (leases(&server, &database).await, leases(&server, &database).await);
    let term = one.lead("projector", "one").await;
    assert_eq!(term.number(), 1);
    let waiting = tokio::spawn(async move { other.lead("projector", "other").await });
    let lost = tokio::time::timeout(TTL * 3, term.lost()).await;
    assert!(lost.is_err() && term.is_held() && !waiting.is_finished());
    // Another name is another lease.
    assert_eq!(one.lead("forwarder", "one").await.number(), 1);
    drop(term);
    let began = Instant::now();
    let next = waiting.await.unwrap();
    assert_eq!(next.number(), 2);
    assert!(next.is_held());
    assert!(began.elapsed() < TTL, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_dies_another_leads_within_two_terms() {
    let (server, database) = (server(), new_database());
    // A runtime of its own, whose end is the death of a process: nothing is renewed, nobody steps down.
    let process = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (url, database_of) = (server.url(), database.clone());
    let term = process
        .spawn(async move {
            leases_at(&url, &database_of)
                .await
                .lead("projector", "dies")
                .await
        })
        .await
        .unwrap();
    let other = leases(&server, &database).await;
    let waiting = tokio::spawn(async move { other.lead("projector", "next").await });
    tokio::time::sleep(TTL).await;
    assert!(term.is_held());
    process.shutdown_background();
    let began = Instant::now();
    let next = waiting.await.unwrap();
    println!("passed over after {:?} of {TTL:?}", began.elapsed());
    assert!(began.elapsed() < TTL * 2, "{:?}", began.elapsed());
    assert!(!term.is_held() && next.is_held());
    std::mem::forget(term);
}

/// All terms that were ever held, and how many were held by others when one began.
#[derive(Default)]
struct Terms {
    held: Mutex<Vec<Arc<Term>>>,
    begun: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_two_leaders_also_when_the_server_dies_or_falls_silent() {
    let (server, database) = (stack::mongodb::start_durable().unwrap(), new_database());
    let terms = Arc::new(Terms::default());
    let mut contending = Vec::new();
    for name in ["a", "b", "c"] {
        let (leases, terms) = (leases(&server, &database).await, terms.clone());
        contending.push(tokio::spawn(async move {
            loop {
                let term = Arc::new(leases.lead("projector", name).await);
                {
                    let mut held = terms.held.lock().unwrap();
                    let others = held.iter().filter(|other| other.is_held()).count();
                    assert_eq!(others, 0, "{name} leads beside another");
                    held.retain(|other| other.is_held());
                    held.push(term.clone());
                }
                terms.begun.fetch_add(1, Ordering::SeqCst);
                term.lost().await;
                assert!(!term.is_held());
            }
        }));
    }
    let begun = || async { terms.begun.load(Ordering::SeqCst) };
    until("one leads", async || begun().await == 1).await;
    for (round, kill) in [(2, true), (3, false), (4, true)] {
        if kill {
            server.server().kill();
        } else {
            server.server().pause();
        }
        let began = Instant::now();
        until("the leader knows", async || {
            terms.held.lock().unwrap().iter().all(|term| !term.is_held())
        })
        .await;
        println!("lost after {:?} of {TTL:?}", began.elapsed());
        assert!(began.elapsed() < TTL + TTL / 2);
        if kill {
            server.server().begin().unwrap();
        } else {
            server.server().resume();
        }
        let began = Instant::now();
        until("another leads", async || begun().await >= round).await;
        println!("led again after {:?}", began.elapsed());
    }
    assert!(
        contending.iter().all(|one| !one.is_finished()),
        "one found two leaders"
    );
    contending.iter().for_each(|one| one.abort());
}
