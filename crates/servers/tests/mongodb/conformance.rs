//! The suites that every adapter passes.

use crate::{
    bed::{connect, new_database, server},
    vault::{MASTER, Second},
};
use async_trait::async_trait;
use ports::{
    ReadStore, Snapshots, Vault,
    conformance::{self, Failed, Fixture, Report},
};
use servers::mongodb::{Mongo, MongoStore, MongoVault};
use stack::mongodb::MongoDb;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

type Opening<P> = Pin<Box<dyn Future<Output = Result<Arc<P>, Failed>> + Send>>;

/// Adapters over a database each.
struct Databases<F> {
    server: Arc<MongoDb>,
    current: Mutex<String>,
    open: F,
}

impl<F> Databases<F> {
    fn new(open: F) -> Self {
        Self {
            server: server(),
            current: Mutex::default(),
            open,
        }
    }
}

#[async_trait]
impl<P: ?Sized + Send + Sync + 'static, F: Fn(Mongo) -> Opening<P> + Send + Sync> Fixture<P>
    for Databases<F>
{
    async fn fresh(&self) -> Result<Arc<P>, Failed> {
        let database = new_database();
        self.current.lock().unwrap().clone_from(&database);
        (self.open)(connect(&self.server, &database).await).await
    }

    async fn reopen(&self, port: Arc<P>) -> Result<Arc<P>, Failed> {
        drop(port);
        let database = self.current.lock().unwrap().clone();
        (self.open)(connect(&self.server, &database).await).await
    }
}

fn all_hold(report: &Report) {
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_keeps_what_a_read_store_promises() {
    let open = |mongo: Mongo| -> Opening<dyn ReadStore> {
        Box::pin(async move { Ok(MongoStore::open(&mongo).await as Arc<dyn ReadStore>) })
    };
    all_hold(&conformance::read_store(&Databases::new(open)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_keeps_what_a_snapshot_store_promises() {
    let open = |mongo: Mongo| -> Opening<dyn Snapshots> {
        Box::pin(async move { Ok(MongoStore::open(&mongo).await as Arc<dyn Snapshots>) })
    };
    all_hold(&conformance::snapshots(&Databases::new(open)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_keeps_what_a_vault_promises() {
    let open = |mongo: Mongo| -> Opening<dyn Vault> {
        Box::pin(async move { Ok(MongoVault::open(&mongo, MASTER, None).await? as Arc<dyn Vault>) })
    };
    all_hold(&conformance::vault(&Databases::new(open)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_keeps_it_with_a_second_place_for_keys() {
    let seconds = Arc::new(Mutex::new(std::collections::HashMap::<String, Arc<Second>>::new()));
    let open = move |mongo: Mongo| -> Opening<dyn Vault> {
        let second = seconds
            .lock()
            .unwrap()
            .entry(mongo.name().into())
            .or_default()
            .clone();
        Box::pin(async move { Ok(MongoVault::open(&mongo, MASTER, Some(second)).await? as Arc<dyn Vault>) })
    };
    all_hold(&conformance::vault(&Databases::new(open)).await);
}
