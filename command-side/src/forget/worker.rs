//! Completes what was begun: hears that somebody is forgotten and does what follows from it, whoever began it.
//!
//! The broker gives each event to one of the command side's processes and keeps it until that one says it is done.
//! A broker within the process keeps nothing: there a pass over everybody at the start does the same.

use super::complete;
use crate::app::App;
use contract::{Cause, Recorded, StreamKind, UserId};
use ports::{Audience, Events, Heard, Interest, Subscription};
use tokio::sync::watch;

/// What the command sides of all processes share, each event going to one of them.
pub const SUBSCRIPTION: Subscription = Subscription {
    name: "forgetting",
    audience: Audience::Shared,
    interests: &[Interest {
        kind: StreamKind::User,
        events: &["user_forgotten.v1"],
    }],
};
/// The pause before the next try to subscribe.
const SUBSCRIBE_AGAIN_MS: u64 = 1_000;
/// The pause before a person's forgetting is tried again; doubled every time, up to the longest.
const FIRST_PAUSE_MS: u64 = 250;
/// The longest pause.
const LONGEST_PAUSE_MS: u64 = 30_000;

/// Works until `shutdown` turns true. Dropped at any moment it loses nothing that the broker keeps.
pub async fn run(app: App, mut shutdown: watch::Receiver<bool>) {
    tokio::select! {
        _ = shutdown.wait_for(|stop| *stop) => {}
        () = work(&app) => {}
    }
}

async fn work(app: &App) {
    loop {
        match app.broker.subscribe(&SUBSCRIPTION).await {
            Ok(events) => listen(app, events).await,
            Err(error) => tracing::debug!(%error, "the subscription to forgetting is not there yet"),
        }
        rest(app, SUBSCRIBE_AGAIN_MS).await;
    }
}

async fn listen(app: &App, mut events: Events) {
    while let Some(batch) = events.recv().await {
        for Heard { event, receipt, .. } in batch {
            if let Some((StreamKind::User, id)) = event.stream.parts() {
                until_complete(app, UserId(id), &event).await;
            }
            receipt.done();
        }
    }
    tracing::warn!("the broker closed the subscription to forgetting; it is made again");
}

/// Tries until it is done: nothing may keep a person from being forgotten. While it waits, others wait behind; what
/// they wait for is away for them as well.
async fn until_complete(app: &App, user_id: UserId, event: &Recorded) {
    let cause = Cause {
        correlation: user_id.0,
        actor: event.meta().map_or("forgetting".into(), |meta| meta.actor),
        trace: None,
    };
    let mut pause_ms = FIRST_PAUSE_MS;
    while let Err(error) = complete(app, &cause, user_id).await {
        tracing::warn!(%user_id, %error, "forgetting is not complete yet; it is tried again");
        rest(app, pause_ms).await;
        pause_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
    }
}

async fn rest(app: &App, ms: u64) {
    app.clock.sleep_until(app.clock.now().plus_ms(ms)).await;
}
