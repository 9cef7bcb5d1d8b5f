//! Turns: those who want the same thing, one after another; all others at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use uuid::Uuid;

/// How many maps share the load; a power of two.
const SHARDS: usize = 16;

type Shard = Mutex<HashMap<Uuid, Arc<Gate<()>>>>;

/// One turn at a time for each id. Holds an entry for each id that somebody has or awaits, and no other: the
/// number of requests in flight bounds it.
#[derive(Default)]
pub struct Turns {
    shards: [Shard; SHARDS],
}

impl Turns {
    /// Waits until it is the caller's turn, which ends when the result is dropped. First come, first served.
    pub async fn take(&self, id: Uuid) -> Turn<'_> {
        let shard = &self.shards[usize::from(id.as_bytes()[15]) % SHARDS];
        let gate = lock(shard).entry(id).or_default().clone();
        // Made before the wait, so that whoever stops waiting is cleaned up after as well.
        let place = Place { shard, id };
        let held = gate.lock_owned().await;
        Turn {
            _held: held,
            _place: place,
        }
    }
}

/// It is the holder's turn. The fields are dropped in this order: first the gate, then the place.
pub struct Turn<'a> {
    _held: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

struct Place<'a> {
    shard: &'a Shard,
    id: Uuid,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut gates = lock(self.shard);
        // Whoever else has or awaits a turn owns a clone of the gate, taken under this lock.
        if gates
            .get(&self.id)
            .is_some_and(|gate| Arc::strong_count(gate) == 1)
        {
            gates.remove(&self.id);
        }
    }
}

fn lock(shard: &Shard) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Gate<()>>>> {
    // Nothing can panic between a change and its end, so a poisoned map is still whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn the_same_id_waits_and_another_does_not() {
        let turns = Turns::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(17));
        let first = turns.take(one).await;
        assert!(turns.take(one).now_or_never().is_none());
        assert!(turns.take(other).now_or_never().is_some());
        drop(first);
        assert!(turns.take(one).now_or_never().is_some());
    }

    #[tokio::test]
    async fn nothing_is_kept_when_nobody_waits_any_more() {
        let turns = Turns::default();
        let id = Uuid::from_u128(1);
        let first = turns.take(id).await;
        assert!(turns.take(id).now_or_never().is_none());
        drop(first);
        assert!(turns.shards.iter().all(|shard| lock(shard).is_empty()));
    }
}
