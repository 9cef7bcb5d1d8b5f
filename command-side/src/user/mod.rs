//! A person and their purchases: stream `user-{id}`; its events are in `contract::events::user`.
//!
//! The id is made from the document, so that "this document is registered" is "this stream exists", which the
//! store decides and nobody else.

mod decide;
mod state;
#[cfg(test)]
mod tests;

pub use state::{MAX_PURCHASES, State};

use crate::aggregate::Aggregate;
use contract::{Answer, Event, Refusal, Timestamp, commands::UserAction};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct User;

impl Aggregate for User {
    type State = State;
    type Action = UserAction;

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    fn decide(state: &State, action: &UserAction, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, action, now)
    }

    fn answer(state: &State, action: &UserAction, _now: Timestamp) -> Answer {
        decide::answer(state, action)
    }

    fn is_query(action: &UserAction) -> bool {
        matches!(action, UserAction::Check)
    }

    fn creates(action: &UserAction) -> bool {
        matches!(action, UserAction::Register { .. })
    }
}
