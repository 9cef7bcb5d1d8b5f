//! What travels along the chain of responsibility.

use contract::{
    Cause, CommandId, Digest, Money, Position, ReservationId, ShowId, Timestamp, UserId,
    commands::Quote,
    events::{Choice, ReservationRequested},
};

/// A buyer's order. It comes from the HTTP side with what was asked for; the links of the chain add what they
/// find out.
#[derive(Clone, Debug)]
pub struct Order {
    /// The reservation to be.
    pub reservation_id: ReservationId,
    /// Who buys.
    pub user_id: UserId,
    /// For which show.
    pub show_id: ShowId,
    /// Which tickets.
    pub choice: Choice,
    /// What the payment gateway is told.
    pub payment_token: String,
    /// How long the buyer waits in line when all tickets are held by others.
    pub line_until_ms: Timestamp,
    /// How long the buyer waits for an answer.
    pub answer_until_ms: Timestamp,
    /// What was asked under an idempotency key.
    pub fingerprint: Option<Digest>,
    /// Why.
    pub cause: Cause,
    /// What the show says to the choice: added by `ValidateData`. None when the show could not be asked; then the
    /// links that judge the quote pass the order on, and the saga judges it.
    pub quote: Option<Quote>,
    /// The buyer said that they exist: added by `ValidateData`.
    pub user_exists: bool,
    /// What it costs: added by `PriceOrder`.
    pub price: Option<Money>,
    /// The reservation, once it is made: added by `CreateReservation`.
    pub created: Option<Created>,
}

/// A reservation that exists, or will as soon as the log is back.
#[derive(Clone, Debug)]
pub struct Created {
    /// True when it was made by an equal order before.
    pub repeated: bool,
    /// The event that made it, as this order would have it.
    pub request: ReservationRequested,
    /// Where its last event stands in the log.
    pub position: Option<Position>,
}

impl Order {
    /// The id of a command that this order sends.
    pub fn command(&self, name: &str) -> CommandId {
        CommandId(self.reservation_id.0).derived(name)
    }
}
