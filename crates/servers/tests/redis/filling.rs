//! A projector run of its own fills Redis from the log, and fills it again.

use crate::bed::{Base, Log, fill, heard, operate, project, redis, show_key, store, until, version};
use contract::collections::{PARKED, SHOWS, USERS};
use ports::{EventLog, ReadStore};
use servers::redis::FrontedStore;

#[tokio::test(flavor = "multi_thread")]
async fn redis_follows_the_log_by_itself() {
    let (server, mut log) = (redis(), Log::new());
    let (writer, base) = (store(&server, "e"), Base::new());
    for show in 1..=20 {
        log.schedule(show).await;
    }
    let _runs = (fill(&log, writer.clone()), project(&log, base.clone()));
    let reader = FrontedStore::new(store(&server, "e"), base.clone());
    let mut position = log.sell(1, 50).await;
    heard(&*reader, position.0).await;
    until("Redis to serve", async || reader.health().redis_serves).await;
    assert_eq!(version(&*reader, &show_key(1)).await.unwrap(), Some(51));
    assert_eq!(writer.count(&SHOWS).await.unwrap(), 20);
    assert_eq!(
        writer.count(&USERS).await.unwrap() + writer.count(&PARKED).await.unwrap(),
        0
    );
    // The other store is away, and its run with it: Redis goes on.
    base.set_away(true);
    for round in 0..10 {
        position = log.sell(1, 1).await;
        heard(&*reader, position.0).await;
        assert_eq!(version(&*reader, &show_key(1)).await.unwrap(), Some(52 + round));
    }
    base.set_away(false);
    until("the other to catch up", async || {
        *base.applied().borrow() == Some(position)
    })
    .await;
    assert_eq!(version(&*base, &show_key(1)).await.unwrap(), Some(61));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_everything_is_filled_again_without_a_new_event() {
    let (server, mut log) = (redis(), Log::new());
    let (writer, base) = (store(&server, "e"), Base::new());
    for show in 1..=50 {
        log.schedule(show).await;
        log.sell(show, 20).await;
    }
    let position = log.log.head().await.unwrap();
    let _runs = (fill(&log, writer.clone()), project(&log, base.clone()));
    let reader = FrontedStore::new(store(&server, "e"), base.clone());
    let whole = async || reader.health().redis_serves && reader.health().redis.position == position;
    until("all to be there", whole).await;
    for round in 0..4 {
        if round % 2 == 0 {
            operate::<()>(&server, &["FLUSHALL"]);
        } else {
            server.server().kill();
            server.server().begin().unwrap();
        }
        let mut reads = 0;
        until("all to be there again", async || {
            reads += 1;
            let key = show_key(1 + reads % 50);
            assert_eq!(
                version(&*reader, &key).await.unwrap(),
                Some(21),
                "a wrong answer meanwhile"
            );
            whole().await
        })
        .await;
        base.set_away(true);
        until("it to be missed", async || !reader.health().base_alive).await;
        for show in 1..=50 {
            assert_eq!(version(&*reader, &show_key(show)).await.unwrap(), Some(21));
        }
        base.set_away(false);
        until("it to be found", async || reader.health().base_alive).await;
    }
}
