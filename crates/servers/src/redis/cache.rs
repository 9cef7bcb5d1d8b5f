//! What was read from Redis, in this process's memory, for as long as Redis would tell us that it changed
//! (`CLIENT TRACKING`: server-assisted client-side caching).
//!
//! Not the driver's own cache (`cache-aio`), for two reasons. It fills itself after the reply has left the order of
//! the connection, so that an invalidation that follows the reply at once is handled before the old value is put in,
//! which then stays; here a reader takes a ticket before it asks, and what it got is not kept when a change came
//! after the ticket. And it gives out copies of bytes, where this gives out shared documents.

use super::keys::{Lookup, Place};
use quick_cache::{Weighter, sync::Cache};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// An entry is read again after so long, whatever Redis says. Redis tells of every change, and a lost connection
/// empties the cache; this bounds what a proxy that swallows messages could do, at one read a document in so long.
const MAX_AGE: Duration = Duration::from_secs(5);
/// Changes are counted apart for this many groups of keys, so that a change of one show does not keep readers of the
/// others from filling the cache.
const GROUPS: usize = 64;
/// What an entry takes beside its value, about.
const OVERHEAD: u64 = 192;

/// What a value takes in memory, about.
pub(super) trait Weight {
    fn bytes(&self) -> u64;
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    since: Instant,
}

#[derive(Clone)]
struct ByBytes;

impl<V: Weight> Weighter<Place, Entry<V>> for ByBytes {
    fn weight(&self, place: &Place, entry: &Entry<V>) -> u64 {
        OVERHEAD + place.key.len() as u64 + entry.value.bytes()
    }
}

/// How many changes there had been in a key's group when a read began.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

/// A bounded cache of one connection. A new connection begins with a new one.
pub(super) struct ClientCache<V> {
    entries: Cache<Place, Entry<V>, ByBytes>,
    changes: [Mutex<u64>; GROUPS],
}

impl<V: Clone + Weight> ClientCache<V> {
    pub fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / 1_024).unwrap_or(usize::MAX);
        Self {
            entries: Cache::with_weighter(items, bytes, ByBytes),
            changes: std::array::from_fn(|_| Mutex::new(0)),
        }
    }

    pub fn get(&self, place: &Lookup<'_>, now: Instant) -> Option<V> {
        let entry = self.entries.get(place)?;
        (now.saturating_duration_since(entry.since) < MAX_AGE).then_some(entry.value)
    }

    /// To be taken before Redis is asked.
    pub fn ticket(&self, place: &Lookup<'_>) -> Ticket {
        Ticket(*self.group(place.key))
    }

    /// Keeps what Redis said, unless something changed since the ticket.
    pub fn fill(&self, ticket: Ticket, place: &Lookup<'_>, value: V, now: Instant) {
        let changes = self.group(place.key);
        if *changes == ticket.0 {
            self.entries.insert(place.owned(), Entry { value, since: now });
        }
    }

    /// It changed: nobody gets the old value from here on, and nobody puts it back.
    pub fn forget(&self, place: &Lookup<'_>) {
        let mut changes = self.group(place.key);
        *changes = changes.wrapping_add(1);
        self.entries.remove(place);
    }

    /// All changed.
    pub fn clear(&self) {
        for group in &self.changes {
            let mut changes = group.lock().unwrap_or_else(PoisonError::into_inner);
            *changes = changes.wrapping_add(1);
        }
        // Whoever fills from here on asked after the change.
        self.entries.clear();
    }

    /// Keys are ids: their last digit tells them apart well enough.
    fn group(&self, key: &str) -> MutexGuard<'_, u64> {
        let last = key
            .bytes()
            .rev()
            .take(2)
            .fold(0, |sum, byte| sum * 31 + usize::from(byte));
        let [first, ..] = &self.changes;
        let group = self.changes.get(last % GROUPS).unwrap_or(first);
        group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    impl Weight for u32 {
        fn bytes(&self) -> u64 {
            4
        }
    }

    const PLACE: Lookup<'static> = Lookup {
        generation: 1,
        collection: "shows",
        key: "a",
    };

    #[test]
    fn what_changed_after_it_was_asked_for_is_not_kept() {
        let (cache, now) = (ClientCache::new(1 << 20), Instant::now());
        let ticket = cache.ticket(&PLACE);
        cache.forget(&PLACE);
        cache.fill(ticket, &PLACE, 1, now);
        assert_eq!(cache.get(&PLACE, now), None);
        let ticket = cache.ticket(&PLACE);
        cache.clear();
        cache.fill(ticket, &PLACE, 1, now);
        assert_eq!(cache.get(&PLACE, now), None);
        cache.fill(cache.ticket(&PLACE), &PLACE, 2, now);
        assert_eq!(cache.get(&PLACE, now), Some(2));
        cache.forget(&PLACE);
        assert_eq!(cache.get(&PLACE, now), None);
    }

    #[test]
    fn nothing_is_believed_for_longer_than_its_age() {
        let (cache, now) = (ClientCache::new(1 << 20), Instant::now());
        cache.fill(cache.ticket(&PLACE), &PLACE, 1, now);
        assert_eq!(cache.get(&PLACE, now + MAX_AGE / 2), Some(1));
        assert_eq!(cache.get(&PLACE, now + MAX_AGE), None);
    }
}
