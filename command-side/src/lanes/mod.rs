//! Lanes: one writer at a time for every aggregate, and many decisions for one append.
//!
//! A lane is one task. It owns the cached state of the aggregates whose ids hash to it, takes what its mailbox
//! holds, decides one command after another against the evolving state, appends once per stream with the
//! expected revision, and answers when that is durable. While an append is on its way the mailbox fills again:
//! the busier a show, the larger its batches, which is why a hot show is no slower than many cold ones.
//!
//! Deliberately absent: locks (the task is the lock), and trust in the cache (the expected revision is what
//! makes a decision right; a stale cache costs a reload and a second decision).

mod batch;
mod cache;
mod lane;
mod line;
mod served;
#[cfg(test)]
mod tests;

pub use served::Served;

use crate::{reservation::Reservation, show::Show, user::User};
use lane::Lane;
use ports::{Broker, BrokerError, Clock, EventLog, Snapshots};
use std::sync::Arc;
use tokio::{sync::watch, task::JoinSet};

/// What a lane needs from outside.
#[derive(Clone)]
pub struct LanePorts {
    /// Where events go.
    pub log: Arc<dyn EventLog>,
    /// Shortcuts past long streams.
    pub snapshots: Arc<dyn Snapshots>,
    /// The time by which is decided.
    pub clock: Arc<dyn Clock>,
}

/// The limits of a lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// How many commands are decided before an append.
    pub batch: usize,
    /// How many may wait in line for one show; the next is told to come back.
    pub line: usize,
    /// How often a command is decided anew after conflicts before its asker is told to come back.
    pub attempts: u8,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self {
            batch: 512,
            line: 10_000,
            attempts: 8,
        }
    }
}

/// Starts the lanes of users, shows and reservations. They end, each after answering what it has begun, when
/// `shutdown` turns true or their mailboxes close.
///
/// # Errors
/// When the broker does not give the mailboxes.
pub async fn start(
    ports: &LanePorts,
    limits: LaneLimits,
    broker: &Arc<dyn Broker>,
    shutdown: &watch::Receiver<bool>,
) -> Result<JoinSet<()>, BrokerError> {
    let mut tasks = JoinSet::new();
    serve::<User>(ports, limits, broker, shutdown, &mut tasks).await?;
    serve::<Show>(ports, limits, broker, shutdown, &mut tasks).await?;
    serve::<Reservation>(ports, limits, broker, shutdown, &mut tasks).await?;
    Ok(tasks)
}

async fn serve<A: Served>(
    ports: &LanePorts,
    limits: LaneLimits,
    broker: &Arc<dyn Broker>,
    shutdown: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(), BrokerError> {
    for mailbox in broker.serve(A::KIND).await? {
        let lane = Lane::<A>::new(ports.clone(), limits, mailbox);
        tasks.spawn(lane.run(shutdown.clone()));
    }
    Ok(())
}
