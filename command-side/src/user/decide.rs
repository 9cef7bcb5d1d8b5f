//! What a user decides.

use super::state::{Purchase, State};
use contract::{
    Answer, Event, Refusal, ReservationId, Timestamp,
    commands::UserAction,
    events::{ForgetReason, PurchaseRecorded, PurchaseUnrecorded, UserForgotten, UserRegistered},
};

/// Decides an action: its events, or why not.
///
/// # Errors
/// The refusal that each action documents below.
pub(super) fn decide(state: &State, action: &UserAction, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match action {
        UserAction::Check => Ok(vec![]),
        UserAction::Register { registration } => register(state, registration),
        UserAction::Forget { reason } => forget(state, *reason, now),
        UserAction::RecordPurchase { purchase } => record(state, purchase),
        UserAction::UnrecordPurchase { reservation_id } => Ok(unrecord(state, *reservation_id, now)),
    }
}

/// `DocumentRegistered`, unless it was by this very request.
fn register(state: &State, registration: &UserRegistered) -> Result<Vec<Event>, Refusal> {
    match &state.registration {
        None => Ok(vec![registration.clone().into()]),
        Some(known) if known.fingerprint.is_some() && known.fingerprint == registration.fingerprint => {
            Ok(vec![])
        }
        Some(_) => Err(Refusal::DocumentRegistered),
    }
}

/// `UserNotFound`. Whoever is forgotten stays so.
fn forget(state: &State, reason: ForgetReason, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (&state.registration, state.forgotten) {
        (None, _) => Err(Refusal::UserNotFound),
        (Some(_), true) => Ok(vec![]),
        (Some(_), false) => Ok(vec![UserForgotten { reason, at_ms: now }.into()]),
    }
}

/// `UserNotFound`, but not for somebody who was forgotten: what was bought before is still settled. A purchase that was taken out again stays out: this ask comes late.
fn record(state: &State, purchase: &PurchaseRecorded) -> Result<Vec<Event>, Refusal> {
    if state.registration.is_none() {
        return Err(Refusal::UserNotFound);
    }
    match state.purchase(purchase.reservation_id) {
        None => Ok(vec![purchase.clone().into()]),
        Some(Purchase::Recorded | Purchase::Unrecorded) => Ok(vec![]),
    }
}

/// Never refused. A purchase that is not known is barred, should its recording still be on the way.
fn unrecord(state: &State, reservation_id: ReservationId, now: Timestamp) -> Vec<Event> {
    if state.registration.is_none() {
        // Nothing can be recorded for nobody, and a user's stream must begin with the registration.
        return vec![];
    }
    match state.purchase(reservation_id) {
        Some(Purchase::Unrecorded) => vec![],
        Some(Purchase::Recorded) | None => vec![
            PurchaseUnrecorded {
                reservation_id,
                at_ms: now,
            }
            .into(),
        ],
    }
}

/// The answer when the decided events, if any, are in the state.
pub(super) fn answer(state: &State, action: &UserAction) -> Answer {
    match (action, &state.registration) {
        (UserAction::Check, Some(_)) if state.forgotten => Answer::Refused(Refusal::UserForgotten),
        (UserAction::Check, Some(known)) => Answer::User {
            registered_at_ms: known.at,
        },
        (UserAction::Check, None) => Answer::Refused(Refusal::UserNotFound),
        (
            UserAction::Register { .. }
            | UserAction::Forget { .. }
            | UserAction::RecordPurchase { .. }
            | UserAction::UnrecordPurchase { .. },
            _,
        ) => Answer::Done,
    }
}
