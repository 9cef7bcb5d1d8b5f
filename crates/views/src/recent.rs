//! A person's latest purchases in one document, for stores that are read by key alone: with it a person can be
//! shown without a search. The whole history is in [`crate::purchase`].

use crate::purchase::{self, Purchase};
use contract::{Event, Revision, UserId};
use serde::{Deserialize, Serialize};

/// How many are kept. More than a reader is shown, so that a few that are taken out again leave no gap.
pub const KEPT: usize = 50;

/// A document of [`contract::collections::RECENT`], under the user's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The newest first; among those of the same moment, the greatest reservation first.
    pub purchases: Vec<Purchase>,
    /// The revision of the last event that is in here.
    pub revision: Revision,
}

/// The latest purchases after an event of their buyer's stream; empty from the registration on.
pub fn evolve(doc: Option<Recent>, user_id: UserId, event: &Event, revision: Revision) -> Option<Recent> {
    match (doc, event) {
        (Some(recent), _) if revision <= recent.revision => Some(recent),
        (None, Event::UserRegistered(_)) => Some(Recent {
            purchases: Vec::new(),
            revision,
        }),
        (_, Event::UserForgotten(_)) => None,
        (Some(mut recent), Event::PurchaseRecorded(recorded)) => {
            recent.revision = revision;
            recent.take_out(recorded.reservation_id);
            if let Some(purchase) = purchase::evolve(None, user_id, event, revision) {
                let newer = |other: &Purchase| {
                    (other.at_ms, other.reservation_id) > (purchase.at_ms, purchase.reservation_id)
                };
                let place = recent.purchases.partition_point(newer);
                recent.purchases.insert(place, purchase);
                recent.purchases.truncate(KEPT);
            }
            Some(recent)
        }
        (Some(mut recent), Event::PurchaseUnrecorded(unrecorded)) => {
            recent.revision = revision;
            recent.take_out(unrecorded.reservation_id);
            Some(recent)
        }
        (doc, _) => doc,
    }
}

impl Recent {
    fn take_out(&mut self, reservation_id: contract::ReservationId) {
        self.purchases
            .retain(|purchase| purchase.reservation_id != reservation_id);
    }
}
