//! Which event records what the gateway did, and what the saga is told.

use super::{Outcome, State};
use contract::{
    Answer, Event, Failure, Refusal, Timestamp,
    events::{PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided},
    refusal::DeclineReason,
};

/// The event that records an outcome, if it is news.
///
/// A capture is recorded whatever was before: money that was taken is never forgotten. See
/// [`State::owes_refund`].
pub(super) fn record(state: &State, outcome: &Outcome, now: Timestamp) -> Vec<Event> {
    let event = match *outcome {
        Outcome::Captured {
            reservation_id,
            amount,
        } if state.captured().is_none() => Event::from(PaymentCaptured {
            reservation_id,
            amount,
            at_ms: now,
        }),
        Outcome::Declined {
            reservation_id,
            reason,
        } if state.is_untried() => Event::from(PaymentDeclined {
            reservation_id,
            reason,
            at_ms: now,
        }),
        Outcome::Voided { reservation_id } if state.is_untried() => Event::from(PaymentVoided {
            reservation_id,
            at_ms: now,
        }),
        Outcome::Refunded { reservation_id } => match state.taken() {
            Some(amount) => Event::from(PaymentRefunded {
                reservation_id,
                amount,
                at_ms: now,
            }),
            None => return vec![],
        },
        Outcome::Captured { .. } | Outcome::Declined { .. } | Outcome::Voided { .. } => return vec![],
    };
    vec![event]
}

/// What whoever asked for the payment is told: always the same, once it is settled.
pub fn answer_to_take(state: &State) -> Answer {
    let declined = |reason| Answer::Refused(Refusal::PaymentDeclined { reason });
    match (state.declined(), state.taken()) {
        (Some(reason), _) => declined(reason),
        (None, Some(_)) if !state.is_closed() => Answer::Done,
        (None, None) if state.is_untried() => Answer::Failed(Failure::Unknown {
            what: "the payment was not tried yet".into(),
        }),
        // Voided, or given back since: the payment that was asked for is not there.
        (None, _) => declined(DeclineReason::Voided),
    }
}
