//! A reservation: stream `reservation-{id}`, which is also its saga's memory; its events are in
//! `contract::events::reservation`.
//!
//! Two write this stream: this aggregate what people want (request, cancel, resume), the orchestrator what became
//! of it. The expected revision keeps them apart, and each looks again when the other was faster.

mod decide;
mod state;
#[cfg(test)]
mod tests;

pub use state::State;

use crate::aggregate::Aggregate;
use contract::{Answer, Event, Refusal, Timestamp, commands::ReservationAction};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Reservation;

impl Aggregate for Reservation {
    type State = State;
    type Action = ReservationAction;

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    fn decide(state: &State, action: &ReservationAction, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, action, now)
    }

    fn answer(state: &State, action: &ReservationAction, _now: Timestamp) -> Answer {
        decide::answer(state, action)
    }

    fn is_query(action: &ReservationAction) -> bool {
        match action {
            ReservationAction::Request { .. }
            | ReservationAction::Cancel { .. }
            | ReservationAction::Resume => false,
        }
    }

    fn creates(action: &ReservationAction) -> bool {
        matches!(action, ReservationAction::Request { .. })
    }
}
