//! A run that keeps only some collections, in a store that may lose everything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use async_trait::async_trait;
use common::{Run, World};
use contract::{
    Position, ReservationId, ShowId, StreamName, Timestamp, UserId,
    collections::{self, Collection},
    events::{ForgetReason, PurchaseUnrecorded, UserForgotten},
};
use ports::{Change, Document, Generation, Query, ReadStore, StoreError, SystemClock};
use projector::{Options, Projector};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

static HOT: [&Collection; 2] = [&collections::SHOWS, &collections::SEAT_MAPS];
const MARK: &str = "complete";

fn hot(world: &World, store: Arc<dyn ReadStore>) -> Arc<Projector> {
    let options = Options {
        batch_events: 16,
        collections: &HOT,
        label: "hot",
        complete_mark: Some(MARK),
        ..Options::default()
    };
    Arc::new(Projector::new(world.log(), store, Arc::new(SystemClock), options))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_collections_that_were_asked_for_are_kept() {
    let mut world = World::new();
    world.story(30).await;
    let run = Run::of(&hot(&world, world.store()));
    world.caught_up().await;
    world.purchase(31, ShowId(Uuid::from_u128(1)), true).await;
    world.caught_up().await;
    run.end().await;
    let mut expected = world.expected().await;
    expected.retain(|(collection, _), _| HOT.iter().any(|hot| hot.name == *collection));
    assert_eq!(world.documents().await, expected);
    assert_eq!(expected.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_called_complete_once_the_end_of_the_log_was_seen() {
    let mut world = World::new();
    let run = Run::of(&hot(&world, world.store()));
    assert_eq!(world.store.mark(MARK).await.unwrap(), None);
    world.story(10).await;
    world.caught_up().await;
    while world.store.mark(MARK).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    run.end().await;
    // A run that keeps everything says nothing of the kind.
    let other = World::new();
    let run = Run::of(&common::projector(world.log(), other.store()));
    other.applied(world.head().await).await;
    run.end().await;
    assert_eq!(other.store.mark(MARK).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_for_a_person_who_was_forgotten_parks_nothing() {
    static RECENT: [&Collection; 1] = [&collections::RECENT];
    let mut world = World::new();
    let user = StreamName::user(UserId(Uuid::from_u128(9)));
    let at_ms = Timestamp(3);
    let reason = ForgetReason::Asked;
    let reservation_id = ReservationId(Uuid::from_u128(8));
    world
        .append(&user, vec![UserForgotten { reason, at_ms }.into()])
        .await;
    let unrecorded = PurchaseUnrecorded {
        reservation_id,
        at_ms,
    };
    world.append(&user, vec![unrecorded.into()]).await;
    let options = Options {
        collections: &RECENT,
        ..Options::default()
    };
    let projector = Projector::new(world.log(), world.store(), Arc::new(SystemClock), options);
    let projector = Arc::new(projector);
    let run = Run::of(&projector);
    world.caught_up().await;
    run.end().await;
    assert!(projector.health().is_green());
    assert!(world.documents().await.is_empty());
}

/// A store that can be exchanged for an empty one under the run, as when Redis comes back with nothing.
struct Losing {
    now: watch::Sender<Arc<dyn ReadStore>>,
    applied: watch::Sender<Option<Position>>,
}

impl Losing {
    fn now(&self) -> Arc<dyn ReadStore> {
        self.now.borrow().clone()
    }

    fn lose(&self, empty: Arc<dyn ReadStore>) {
        self.now.send_replace(empty);
        self.applied.send_replace(None);
    }
}

#[async_trait]
impl ReadStore for Losing {
    async fn apply(&self, of: Generation, changes: Vec<Change>, at: Position) -> Result<(), StoreError> {
        self.now().apply(of, changes, at).await?;
        self.applied.send_replace(Some(at));
        Ok(())
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.now().checkpoint(generation).await
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        self.now().active().await
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        self.now().begin().await
    }
    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.now().activate(generation).await
    }
    async fn get(&self, of: &'static Collection, key: &str) -> Result<Option<Arc<Document>>, StoreError> {
        self.now().get(of, key).await
    }
    async fn get_in(
        &self,
        generation: Generation,
        of: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.now().get_in(generation, of, key).await
    }
    async fn find(&self, of: &'static Collection, query: Query) -> Result<Vec<Arc<Document>>, StoreError> {
        self.now().find(of, query).await
    }
    async fn count(&self, of: &'static Collection) -> Result<u64, StoreError> {
        self.now().count(of).await
    }
    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.applied.subscribe()
    }
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.now().mark(name).await
    }
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.now().set_mark(name, position).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_everything_is_filled_again_without_a_new_event() {
    let mut world = World::new();
    world.story(20).await;
    let losing = Arc::new(Losing {
        now: watch::Sender::new(world.store()),
        applied: watch::Sender::new(None),
    });
    let run = Run::of(&hot(&world, losing.clone()));
    world.caught_up().await;
    let before = world.documents().await;
    let empty = World::new();
    losing.lose(empty.store());
    empty.applied(world.head().await).await;
    run.end().await;
    assert_eq!(empty.documents().await, before);
}
