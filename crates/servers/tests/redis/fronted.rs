//! Redis in front of another store, when one or both are in trouble.

use crate::bed::{Base, heard, operate, redis, show, store, until, version};
use contract::{
    Position,
    collections::{RESERVATIONS, SHOWS},
};
use ports::{Generation, Query, ReadStore, StoreError};
use servers::redis::{COMPLETE, FrontedStore, RedisStore};
use stack::redis::Redis;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Two stores, and the one that readers use.
struct World {
    server: Redis,
    redis: Arc<RedisStore>,
    base: Arc<Base>,
    fronted: Arc<FrontedStore>,
    base_generation: Generation,
}

impl World {
    async fn new() -> Self {
        let server = redis();
        // The writer's process and the reader's.
        let (redis, base) = (store(&server, "e"), Base::new());
        let fronted = FrontedStore::new(store(&server, "e"), base.clone());
        let base_generation = base.active().await.unwrap();
        let world = Self {
            server,
            redis,
            base,
            fronted,
            base_generation,
        };
        world.both(1).await;
        world.serving().await;
        world
    }

    async fn redis_at(&self, position: u64) {
        let active = self.redis.active().await.unwrap();
        let change = vec![show("a", position)];
        self.redis
            .apply(active, change, Position(position))
            .await
            .unwrap();
        self.redis.set_mark(COMPLETE, Position(position)).await.unwrap();
    }

    async fn base_at(&self, position: u64) {
        let (of, change) = (self.base_generation, vec![show("a", position)]);
        self.base
            .store
            .apply(of, change, Position(position))
            .await
            .unwrap();
    }

    async fn both(&self, position: u64) {
        self.redis_at(position).await;
        self.base_at(position).await;
        heard(&*self.fronted, position).await;
    }

    async fn serving(&self) {
        until("Redis to serve", async || self.fronted.health().redis_serves).await;
    }

    async fn version(&self) -> Option<u64> {
        version(&*self.fronted, "a").await.unwrap()
    }

    fn announced(&self) -> Option<u64> {
        self.fronted.applied().borrow().map(|position| position.0)
    }
}

fn all() -> Query {
    Query {
        filters: vec![],
        order: None,
        after: None,
        limit: 10,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_have_is_announced_and_found() {
    let world = World::new().await;
    for position in 2..=100 {
        if position % 2 == 0 {
            world.redis_at(position).await;
            assert_eq!(world.announced(), Some(position - 1));
            world.base_at(position).await;
        } else {
            world.base_at(position).await;
            world.redis_at(position).await;
        }
        heard(&*world.fronted, position).await;
        assert_eq!(world.version().await, Some(position));
    }
    assert_eq!(version(&*world.fronted, "missing").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_other_store_hot_documents_come_from_redis() {
    let world = World::new().await;
    world.base.set_away(true);
    until("it to be missed", async || !world.fronted.health().base_alive).await;
    assert_eq!(world.version().await, Some(1));
    assert_eq!(
        version(&*world.fronted, "missing").await.unwrap(),
        None,
        "Redis is complete"
    );
    let away = world.fronted.get(&RESERVATIONS, "r").await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
    assert!(world.fronted.find(&SHOWS, all()).await.is_err());
    // Redis alone moves on, and readers may wait for it.
    for position in 2..=20 {
        world.redis_at(position).await;
        heard(&*world.fronted, position).await;
        assert_eq!(world.version().await, Some(position));
    }
    // It comes back behind what was announced: it does not answer before it has caught up.
    world.base.set_away(false);
    until("it to be found", async || world.fronted.health().base_alive).await;
    assert!(world.fronted.get(&RESERVATIONS, "r").await.is_err());
    assert_eq!((world.version().await, world.announced()), (Some(20), Some(20)));
    world.base_at(20).await;
    assert_eq!(world.fronted.get(&RESERVATIONS, "r").await.unwrap(), None);
    world.both(21).await;
    assert_eq!(world.version().await, Some(21));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_catch_up_is_believed_again_after_a_while() {
    let world = World::new().await;
    world.base.set_away(true);
    world.redis_at(9).await;
    heard(&*world.fronted, 9).await;
    world.server.server().kill();
    world.base.set_away(false);
    until("it to be found", async || world.fronted.health().base_alive).await;
    assert!(
        version(&*world.fronted, "a").await.is_err(),
        "a read older than what was announced"
    );
    let took = until("the announcement to be taken back", async || {
        version(&*world.fronted, "a").await.is_ok()
    })
    .await;
    assert!(took > Duration::from_secs(3), "{took:?}");
    assert_eq!((world.version().await, world.announced()), (Some(1), Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_away_readers_are_turned_away() {
    let world = World::new().await;
    world.base.set_away(true);
    world.server.server().kill();
    until("reads to fail", async || {
        version(&*world.fronted, "a").await.is_err()
    })
    .await;
    let began = Instant::now();
    let error = version(&*world.fronted, "a").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert!(began.elapsed() < Duration::from_millis(250));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_costs_no_reader_anything() {
    let world = World::new().await;
    for round in 0..5 {
        assert_eq!(world.version().await, Some(1 + round));
        world.server.server().kill();
        let until_noticed = Instant::now();
        while world.fronted.health().redis_serves || until_noticed.elapsed() < Duration::from_millis(50) {
            let began = Instant::now();
            assert_eq!(world.version().await, Some(1 + round));
            assert!(
                began.elapsed() < Duration::from_millis(250),
                "{:?}",
                began.elapsed()
            );
        }
        // The other store alone is waited for, once Redis is missed.
        world.base_at(2 + round).await;
        heard(&*world.fronted, 2 + round).await;
        assert_eq!(world.version().await, Some(2 + round));
        world.server.server().begin().unwrap();
        until("the writer to connect", async || world.redis.ping().await.is_ok()).await;
        // It is empty, and then it has a little: nothing of that may be taken for all.
        let active = world.redis.active().await.unwrap();
        assert_eq!(world.version().await, Some(2 + round));
        world
            .redis
            .apply(active, vec![show("b", 1)], Position(2 + round))
            .await
            .unwrap();
        assert_eq!(world.version().await, Some(2 + round));
        assert!(!world.fronted.health().redis_serves);
        world.redis_at(2 + round).await;
        world.serving().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_being_filled_does_not_say_what_is_missing() {
    let world = World::new().await;
    operate::<()>(&world.server, &["FLUSHALL"]);
    until("the loss to be noticed", async || {
        world.fronted.health().redis.position.is_none()
    })
    .await;
    let active = world.redis.active().await.unwrap();
    world
        .redis
        .apply(active, vec![show("b", 1)], Position(1))
        .await
        .unwrap();
    until("Redis to be where it was", async || {
        world.fronted.health().redis.position == Some(Position(1))
    })
    .await;
    world.base.set_away(true);
    until("the base to be missed", async || {
        !world.fronted.health().base_alive
    })
    .await;
    for _ in 0..20 {
        let found = version(&*world.fronted, "a").await;
        assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
        assert!(!world.fronted.health().redis_serves);
        // Longer than Redis is left alone after a failure.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    world.redis.set_mark(COMPLETE, Position(1)).await.unwrap();
    world.serving().await;
    assert_eq!(version(&*world.fronted, "a").await.unwrap(), None);
    assert_eq!(version(&*world.fronted, "b").await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_redis_costs_readers_a_moment_once() {
    let world = World::new().await;
    // Not in memory: otherwise nobody would notice.
    operate::<()>(
        &world.server,
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    );
    until("the writer to connect", async || world.redis.ping().await.is_ok()).await;
    world.serving().await;
    world.server.server().pause();
    let (mut slow, mut worst) = (0, Duration::ZERO);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        let one = Instant::now();
        assert_eq!(world.version().await, Some(1));
        worst = worst.max(one.elapsed());
        slow += usize::from(one.elapsed() > Duration::from_millis(50));
    }
    assert!(
        slow <= 2 && worst < Duration::from_millis(400),
        "{slow} slow reads, {worst:?} at worst"
    );
    world.base_at(2).await;
    heard(&*world.fronted, 2).await;
    assert_eq!(world.version().await, Some(2));
    world.server.server().resume();
    until("the writer to connect", async || world.redis.ping().await.is_ok()).await;
    world.both(3).await;
    world.serving().await;
    assert_eq!(world.version().await, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_nobody_fills_any_more_is_not_waited_for() {
    let world = World::new().await;
    world.base_at(2).await;
    // No writer moves Redis; whoever waits for the position gets it all the same.
    let took = until("the position", async || world.announced() == Some(2)).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(world.version().await, Some(2));
    world.base_at(3).await;
    heard(&*world.fronted, 3).await;
    assert_eq!(world.version().await, Some(3));
    world.redis_at(3).await;
    world.serving().await;
    assert_eq!(world.version().await, Some(3));
}
