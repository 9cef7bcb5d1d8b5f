//! The task of a hub: it looks when the read models moved or when the show begins, tells what is new, and ends when
//! nobody follows, the show is gone or the server closes.

use super::{hub::Hub, standing::Standing};
use crate::app::Shared;
use contract::{Position, ShowId};
use metrics::counter;
use ports::StoreError;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep_until},
};

/// After a look that failed, the next comes so much later, even if the read models do not move.
const RETRY: Duration = Duration::from_secs(1);

/// Ends the hub, whatever ends its task.
struct Keeper {
    reader: Shared,
    id: ShowId,
    hub: Arc<Hub>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.reader.hubs.end(self.id, &self.hub, false);
    }
}

/// Why it is awake.
enum Wake {
    /// There may be news.
    Look,
    /// Nothing was said for a while.
    Quiet,
    /// Somebody has left.
    Left,
}

type Applied = watch::Receiver<Option<Position>>;

/// Keeps a hub until it ends. `applied` was listened to before what the hub began with was read.
pub(super) async fn keep(reader: Shared, id: ShowId, hub: Arc<Hub>, applied: Applied) {
    let keeper = Keeper { reader, id, hub };
    let settings = keeper.reader.app.settings;
    let mut closing = keeper.reader.app.closing.clone();
    select! {
        () = closing.closed() => {}
        () = keeper.run(applied, settings.changes_every, settings.keep_alive) => {}
    }
}

impl Keeper {
    async fn run(&self, mut applied: Applied, every: Duration, keep_alive: Duration) {
        let (mut look_at, mut retry_at) = (Instant::now(), None);
        let mut quiet_at = Instant::now() + keep_alive;
        loop {
            let wake = select! {
                () = self.hub.left.notified() => Wake::Left,
                () = sleep_until(quiet_at) => Wake::Quiet,
                moved = applied.changed() => match moved {
                    Ok(()) => Wake::Look,
                    Err(_) => return,
                },
                () = self.begins(), if retry_at.is_none() => Wake::Look,
                () = passes(retry_at) => Wake::Look,
            };
            match wake {
                Wake::Left | Wake::Quiet if self.reader.hubs.end(self.id, &self.hub, true) => return,
                Wake::Left => {}
                Wake::Quiet => {
                    self.hub.say_alive();
                    quiet_at = Instant::now() + keep_alive;
                }
                Wake::Look => {
                    // What happens until then is told together.
                    sleep_until(look_at).await;
                    look_at = Instant::now() + every;
                    // Marked as seen before the documents are read, so that a change in between wakes us again.
                    applied.borrow_and_update();
                    match self.look().await {
                        Ok(Some(told)) => {
                            retry_at = None;
                            quiet_at = if told {
                                Instant::now() + keep_alive
                            } else {
                                quiet_at
                            };
                        }
                        Ok(None) => return,
                        Err(error) => {
                            self.failed(&error, retry_at.is_some());
                            retry_at = Some(Instant::now() + RETRY);
                        }
                    }
                }
            }
        }
    }

    /// Looks, and tells what is new. True when there was anything; `None` when the hub is to end.
    async fn look(&self) -> Result<Option<bool>, StoreError> {
        let Some(before) = self.hub.standing() else {
            return Ok(None);
        };
        let next = Standing::read(&self.reader.app, self.id, Some(&before)).await?;
        Ok(next.and_then(|next| self.hub.tell(next, self.reader.app.clock.now())))
    }

    /// Followers stay and hear the next change. Told once: it is tried again every second.
    fn failed(&self, error: &StoreError, again: bool) {
        counter!("eventflow_live_failures_total").increment(1);
        if !again {
            tracing::warn!(%error, show = %self.id, "a show that is followed cannot be read");
        }
    }

    /// Returns when the show begins and followers were not told so yet.
    async fn begins(&self) {
        match self.hub.begins_at() {
            Some(at) => self.reader.app.clock.sleep_until(at).await,
            None => pending().await,
        }
    }
}

async fn passes(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
