//! The payment of a reservation: stream `payment-{reservation_id}`; its events are in `contract::events::payment`.
//!
//! The gateway is the authority over money. What it said is recorded here, once, so that nobody needs to ask it
//! again; [`participant`] does the talking.

mod decide;
pub mod participant;
mod state;
#[cfg(test)]
mod tests;

pub use decide::answer_to_take;
pub use state::State;

use crate::aggregate::Aggregate;
use contract::{Answer, Event, Money, Refusal, ReservationId, Timestamp, refusal::DeclineReason};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Payment;

/// What the gateway did, to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money was taken.
    Captured {
        /// For which reservation.
        reservation_id: ReservationId,
        /// How much.
        amount: Money,
    },
    /// No money was taken, and none will be.
    Declined {
        /// For which reservation.
        reservation_id: ReservationId,
        /// Why.
        reason: DeclineReason,
    },
    /// The payment can no longer be made.
    Voided {
        /// For which reservation.
        reservation_id: ReservationId,
    },
    /// All that was taken was given back.
    Refunded {
        /// For which reservation.
        reservation_id: ReservationId,
    },
}

impl Aggregate for Payment {
    type State = State;
    type Action = Outcome;

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    fn decide(state: &State, outcome: &Outcome, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        Ok(decide::record(state, outcome, now))
    }

    fn answer(state: &State, outcome: &Outcome, _now: Timestamp) -> Answer {
        match outcome {
            Outcome::Captured { .. } | Outcome::Declined { .. } => answer_to_take(state),
            Outcome::Voided { .. } | Outcome::Refunded { .. } => Answer::Done,
        }
    }

    fn is_query(_outcome: &Outcome) -> bool {
        false
    }

    fn creates(_outcome: &Outcome) -> bool {
        true
    }
}
