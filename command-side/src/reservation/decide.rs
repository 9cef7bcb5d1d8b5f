//! What a reservation decides of the wishes that people have.

use super::state::{Known, Phase, State};
use contract::{
    Answer, Event, Refusal, Timestamp,
    commands::ReservationAction,
    events::{CancelReason, CancellationRequested, ReservationRequested, SagaResumed},
};

/// Decides an action: its events, or why not.
///
/// # Errors
/// The refusal that each action documents below.
pub(super) fn decide(
    state: &State,
    action: &ReservationAction,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    match (action, &state.known) {
        (ReservationAction::Request { request }, None) => Ok(vec![begin(request, now).into()]),
        (ReservationAction::Request { request }, Some(known)) => repeat(known, request),
        (ReservationAction::Cancel { .. } | ReservationAction::Resume, None) => {
            Err(Refusal::ReservationNotFound)
        }
        (ReservationAction::Cancel { reason }, Some(known)) => cancel(known, *reason, now),
        (ReservationAction::Resume, Some(known)) => resume(known, now),
    }
}

/// A request that has waited at the broker for a log that was away gets its time in line all the same, from now on.
fn begin(request: &ReservationRequested, now: Timestamp) -> ReservationRequested {
    let mut request = request.clone();
    if request.line_until_ms < now {
        let patience_ms = request.line_until_ms.ms_since(request.requested_at_ms);
        request.line_until_ms = now.plus_ms(patience_ms);
    }
    request
}

/// `KeyReused`, unless it is the same request: under the same key, or the very same ask.
fn repeat(known: &Known, request: &ReservationRequested) -> Result<Vec<Event>, Refusal> {
    let under_a_key = known.fingerprint.is_some();
    let same = under_a_key || known.requested_at == request.requested_at_ms;
    if same && known.fingerprint == request.fingerprint {
        Ok(vec![])
    } else {
        Err(Refusal::KeyReused)
    }
}

/// `NotCancellable` when it comes to nothing anyway. Wanted twice, it is done once.
fn cancel(known: &Known, reason: CancelReason, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let reservation_id = known.reservation_id;
    match known.phase {
        Phase::Pending | Phase::Confirmed => Ok(vec![
            CancellationRequested {
                reservation_id,
                reason,
                at_ms: now,
            }
            .into(),
        ]),
        Phase::CancellationRequested | Phase::Cancelled => Ok(vec![]),
        Phase::Failing | Phase::Rejected => Err(Refusal::NotCancellable),
    }
}

/// `NotStuck`.
fn resume(known: &Known, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if !known.stuck {
        return Err(Refusal::NotStuck);
    }
    Ok(vec![
        SagaResumed {
            reservation_id: known.reservation_id,
            at_ms: now,
        }
        .into(),
    ])
}

/// The answer when the decided events, if any, are in the state.
pub(super) fn answer(state: &State, action: &ReservationAction) -> Answer {
    match action {
        ReservationAction::Request { request } => {
            // By its own time: an ask that is delivered twice is one request and gets one answer.
            let first = state.known.as_ref().map(|known| known.requested_at);
            Answer::Requested {
                repeated: first != Some(request.requested_at_ms),
            }
        }
        ReservationAction::Cancel { .. } | ReservationAction::Resume => Answer::Done,
    }
}
