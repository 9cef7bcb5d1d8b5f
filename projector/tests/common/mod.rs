//! A log with a story in it, and the documents that it must come to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

pub mod faulty;
mod purchase;

use contract::{
    Cause, CommandId, Currency, Event, Money, Position, Revision, ShowId, StreamEnd, StreamName, Timestamp,
    collections, events::*,
};
use ports::{
    Document, EventLog, Expected, Generation, Query, ReadStore, SystemClock,
    embedded::{LogOptions, ReadStoreOptions, SqliteLog, SqliteReadStore},
};
use projector::{Options, Projector, Shutdown};
use purchase::Purchase;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;
use views::project::{self, Doc, Target};

/// Every document that readers see: collection and key, version and body.
pub type Documents = BTreeMap<(String, String), (u64, serde_json::Value)>;

/// A log and a read store in a folder of their own, gone with it.
pub struct World {
    pub folder: PathBuf,
    pub log: Arc<SqliteLog>,
    pub store: Arc<SqliteReadStore>,
    ends: BTreeMap<StreamName, StreamEnd>,
    shows: BTreeMap<ShowId, Tally>,
    commands: u128,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("eventflow-projector-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = SqliteLog::open(&folder.join("events.db"), LogOptions::default()).unwrap();
        let store = SqliteReadStore::open(&folder.join("views.db"), ReadStoreOptions::default()).unwrap();
        Self {
            folder,
            log,
            store,
            ends: BTreeMap::new(),
            shows: BTreeMap::new(),
            commands: 0,
        }
    }

    pub fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    pub fn store(&self) -> Arc<dyn ReadStore> {
        self.store.clone()
    }

    pub fn projector(&self) -> Arc<Projector> {
        projector(self.log(), self.store())
    }

    pub async fn head(&self) -> Option<Position> {
        self.log.head().await.unwrap()
    }

    /// Appends events to a stream, linked as they must be.
    pub async fn append(&mut self, stream: &StreamName, events: Vec<Event>) -> Position {
        self.commands += 1;
        let cause = Cause {
            correlation: Uuid::from_u128(7),
            actor: "saga".into(),
            trace: None,
        };
        let end = self.ends.entry(stream.clone()).or_insert(StreamEnd::NEW);
        let expected = Expected::before(end.next);
        let command = CommandId(Uuid::from_u128(self.commands));
        let events = end.link(stream, command, &cause, Timestamp(1), events).unwrap();
        self.log.append(stream, expected, events).await.unwrap().position
    }

    /// Schedules a show with numbered seats or without.
    pub async fn schedule(&mut self, show_id: ShowId, numbered: bool) {
        let section = Section {
            name: "Platea".into(),
            rows: 20,
            seats_per_row: 50,
            ..Section::default()
        };
        let layout = match numbered {
            true => Layout::Numbered {
                sections: vec![section],
            },
            false => Layout::General { capacity: 1_000 },
        };
        self.shows.insert(
            show_id,
            Tally {
                free: 1_000,
                held: 0,
                sold: 0,
            },
        );
        let scheduled = ShowScheduled {
            show_id,
            name: "Hamlet".into(),
            description: None,
            starts_at_ms: Timestamp(1_000_000),
            venue: "Globe".into(),
            price: Money::new(5_000, Currency::USD),
            category: None,
            limit_per_user: 4,
            layout,
            scheduled_at_ms: Timestamp(0),
            organiser: None,
            fingerprint: None,
        };
        self.append(&StreamName::show(show_id), vec![scheduled.into()])
            .await;
    }

    /// Two tickets for one person: bought, and every third given back again.
    pub async fn purchase(&mut self, n: u128, show_id: ShowId, numbered: bool) {
        let purchase = Purchase::new(n, show_id, numbered);
        let [request, progress, confirm, cancel, cancelled] = purchase.reservation_events();
        let (reservation, show) = (StreamName::reservation(purchase.id), StreamName::show(show_id));
        let user = StreamName::user(purchase.user_id);
        self.append(&reservation, vec![request]).await;
        let tally = self.tally(show_id, [-2, 2, 0]);
        self.append(&show, vec![purchase.held(tally)]).await;
        self.append(&reservation, vec![progress]).await;
        let (reservation_id, amount, at_ms) = (purchase.id, purchase.amount, Timestamp(3));
        let payment = StreamName::payment(reservation_id);
        self.append(
            &payment,
            vec![
                PaymentCaptured {
                    reservation_id,
                    amount,
                    at_ms,
                }
                .into(),
            ],
        )
        .await;
        self.append(&user, vec![purchase.recorded()]).await;
        let tally = self.tally(show_id, [0, -2, 2]);
        self.append(&show, vec![purchase.sold(tally)]).await;
        self.append(&reservation, vec![confirm]).await;
        if n.is_multiple_of(3) {
            self.append(&reservation, vec![cancel]).await;
            self.append(
                &user,
                vec![
                    PurchaseUnrecorded {
                        reservation_id,
                        at_ms,
                    }
                    .into(),
                ],
            )
            .await;
            let tally = self.tally(show_id, [2, 0, -2]);
            self.append(&show, vec![purchase.returned(tally)]).await;
            self.append(&reservation, vec![cancelled]).await;
        }
    }

    fn tally(&mut self, show_id: ShowId, [free, held, sold]: [i32; 3]) -> Tally {
        let tally = self.shows.get_mut(&show_id).unwrap();
        tally.free = tally.free.checked_add_signed(free).unwrap();
        tally.held = tally.held.checked_add_signed(held).unwrap();
        tally.sold = tally.sold.checked_add_signed(sold).unwrap();
        *tally
    }

    /// Two shows, `purchases` purchases, and a stream that is not this platform's.
    pub async fn story(&mut self, purchases: u128) {
        for show in 1..=2 {
            self.schedule(ShowId(Uuid::from_u128(show)), show == 1).await;
        }
        let foreign = StreamName::new("orders_of_somebody_else");
        let at_ms = Timestamp(0);
        let fingerprint = contract::Digest::ZERO;
        self.append(&foreign, vec![KeyClaimed { fingerprint, at_ms }.into()])
            .await;
        for n in 1..=purchases {
            let show = 1 + n % 2;
            self.purchase(n, ShowId(Uuid::from_u128(show)), show == 1).await;
        }
    }

    /// What the log must come to: every event folded on its own, without runner, batches or store.
    pub async fn expected(&self) -> Documents {
        let mut docs: BTreeMap<Target, (Doc, Revision)> = BTreeMap::new();
        for recorded in self.log.read_all(None, usize::MAX).await.unwrap() {
            let event = recorded.event().unwrap();
            for target in project::targets(&event, &recorded.stream)
                .unwrap()
                .into_iter()
                .flatten()
            {
                let before = docs.remove(&target).map(|(doc, _)| doc);
                if let Some(doc) = target.evolve(before, &event, recorded.revision) {
                    docs.insert(target, (doc, recorded.revision));
                }
            }
        }
        docs.into_iter()
            .map(|(target, (doc, revision))| {
                let body = serde_json::from_slice(&doc.body().unwrap()).unwrap();
                (
                    (target.collection().name.to_owned(), target.key()),
                    (revision + 1, body),
                )
            })
            .collect()
    }

    /// What readers see.
    pub async fn documents(&self) -> Documents {
        let mut all = Documents::new();
        for collection in collections::ALL {
            for document in find_all(&*self.store, collection).await {
                let body = serde_json::from_slice(&document.body).unwrap();
                all.insert(
                    (collection.name.to_owned(), document.key.clone()),
                    (document.version, body),
                );
            }
        }
        all
    }

    /// Returns when readers see the whole log.
    pub async fn caught_up(&self) {
        let head = self.head().await;
        self.applied(head).await;
    }

    /// Returns when readers see everything up to there.
    pub async fn applied(&self, position: Option<Position>) {
        self.store
            .applied()
            .wait_for(|applied| *applied >= position)
            .await
            .unwrap();
    }

    pub async fn generation(&self) -> Generation {
        self.store.active().await.unwrap()
    }
}

async fn find_all(store: &dyn ReadStore, collection: &'static collections::Collection) -> Vec<Arc<Document>> {
    let mut all: Vec<Arc<Document>> = Vec::new();
    loop {
        let after = all.last().map(|document| (0, document.key.clone()));
        let page = store
            .find(
                collection,
                Query {
                    filters: vec![],
                    order: None,
                    after,
                    limit: 1_000,
                },
            )
            .await
            .unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Small batches, so that there are many; a small cache, so that documents are read back.
pub fn projector(log: Arc<dyn EventLog>, store: Arc<dyn ReadStore>) -> Arc<Projector> {
    let options = Options {
        batch_events: 64,
        rebuild_events: 100,
        cache_bytes: 8 << 10,
        ..Options::default()
    };
    Arc::new(Projector::new(log, store, Arc::new(SystemClock), options))
}

/// A run that goes on until it is told to end, or killed.
pub struct Run {
    shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Run {
    pub fn start<F: Future<Output = ()> + Send + 'static>(run: impl FnOnce(Shutdown) -> F) -> Self {
        let (shutdown, receiver) = watch::channel(false);
        Self {
            task: tokio::spawn(run(receiver)),
            shutdown,
        }
    }

    pub fn of(projector: &Arc<Projector>) -> Self {
        let projector = projector.clone();
        Self::start(|shutdown| async move { projector.run(shutdown).await })
    }

    /// Ends it in order.
    pub async fn end(self) {
        self.shutdown.send_replace(true);
        self.task.await.unwrap();
    }

    /// Ends it wherever it is, as a crash would.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
