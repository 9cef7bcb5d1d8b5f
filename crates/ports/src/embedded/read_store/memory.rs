//! Documents in memory, by generation, collection and key. The writer puts in what it committed, before `apply`
//! returns; readers put in what they had to fetch, unless a commit came between. So nothing here is ever older than
//! what was applied.
//!
//! Shows have room of their own: they are few, everybody looks at them, and a flood of reservations must not push
//! them out.

use super::ReadStoreOptions;
use crate::{
    Change, Document, Generation,
    embedded::write_through::{Ticket, WriteThrough},
};
use contract::collections::{Collection, SHOWS};
use quick_cache::{Equivalent, Weighter};
use std::sync::Arc;

/// What a document takes beside its key and body, about.
const DOCUMENT_OVERHEAD: u64 = 192;
/// What a document has, about; only a hint for the first size of the tables.
const USUAL_BYTES: u64 = 1_024;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    generation: u32,
    collection: &'static str,
    key: String,
}

/// A place that is only looked up. Hashes as [`Place`] does.
#[derive(Hash)]
struct Lookup<'a> {
    generation: u32,
    collection: &'static str,
    key: &'a str,
}

impl Equivalent<Place> for Lookup<'_> {
    fn equivalent(&self, place: &Place) -> bool {
        self.key == place.key && self.generation == place.generation && self.collection == place.collection
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Place, Arc<Document>> for Bytes {
    fn weight(&self, _place: &Place, document: &Arc<Document>) -> u64 {
        weight(document)
    }
}

pub(super) fn weight(document: &Document) -> u64 {
    2 * document.key.len() as u64 + document.body.len() as u64 + DOCUMENT_OVERHEAD
}

type Documents = WriteThrough<Place, Arc<Document>, Bytes>;

pub(super) struct Memory {
    shows: Documents,
    others: Documents,
    shows_bytes: u64,
}

impl Memory {
    pub(super) fn new(options: ReadStoreOptions) -> Self {
        let documents = |bytes: u64| {
            let items = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX);
            WriteThrough::new(items, bytes, Bytes)
        };
        Self {
            shows: documents(options.shows_bytes),
            others: documents(options.others_bytes),
            shows_bytes: options.shows_bytes,
        }
    }

    pub(super) fn shows_bytes(&self) -> u64 {
        self.shows_bytes
    }

    fn of(&self, collection: &'static Collection) -> &Documents {
        if is_show(collection) {
            &self.shows
        } else {
            &self.others
        }
    }

    pub(super) fn get(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Option<Arc<Document>> {
        self.of(collection).get(&Lookup {
            generation: generation.0,
            collection: collection.name,
            key,
        })
    }

    /// To be taken before the file is read.
    pub(super) fn ticket(&self, collection: &'static Collection) -> Ticket {
        self.of(collection).ticket()
    }

    /// Keeps what was read from the file, unless something was committed since the ticket.
    pub(super) fn fill(
        &self,
        ticket: Ticket,
        generation: Generation,
        collection: &'static Collection,
        document: Arc<Document>,
    ) {
        self.of(collection).fill(
            ticket,
            place(generation, collection, document.key.clone()),
            document,
        );
    }

    /// Takes over what was committed.
    pub(super) fn committed(&self, generation: Generation, changes: Vec<Change>) {
        let (shows, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| match change {
            Change::Put { collection, .. } | Change::Delete { collection, .. } => is_show(collection),
        });
        for (documents, changes) in [(&self.shows, shows), (&self.others, others)] {
            if changes.is_empty() {
                continue;
            }
            documents.committed(|cache| {
                for change in changes {
                    match change {
                        Change::Put { collection, document } => {
                            cache.insert(place(generation, collection, document.key.clone()), document);
                        }
                        Change::Delete { collection, key } => {
                            cache.remove(&place(generation, collection, key));
                        }
                    }
                }
            });
        }
    }

    /// Forgets a generation. Its number is never used again, so this only gives room back.
    pub(super) fn forget(&self, generation: Generation) {
        for documents in [&self.shows, &self.others] {
            documents.committed(|cache| cache.retain(|place, _| place.generation != generation.0));
        }
    }
}

fn is_show(collection: &Collection) -> bool {
    collection.name == SHOWS.name
}

fn place(generation: Generation, collection: &'static Collection, key: String) -> Place {
    Place {
        generation: generation.0,
        collection: collection.name,
        key,
    }
}
