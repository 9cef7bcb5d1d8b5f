//! The fault matrix: every server and every role killed, and paused for ten seconds, in the middle of an on-sale.
//!
//! Prints the table of `docs/RELIABILITY.md`. `FAULT_SEED` repeats a run's choices; names given on the command line
//! choose rows (`cargo test --release -p acceptance --test faults -- rabbitmq`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{
    Story,
    buyers::{Crowd, line, until},
    ready, stories, tell, verify,
};
use stack::{
    Server,
    platform::{Platform, Shape},
};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// How many buy at once.
const BUYERS: usize = 12;
/// How long the sale goes well before the fault.
const BEFORE: Duration = Duration::from_millis(1_500);
/// How long a killed process stays away.
const AWAY: Duration = Duration::from_secs(2);
/// How long a paused one is paused.
const PAUSED: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
enum Fault {
    Kill,
    Pause,
}

/// Breaks one process in the middle of an on-sale, brings it back, and holds the platform to everything it said.
async fn in_mid_on_sale(platform: &Platform, name: &str, victim: &Server, fault: Fault) {
    let crowd_name = format!("{}-{}-", name.to_lowercase().replace(' ', "-"), fault as u8);
    let crowd = Crowd::gather(platform, &crowd_name, 3).await;
    let broken = async {
        until("the sale", async || crowd.confirmed() > 20).await;
        tokio::time::sleep(BEFORE).await;
        crowd.take_told();
        match fault {
            Fault::Kill => {
                victim.kill();
                tokio::time::sleep(AWAY).await;
                victim.spawn().unwrap();
            }
            Fault::Pause => {
                victim.pause();
                tokio::time::sleep(PAUSED).await;
                victim.resume();
            }
        }
        let back = Instant::now();
        // Everybody who sells and everything that is read is well again …
        until("a sale after the fault", async || {
            crowd.last_sale().is_some_and(|sale| sale > back)
        })
        .await;
        let selling = crowd.last_sale().map_or(Duration::ZERO, |sale| sale - back);
        ready(platform).await;
        // … and goes on so for a moment.
        let before = crowd.confirmed();
        until("more sales", async || crowd.confirmed() > before + 20).await;
        crowd.enough();
        selling
    };
    let (selling, (), reads) = futures_util::join!(broken, crowd.buy(platform, BUYERS), crowd.read(platform));
    let told = crowd.take_told();
    let settling = Instant::now();
    crowd.settle(platform).await;
    let settled = settling.elapsed();
    crowd.check(platform).await;
    verify(platform).await;
    let fault = match fault {
        Fault::Kill => "kill -9",
        Fault::Pause => "SIGSTOP 10 s",
    };
    println!(
        "| {name} | {fault} | {} | {} | {:.1} s | {:.1} s | {} |",
        line(&told),
        line(&reads),
        selling.as_secs_f64(),
        settled.as_secs_f64(),
        crowd.confirmed(),
    );
}

macro_rules! rows {
    ($($killed:ident, $paused:ident: $name:literal, $victim:expr;)+) => {
        $(
            async fn $killed(platform: &Platform) {
                let victim: fn(&Platform) -> &Server = $victim;
                in_mid_on_sale(platform, $name, victim(platform), Fault::Kill).await;
            }
            async fn $paused(platform: &Platform) {
                let victim: fn(&Platform) -> &Server = $victim;
                in_mid_on_sale(platform, $name, victim(platform), Fault::Pause).await;
            }
        )+
        const STORIES: &[Story] = stories![$($killed, $paused),+];
    };
}

rows! {
    eventstore_killed, eventstore_paused: "EventStoreDB endpoint", |platform| &platform.eventstore;
    rabbitmq_killed, rabbitmq_paused: "RabbitMQ", |platform| platform.rabbitmq.server();
    mongodb_killed, mongodb_paused: "MongoDB", |platform| platform.mongodb.server();
    redis_killed, redis_paused: "Redis", |platform| platform.redis.server();
    command_side_killed, command_side_paused: "command side", |platform| &platform.command_side[0];
    query_side_killed, query_side_paused: "query side", |platform| &platform.query_side[0];
    projector_killed, projector_paused: "projector", |platform| &platform.projectors[0];
    orchestrator_killed, orchestrator_paused: "orchestrator", |platform| &platform.orchestrators[0];
    gateway_killed, gateway_paused: "payment gateway", |platform| &platform.gateway;
}

fn main() -> ExitCode {
    println!(
        "| what | fault | what buyers were told from the fault on | reads | selling again after | settled within | confirmed |"
    );
    println!("|---|---|---|---|---|---|---|");
    tell(Shape::default(), &[], STORIES)
}
