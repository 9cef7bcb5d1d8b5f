//! The skeleton that every aggregate has: `state`, `decide`, `tests` beside it, its events in `contract`.

use contract::{Answer, Event, Refusal, Timestamp};

/// A consistency boundary: one stream, decided by one function. Pure: no I/O, no clock, no randomness.
pub trait Aggregate: 'static {
    /// What the aggregate is; `Default` = it does not exist.
    type State: Default + Clone + Send + Sync + 'static;
    /// What it can be asked.
    type Action: Send + 'static;

    /// Moves the state behind an event. Never fails: what is in the log happened.
    fn evolve(state: &mut Self::State, event: &Event);

    /// Says what happens, or why not. The same action twice gives no second event.
    ///
    /// # Errors
    /// The business "no". Nothing happens then.
    fn decide(state: &Self::State, action: &Self::Action, now: Timestamp) -> Result<Vec<Event>, Refusal>;

    /// What the asker is told when the decided events, if any, are in the state.
    fn answer(state: &Self::State, action: &Self::Action, now: Timestamp) -> Answer;

    /// Changes nothing, whatever the state: may be answered while an append is on its way.
    fn is_query(action: &Self::Action) -> bool;

    /// Usually makes the aggregate: decided on an empty state without reading the stream first. Should the
    /// stream exist, the expected revision says so, and the action is decided again on what is there.
    fn creates(action: &Self::Action) -> bool;
}

#[cfg(test)]
pub(crate) mod steps;
