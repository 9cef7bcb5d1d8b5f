//! What readers of this process see: the active generation and how far it is.
//!
//! One task asks the server, so that what it hears is in order: every 10 ms when something has just moved or
//! somebody has just begun to wait, then less and less often, down to every 100 ms while somebody waits, else every
//! 250 ms. What this process applies or activates itself is seen at once.
//!
//! A generation is believed to be the active one for two seconds after it was heard of. The collections of one that
//! goes out of use stay for ten, so an answer that comes within ten seconds of the hearing was read from a whole
//! generation; later ones are read again ([`View::is_stale`]).

use super::generations::{DROPPED_AFTER, Known, Meta};
use contract::Position;
use ports::{Generation, StoreError};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How long the active generation is believed to be so without having heard of it again.
const BELIEVED_FOR: Duration = Duration::from_secs(2);
/// The server is never asked more often than this.
const FASTEST: Duration = Duration::from_millis(10);
/// How often while somebody waits and nothing moves.
const WAITED_FOR: Duration = Duration::from_millis(100);
/// How often when nobody waits.
const IDLE: Duration = Duration::from_millis(250);

/// The active generation and when that was true.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    pub generation: Generation,
    /// It was active at this moment or later.
    pub at: Instant,
}

#[derive(Default)]
struct Seen {
    active: Option<Active>,
    /// When this process last changed something itself: what was asked before is not to be gone by.
    changed: Option<Instant>,
    /// How often it could not be asked, and why the last time.
    failures: u64,
    failure: String,
}

pub(super) struct View {
    meta: Meta,
    seen: watch::Sender<Seen>,
    applied: watch::Sender<Option<Position>>,
    wake: Notify,
}

impl View {
    pub fn new(meta: Meta) -> Arc<Self> {
        Arc::new(Self {
            meta,
            seen: watch::Sender::default(),
            applied: watch::Sender::default(),
            wake: Notify::new(),
        })
    }

    /// The generation that readers see; asks when that has not been heard of lately.
    pub async fn active(&self) -> Result<Active, StoreError> {
        let mut seen = self.seen.subscribe();
        let failures = seen.borrow().failures;
        loop {
            {
                let seen = seen.borrow_and_update();
                match seen.active {
                    Some(active) if active.at.elapsed() < BELIEVED_FOR => return Ok(active),
                    _ if seen.failures > failures => {
                        return Err(StoreError::Unavailable(seen.failure.clone()));
                    }
                    _ => {}
                }
            }
            self.wake.notify_one();
            let changed = seen.changed().await;
            changed.map_err(|_| StoreError::Unavailable("the read store is closing".into()))?;
        }
    }

    /// Whether what was just read from this generation may have been dropped while it was read.
    pub fn is_stale(active: Active) -> bool {
        active.at.elapsed() >= DROPPED_AFTER
    }

    pub fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.wake.notify_one();
        self.applied.subscribe()
    }

    /// This process has moved a generation to this position.
    pub fn moved(&self, generation: Generation, position: Position) {
        let now = Instant::now();
        self.seen.send_if_modified(|seen| {
            seen.changed = Some(now);
            if seen.active.is_some_and(|active| active.generation == generation) {
                self.applied.send_replace(Some(position));
            }
            false
        });
    }

    /// This process has activated a generation.
    pub fn activated(&self, generation: Generation, checkpoint: Option<Position>) {
        let at = Instant::now();
        self.seen.send_modify(|seen| {
            seen.changed = Some(at);
            seen.active = Some(Active { generation, at });
            self.applied.send_replace(checkpoint);
        });
    }

    /// Asks once. True when something has moved; `None` when the server has nothing.
    async fn look(&self) -> Option<bool> {
        let guess = self.guess();
        let at = Instant::now();
        match self.meta.look(guess).await {
            Ok(Some((generation, known))) => Some(self.heard(Active { generation, at }, &known)),
            Ok(None) => {
                self.failed("there is no generation yet".into());
                None
            }
            Err(failure) => {
                self.failed(failure.why);
                Some(false)
            }
        }
    }

    fn guess(&self) -> Generation {
        self.seen
            .borrow()
            .active
            .map_or(Generation(1), |active| active.generation)
    }

    fn heard(&self, active: Active, known: &Known) -> bool {
        let mut moved = false;
        self.seen.send_modify(|seen| {
            let before = seen.active.map(|before| before.generation);
            // What was asked before our own last change may be older than it.
            let up_to_date = seen.changed.is_none_or(|changed| changed < active.at);
            if !up_to_date && before != Some(active.generation) {
                return;
            }
            seen.active = Some(active);
            moved = self.applied.send_if_modified(|applied| {
                let newer = before != Some(active.generation) || known.checkpoint > *applied;
                // Back only when the server itself went back, in a failover.
                let changes = newer || (up_to_date && known.checkpoint != *applied);
                if changes {
                    *applied = known.checkpoint;
                }
                changes
            });
        });
        moved
    }

    async fn prepare(&self) -> bool {
        let prepared = self.meta.prepare().await;
        if let Err(failure) = &prepared {
            self.failed(failure.why.clone());
        }
        prepared.is_ok()
    }

    fn failed(&self, why: String) {
        self.seen.send_modify(|seen| {
            seen.failures += 1;
            seen.failure = why;
        });
    }
}

/// Keeps asking, until the store is dropped.
pub(super) async fn watch_server(view: Weak<View>) {
    let (mut prepared, mut tidied) = (false, false);
    let mut pace = FASTEST;
    loop {
        let Some(view) = view.upgrade() else { return };
        let began = Instant::now();
        let mut moved = false;
        if !prepared {
            prepared = view.prepare().await;
        }
        if prepared {
            let looked = view.look().await;
            // Nothing: the database was dropped under us.
            prepared = looked.is_some();
            moved = looked == Some(true);
            if prepared && !tidied {
                tidied = true;
                tokio::spawn(view.meta.clone().tidy(view.guess()));
            }
        }
        let slowest = if view.applied.receiver_count() > 0 {
            WAITED_FOR
        } else {
            IDLE
        };
        pace = if moved {
            FASTEST
        } else {
            (pace * 3 / 2).min(slowest)
        };
        tokio::time::sleep_until(began + FASTEST).await;
        tokio::select! {
            () = tokio::time::sleep_until(began + pace) => {}
            () = view.wake.notified() => pace = FASTEST,
        }
    }
}
