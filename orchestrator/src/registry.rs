//! Which sagas are at work in this process, and how to reach them.

use contract::{ReservationId, Revision};
use metrics::Gauge;
use ports::Receipt;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

const SHARDS: usize = 16;

/// The sagas at work. A lock is held for one look-up and never over an await.
pub(crate) struct Registry {
    shards: [Mutex<HashMap<ReservationId, Arc<Bell>>>; SHARDS],
    open: Gauge,
}

/// Tells a saga at work that somebody else wrote its stream.
#[derive(Default)]
struct Bell {
    /// One past the highest revision that was heard of.
    heard: AtomicU64,
    rung: Notify,
    /// Of the events that were heard, for when the saga rests.
    receipts: Mutex<Vec<Receipt>>,
}

/// A saga's place in the registry. While it lives, no other task drives the saga.
pub(crate) struct Active {
    registry: Arc<Registry>,
    id: ReservationId,
    bell: Arc<Bell>,
    left: bool,
}

impl Registry {
    pub fn new(open: Gauge) -> Arc<Self> {
        Arc::new(Self {
            shards: Default::default(),
            open,
        })
    }

    /// Enters a saga because of the event at `revision`. `None` when it is at work already: then it is told of
    /// the event. The broker has its receipt when the saga rests: until then, another process would take the
    /// event over from one that dies.
    pub fn enter(
        self: &Arc<Self>,
        id: ReservationId,
        revision: Revision,
        receipt: Receipt,
    ) -> Option<Active> {
        let mut shard = self.shard(id);
        if let Some(bell) = shard.get(&id) {
            bell.heard.fetch_max(revision + 1, Ordering::Relaxed);
            bell.keep(receipt);
            bell.rung.notify_one();
            return None;
        }
        let bell = Arc::new(Bell {
            heard: AtomicU64::new(revision + 1),
            rung: Notify::new(),
            receipts: Mutex::new(vec![receipt]),
        });
        shard.insert(id, bell.clone());
        drop(shard);
        self.open.increment(1.0);
        Some(Active {
            registry: self.clone(),
            id,
            bell,
            left: false,
        })
    }

    fn shard(&self, id: ReservationId) -> MutexGuard<'_, HashMap<ReservationId, Arc<Bell>>> {
        // The last byte is random in every version of UUID. The maps are whole whoever panicked.
        let shard = &self.shards[usize::from(id.0.as_bytes()[15]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    fn receipts(&self) -> MutexGuard<'_, Vec<Receipt>> {
        // A list that is only pushed to and emptied is whole whoever panicked.
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, receipt: Receipt) {
        self.receipts().push(receipt);
    }
}

impl Active {
    /// The saga.
    pub fn id(&self) -> ReservationId {
        self.id
    }

    /// Whether there are events that a saga does not know whose next revision is `next`.
    pub fn has_news(&self, next: Revision) -> bool {
        self.bell.heard.load(Ordering::Relaxed) > next
    }

    /// Waits until somebody wrote the stream behind `next`. Cancel-safe.
    pub async fn news(&self, next: Revision) {
        while !self.has_news(next) {
            self.bell.rung.notified().await;
        }
    }

    /// Leaves the registry, unless there are events behind `next`. After true, an event starts a new task.
    pub fn leave(&mut self, next: Revision) -> bool {
        let mut shard = self.registry.shard(self.id);
        // Under the lock, so that an event is heard either here or by the next task.
        if self.has_news(next) {
            return false;
        }
        self.left = shard.remove(&self.id).is_some();
        drop(shard);
        let receipts = std::mem::take(&mut *self.bell.receipts());
        receipts.into_iter().for_each(Receipt::done);
        true
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if !self.left {
            self.registry.shard(self.id).remove(&self.id);
        }
        self.registry.open.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    fn registry() -> Arc<Registry> {
        Registry::new(Gauge::noop())
    }
    const ID: ReservationId = ReservationId(Uuid::from_u128(7));

    #[test]
    fn a_saga_is_driven_by_one_task_at_a_time() {
        let registry = registry();
        let active = registry.enter(ID, 0, Receipt::none()).unwrap();
        assert!(registry.enter(ID, 0, Receipt::none()).is_none());
        drop(active);
        assert!(registry.enter(ID, 0, Receipt::none()).is_some());
    }

    #[test]
    fn the_broker_is_told_when_the_saga_rests_and_not_when_its_task_dies() {
        let done = Arc::new(AtomicU64::new(0));
        let receipt = || {
            let done = done.clone();
            Receipt::new(move || {
                done.fetch_add(1, Ordering::Relaxed);
            })
        };
        let registry = registry();
        let dies = registry.enter(ID, 0, receipt()).unwrap();
        drop(dies);
        assert_eq!(done.load(Ordering::Relaxed), 0);
        let mut rests = registry.enter(ID, 0, receipt()).unwrap();
        assert!(registry.enter(ID, 1, receipt()).is_none());
        assert!(rests.leave(2));
        assert_eq!(done.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn an_event_that_comes_at_the_last_moment_is_not_lost() {
        let registry = registry();
        let mut active = registry.enter(ID, 0, Receipt::none()).unwrap();
        assert!(!active.has_news(1), "the event that started it is not news");
        assert!(registry.enter(ID, 3, Receipt::none()).is_none());
        assert!(
            !active.leave(3),
            "the event behind revision 3 is still to be seen"
        );
        assert!(active.leave(4));
        assert!(
            registry.enter(ID, 5, Receipt::none()).is_some(),
            "from here on, an event starts a new task"
        );
    }
}
