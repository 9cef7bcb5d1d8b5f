//! Documents that are likely to change again, kept as values so that they are neither read nor parsed for it.

use quick_cache::{Weighter, unsync::Cache};
use views::project::{Doc, Target};

/// Bounded by an estimate of its bytes: a seat map is as large as a hundred shows.
pub(crate) struct DocumentCache {
    cache: Cache<Target, Cached, Bytes>,
}

/// A document with its stored version.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    pub doc: Doc,
    pub version: u64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Target, Cached> for Bytes {
    fn weight(&self, _: &Target, cached: &Cached) -> u64 {
        match &cached.doc {
            Doc::SeatMap(map) => {
                512 + map
                    .sections
                    .iter()
                    .map(|s| 128 + s.states.len() as u64)
                    .sum::<u64>()
            }
            Doc::Show(show) => 1_024 + show.description.as_ref().map_or(0, |text| text.len() as u64),
            Doc::Reservation(reservation) => 1_024 + 64 * reservation.seats.len() as u64,
            Doc::Recent(recent) => 256 + 256 * recent.purchases.len() as u64,
            Doc::User(_) | Doc::Purchase(_) | Doc::Revocation(_) => 512,
        }
    }
}

impl DocumentCache {
    pub fn new(bytes: u64) -> Self {
        Self {
            cache: Cache::with_weighter((bytes / 1_024) as usize, bytes, Bytes),
        }
    }

    /// Takes a document out; it comes back when its change is stored.
    pub fn take(&mut self, target: &Target) -> Option<Cached> {
        self.cache.remove(target).map(|(_, cached)| cached)
    }

    /// Keeps a document, if it is likely to change again.
    pub fn keep(&mut self, target: Target, cached: Cached) {
        let changes_again = match &cached.doc {
            Doc::Show(_) | Doc::SeatMap(_) => true,
            Doc::Reservation(reservation) => reservation.open == 1,
            Doc::Recent(recent) => !recent.purchases.is_empty(),
            Doc::User(_) | Doc::Purchase(_) | Doc::Revocation(_) => false,
        };
        if changes_again {
            self.cache.insert(target, cached);
        }
    }
}
