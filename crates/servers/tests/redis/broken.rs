//! Redis is killed, flushed and silenced at random while shows are on sale: whoever waits for a position sees it.

use crate::bed::{Base, Log, fill, heard, operate, project, redis, show_key, store, until, version};
use contract::Position;
use ports::ReadStore;
use servers::redis::FrontedStore;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

const SHOWS: u128 = 4;
/// How long it goes on.
const FOR: Duration = Duration::from_secs(12);

/// A small generator, so that a run can be repeated by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What was sold: a position, a show, and the version that it has there.
type Sold = (Position, u128, u64);

/// Waits for each position that it hears of, and reads what was sold there. Returns how often, and how often Redis
/// was in charge.
async fn read(
    reader: Arc<FrontedStore>,
    mut sold: watch::Receiver<Sold>,
    worst: Arc<std::sync::Mutex<Duration>>,
) -> (u64, u64) {
    let (mut reads, mut from_redis, mut seen) = (0, 0, [0; SHOWS as usize]);
    while sold.changed().await.is_ok() {
        let (position, show, expected) = *sold.borrow_and_update();
        heard(&*reader, position.0).await;
        from_redis += u64::from(reader.health().redis_serves);
        let began = Instant::now();
        let found = version(&*reader, &show_key(show)).await.unwrap().unwrap();
        let took = began.elapsed();
        let last = &mut seen[show as usize - 1];
        assert!(found >= expected, "{found}, sold {expected} at {position}");
        assert!(
            expected >= *last || found >= *last,
            "{found} after {last} at {position}"
        );
        *last = expected;
        let mut worst = worst.lock().unwrap();
        *worst = (*worst).max(took);
        reads += 1;
    }
    (reads, from_redis)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_redis_nobody_reads_less_than_was_announced() {
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut random = Random(seed);
    let (server, mut log) = (redis(), Log::new());
    let (writer, base) = (store(&server, "e"), Base::new());
    let _runs = (fill(&log, writer.clone()), project(&log, base.clone()));
    let (sold, hears) = watch::channel((Position(0), 1, 1));
    let worst = Arc::new(std::sync::Mutex::new(Duration::ZERO));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            // Processes of their own.
            let reader = FrontedStore::new(store(&server, "e"), base.clone());
            tokio::spawn(read(reader, hears.clone(), worst.clone()))
        })
        .collect();
    drop(hears);
    let selling = tokio::spawn(async move {
        let mut versions = [1; SHOWS as usize];
        for show in 1..=SHOWS {
            let position = log.schedule(show).await;
            sold.send_replace((position, show, 1));
        }
        let began = Instant::now();
        while began.elapsed() < FOR {
            for show in 1..=SHOWS {
                let position = log.sell(show, 3).await;
                versions[show as usize - 1] += 3;
                sold.send_replace((position, show, versions[show as usize - 1]));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        (log, versions)
    });
    let mut done = vec![];
    while !selling.is_finished() {
        tokio::time::sleep(Duration::from_millis(100 + random.below(900))).await;
        match random.below(4) {
            0 => {
                server.server().kill();
                tokio::time::sleep(Duration::from_millis(random.below(700))).await;
                server.server().begin().unwrap();
                done.push("killed");
            }
            1 => {
                operate::<()>(&server, &["FLUSHALL"]);
                done.push("flushed");
            }
            2 => {
                server.server().pause();
                tokio::time::sleep(Duration::from_millis(random.below(1_200))).await;
                server.server().resume();
                done.push("silenced");
            }
            _ => {
                operate::<()>(&server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                done.push("disconnected");
            }
        }
    }
    let (log, versions) = selling.await.unwrap();
    let (mut reads, mut from_redis) = (0, 0);
    for reader in readers {
        let (all, some) = reader.await.unwrap();
        (reads, from_redis) = (reads + all, from_redis + some);
    }
    println!(
        "{reads} reads, {from_redis} with Redis in charge, worst {:?}; {done:?}",
        worst.lock().unwrap()
    );
    assert!(reads > 500 && from_redis > 50);
    // In the end Redis has it all, alone.
    let head = ports::EventLog::head(&*log.log).await.unwrap();
    until("Redis to catch up", async || *writer.applied().borrow() == head).await;
    for show in 1..=SHOWS {
        let sold = Some(versions[show as usize - 1]);
        until("all that was sold to be there", async || {
            // The last break may not be mended yet.
            version(&*writer, &show_key(show))
                .await
                .is_ok_and(|found| found == sold)
        })
        .await;
    }
}
