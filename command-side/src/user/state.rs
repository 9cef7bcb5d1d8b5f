//! What a user's stream says. Nothing personal: that is for the read models, sealed.

use contract::{Digest, Event, ReservationId, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// How many purchases are remembered, the newest; bounds the memory of one person. An older one is only ever
/// asked about again when it is cancelled, which needs no memory; readers know purchases by reservation, so even
/// one that is recorded twice is there once.
pub const MAX_PURCHASES: usize = 4_096;

/// Where a purchase stands in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purchase {
    /// It is in the history.
    Recorded,
    /// It was taken out, or must never come in.
    Unrecorded,
}

/// That a person registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub at: Timestamp,
    pub fingerprint: Option<Digest>,
}

/// A user as their stream tells. `Default` is a user who does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(super) registration: Option<Registration>,
    pub(super) forgotten: bool,
    purchases: BTreeMap<ReservationId, Purchase>,
    /// The purchases in the order in which they came; the first is forgotten first.
    order: VecDeque<ReservationId>,
}

impl State {
    /// Moves the state behind an event; those of other aggregates mean nothing to it.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::UserRegistered(event) => {
                let (at, fingerprint) = (event.registered_at_ms, event.fingerprint);
                self.registration = Some(Registration { at, fingerprint });
            }
            Event::UserForgotten(_) => self.forgotten = true,
            Event::PurchaseRecorded(event) => self.remember(event.reservation_id, Purchase::Recorded),
            Event::PurchaseUnrecorded(event) => self.remember(event.reservation_id, Purchase::Unrecorded),
            _ => {}
        }
    }

    fn remember(&mut self, reservation: ReservationId, purchase: Purchase) {
        if self.purchases.insert(reservation, purchase).is_none() {
            self.order.push_back(reservation);
        }
        if self.order.len() > MAX_PURCHASES
            && let Some(oldest) = self.order.pop_front()
        {
            self.purchases.remove(&oldest);
        }
    }

    /// Where a purchase stands; `None` when it is not known.
    pub(super) fn purchase(&self, reservation: ReservationId) -> Option<Purchase> {
        self.purchases.get(&reservation).copied()
    }
}
