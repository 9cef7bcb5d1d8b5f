//! What a show tells: the outcome of an action that was decided, and the answers to queries.

use super::{
    hold::{Hold, Phase},
    state::State,
    stock::{Stock, Wish},
};
use contract::{
    Answer, HoldId, Money, Refusal, ReservationId, Timestamp, UserId,
    commands::{HoldPhase, HoldStatus, Quote, ShowAction},
    events::Choice,
};

/// The answer when the decided events, if any, are in the state.
pub(super) fn answer(state: &State, action: &ShowAction, now: Timestamp) -> Answer {
    let told = match action {
        ShowAction::Schedule { .. }
        | ShowAction::Sell { .. }
        | ShowAction::Restore { .. }
        | ShowAction::ExpireHolds
        | ShowAction::Cancel => Ok(Answer::Done),
        ShowAction::Hold { hold_id, .. } | ShowAction::AdoptHold { hold_id, .. } => {
            known(state, *hold_id).map(|hold| Answer::Held(state.grant(*hold_id, hold)))
        }
        ShowAction::DescribeHold { hold_id } | ShowAction::ReleaseHold { hold_id } => {
            known(state, *hold_id).map(|hold| Answer::Hold(status(state, *hold_id, hold, now)))
        }
        ShowAction::Quote { user_id, choice } => quote(state, *user_id, choice, now).map(Answer::Quoted),
        ShowAction::ListSales { after, limit } => list_sales(state, *after, *limit),
    };
    told.unwrap_or_else(Answer::Refused)
}

fn known(state: &State, id: HoldId) -> Result<&Hold, Refusal> {
    state.show()?;
    state
        .hold(id)
        .filter(|hold| !hold.is_tombstone())
        .ok_or(Refusal::HoldNotFound)
}

fn status(state: &State, id: HoldId, hold: &Hold, now: Timestamp) -> HoldStatus {
    HoldStatus {
        grant: state.grant(id, hold),
        user_id: hold.user_id,
        phase: match (hold.phase_at(now), hold.reservation_id) {
            // What was cancelled with its show is over, even where its release is still to be written.
            (Phase::Active, _) if state.cancelled => HoldPhase::Over,
            (Phase::Active, reservation_id) => HoldPhase::Active { reservation_id },
            (Phase::Sold, Some(reservation_id)) => HoldPhase::Sold { reservation_id },
            (Phase::Sold, None) | (Phase::Over, _) => HoldPhase::Over,
        },
        fingerprint: hold.fingerprint.as_deref().copied(),
    }
}

fn list_sales(state: &State, after: Option<ReservationId>, limit: u32) -> Result<Answer, Refusal> {
    state.show()?;
    Ok(Answer::Sales {
        reservations: state.sales(after).take(limit as usize).collect(),
    })
}

/// Advice. Refused only when there is no show, or the price cannot be counted.
fn quote(state: &State, user: UserId, choice: &Choice, now: Timestamp) -> Result<Quote, Refusal> {
    let show = state.show()?;
    let stock = Stock::at(state, show, now);
    let (quantity, amount, objection) = match choice {
        Choice::Hold { hold_id } => held(state, user, *hold_id, now, Money::zero(show.price.currency)),
        Choice::Quantity { .. } | Choice::Seats { .. } => match Wish::of(state, choice) {
            Err(refusal) => (named(choice), Money::zero(show.price.currency), Some(refusal)),
            Ok(wish) => match stock.pick(&wish, user) {
                Ok((_, amount)) => (wish.quantity(), amount, None),
                Err(refusal) => (wish.quantity(), stock.estimate(&wish)?, Some(refusal)),
            },
        },
    };
    Ok(Quote {
        show_name: show.name.clone(),
        category: show.category.clone(),
        starts_at_ms: show.starts_at_ms,
        quantity,
        amount,
        tally: stock.tally(),
        limit_per_user: show.limit_per_user,
        already: state.already(user, now),
        objection: state.on_sale(now).err().or(objection),
    })
}

/// How many tickets a choice names, whether or not it can be understood.
fn named(choice: &Choice) -> u32 {
    match choice {
        Choice::Quantity { quantity, .. } => *quantity,
        Choice::Seats { seats } => u32::try_from(seats.len()).unwrap_or(u32::MAX),
        Choice::Hold { .. } => 0,
    }
}

/// What a reservation of this hold would be: its tickets and price as they were granted.
fn held(
    state: &State,
    user: UserId,
    id: HoldId,
    now: Timestamp,
    nothing: Money,
) -> (u32, Money, Option<Refusal>) {
    let Some(hold) = state.hold(id) else {
        return (0, nothing, Some(Refusal::HoldNotFound));
    };
    if hold.is_tombstone() {
        return (0, nothing, Some(Refusal::HoldExpired));
    }
    if hold.user_id != user {
        return (0, nothing, Some(Refusal::HoldNotFound));
    }
    let objection = match (hold.phase_at(now), hold.reservation_id) {
        (Phase::Over, _) => Some(Refusal::HoldExpired),
        (Phase::Sold, _) | (Phase::Active, Some(_)) => Some(Refusal::HoldInUse),
        (Phase::Active, None) => None,
    };
    (hold.quantity, hold.amount, objection)
}
