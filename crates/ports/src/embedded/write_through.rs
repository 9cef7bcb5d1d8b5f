//! A bounded cache in front of a file with one writer, that is never behind what was committed.
//!
//! The writer puts what it committed into the cache before anybody hears of the commit. The danger is a reader that
//! took an old value from the file, was overtaken by a commit, and then fills the cache with what it has: so a
//! reader takes a ticket before it reads, and its value is not kept when a commit came after the ticket.

use quick_cache::{Equivalent, Weighter, sync::Cache};
use std::{
    hash::Hash,
    sync::{PoisonError, RwLock},
};

/// How many commits there had been when a read began.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

pub(super) struct WriteThrough<K, V, W> {
    entries: Cache<K, V, W>,
    commits: RwLock<u64>,
}

impl<K: Eq + Hash, V: Clone, W: Weighter<K, V> + Clone> WriteThrough<K, V, W> {
    /// A cache for so many items of so much weight together.
    pub(super) fn new(items: usize, weight: u64, weighter: W) -> Self {
        Self {
            entries: Cache::with_weighter(items, weight, weighter),
            commits: RwLock::new(0),
        }
    }

    pub(super) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.entries.get(key)
    }

    /// To be taken before the file is read.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(*self.commits.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what was read from the file, unless something was committed since the ticket.
    pub(super) fn fill(&self, ticket: Ticket, key: K, value: V) {
        let commits = self.commits.read().unwrap_or_else(PoisonError::into_inner);
        if *commits == ticket.0 {
            self.entries.insert(key, value);
        }
    }

    /// For the writer, after a commit and before anybody hears of it: sets and removes what the commit did.
    pub(super) fn committed(&self, update: impl FnOnce(&Cache<K, V, W>)) {
        let mut commits = self.commits.write().unwrap_or_else(PoisonError::into_inner);
        *commits = commits.wrapping_add(1);
        update(&self.entries);
    }
}
