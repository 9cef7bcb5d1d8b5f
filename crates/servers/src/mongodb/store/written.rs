//! Which documents this process has written, so that new ones can be inserted.
//!
//! A server looks for a document before it replaces it, and an insert spares it that: on the server of the tests an
//! insert costs half of an upsert, and most changes of an on-sale are new documents. What is not known here is taken
//! for new; when that is wrong, the transaction runs again with upserts, and for a while nothing is taken for new.

use contract::collections::{PURCHASES, RESERVATIONS, USERS};
use ports::Generation;
use quick_cache::sync::Cache;
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// How many documents are remembered. Those that change again do so within seconds of being made.
const REMEMBERED: usize = 65_536;
/// For how many parts nothing is taken for new after a mistake: old documents are being changed, one after another.
const CAUTIOUS_FOR: u32 = 64;

/// What this process has written.
pub(super) struct Written {
    /// By a hash of generation, collection and key: two that meet cost one upsert.
    known: Cache<u64, ()>,
    hashing: RandomState,
    cautious: AtomicU32,
}

impl Written {
    pub fn new() -> Self {
        Self {
            known: Cache::new(REMEMBERED),
            hashing: RandomState::new(),
            cautious: AtomicU32::new(0),
        }
    }

    /// Whether the document was not written before, as far as can be told.
    pub fn seems_new(&self, generation: Generation, collection: &str, key: &str) -> bool {
        grows(collection)
            && self.cautious.load(Relaxed) == 0
            && self.known.get(&self.hash(generation, collection, key)).is_none()
    }

    /// It was written.
    pub fn remember(&self, generation: Generation, collection: &str, key: &str) {
        if grows(collection) {
            self.known.insert(self.hash(generation, collection, key), ());
        }
    }

    /// A part was applied.
    pub fn applied(&self) {
        // Two at once may both count down from one, and the counter must not go round.
        let _ = self
            .cautious
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
    }

    /// A document that was taken for new was there.
    pub fn mistaken(&self) {
        self.cautious.store(CAUTIOUS_FOR, Relaxed);
    }

    fn hash(&self, generation: Generation, collection: &str, key: &str) -> u64 {
        self.hashing.hash_one((generation, collection, key))
    }
}

/// Collections that grow with every purchase; of all others most changes are of documents that exist.
fn grows(collection: &str) -> bool {
    [RESERVATIONS.name, PURCHASES.name, USERS.name].contains(&collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_new_once_in_each_generation() {
        let written = Written::new();
        let new = |generation| written.seems_new(Generation(generation), "reservations", "1");
        assert!(new(1));
        written.remember(Generation(1), "reservations", "1");
        assert!(!new(1));
        assert!(new(2));
        assert!(!written.seems_new(Generation(1), "shows", "1"));
    }

    #[test]
    fn after_a_mistake_nothing_is_taken_for_new_for_a_while() {
        let written = Written::new();
        written.mistaken();
        for _ in 0..CAUTIOUS_FOR {
            assert!(!written.seems_new(Generation(1), "purchases", "1"));
            written.applied();
        }
        assert!(written.seems_new(Generation(1), "purchases", "1"));
    }
}
