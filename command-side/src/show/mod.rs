//! A show: the one authority over its tickets. Stream `show-{id}`; its events are in `contract::events::show`.
//!
//! | file | what |
//! |---|---|
//! | `state` | what the stream says: the show, every hold, and the books that follow from the holds |
//! | `hold` | one hold and its phases |
//! | `seats` | the seat map of a numbered show: names, status, counts |
//! | `best_seats` | which seats a party gets that only says how many it is |
//! | `stock` | the tickets as they stand at a moment: what is overdue counts as free |
//! | `decide` | each action: its events, or its refusal |
//! | `answer` | what the asker is told; queries |
//! | `snapshot` | the stored form of the state |
//!
//! Architecture invariants: no decision walks through all holds (the indexes in `state` find what is due, what a
//! person has and what a reservation bought), and every decision releases at most [`MAX_RELEASES`] holds, so
//! that it fits one append. What is left over is still overdue and goes with the next.

mod answer;
mod best_seats;
mod decide;
mod hold;
mod seats;
mod snapshot;
mod state;
mod stock;
#[cfg(test)]
mod tests;

pub use decide::MAX_CAPACITY;
pub use snapshot::SNAPSHOT_FORM;
pub use state::{MAX_REMEMBERED, REMEMBERED_FOR_MS, State};
pub use stock::MAX_RELEASES;

use crate::aggregate::Aggregate;
use contract::{Answer, Event, Refusal, Timestamp, commands::ShowAction};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Show;

impl Aggregate for Show {
    type State = State;
    type Action = ShowAction;

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    fn decide(state: &State, action: &ShowAction, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, action, now)
    }

    fn answer(state: &State, action: &ShowAction, now: Timestamp) -> Answer {
        answer::answer(state, action, now)
    }

    fn is_query(action: &ShowAction) -> bool {
        match action {
            ShowAction::Quote { .. } | ShowAction::DescribeHold { .. } | ShowAction::ListSales { .. } => true,
            ShowAction::Schedule { .. }
            | ShowAction::Hold { .. }
            | ShowAction::AdoptHold { .. }
            | ShowAction::ReleaseHold { .. }
            | ShowAction::Sell { .. }
            | ShowAction::Restore { .. }
            | ShowAction::ExpireHolds
            | ShowAction::Cancel => false,
        }
    }

    fn creates(action: &ShowAction) -> bool {
        matches!(action, ShowAction::Schedule { .. })
    }
}

/// When [`ShowAction::ExpireHolds`] has something to do next; `None` while nothing is held. On a cancelled show
/// every hold that is left is due at once.
pub fn next_deadline(state: &State) -> Option<Timestamp> {
    state.next_deadline()
}
