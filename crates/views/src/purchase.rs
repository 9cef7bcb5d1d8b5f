//! One purchase in a person's history.

use contract::{Event, Money, ReservationId, Revision, ShowId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A document of [`contract::collections::PURCHASES`], under the reservation's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Whose.
    pub user_id: UserId,
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The show.
    pub show_id: ShowId,
    /// The show's name when it was bought.
    pub show_name: String,
    /// The show's category when it was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many tickets.
    pub quantity: u32,
    /// What they cost together.
    pub amount: Money,
    /// When it entered the history.
    pub at_ms: Timestamp,
}

/// The purchase after an event of its buyer's stream: there once recorded, gone once unrecorded. The event does
/// not say whose stream it is in, so `user_id` does.
pub fn evolve(doc: Option<Purchase>, user_id: UserId, event: &Event, _: Revision) -> Option<Purchase> {
    match event {
        Event::PurchaseRecorded(recorded) => Some(Purchase {
            user_id,
            reservation_id: recorded.reservation_id,
            show_id: recorded.show_id,
            show_name: recorded.show_name.clone(),
            category: recorded.category.clone(),
            quantity: recorded.quantity,
            amount: recorded.amount,
            at_ms: recorded.at_ms,
        }),
        Event::PurchaseUnrecorded(_) => None,
        _ => doc,
    }
}
