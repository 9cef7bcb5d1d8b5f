//! What a show decides. It alone grants tickets.

use super::{
    hold::{Hold, Phase},
    state::State,
    stock::{MAX_RELEASES, Stock, Wish, released},
};
use contract::{
    Digest, Event, HoldId, Refusal, ReservationId, Timestamp, UserId,
    commands::ShowAction,
    events::{
        Choice, HoldAdopted, HoldReleased, Layout, ReleaseReason, Section, ShowCancelled, ShowScheduled,
        TicketsHeld, TicketsReturned, TicketsSold,
    },
    refusal::Unavailable,
};
use std::collections::BTreeSet;

/// How many tickets a show may have, and how many places, blocked ones, too. The HTTP side says so politely; here
/// it is what bounds the memory.
pub const MAX_CAPACITY: u32 = 100_000;

/// Decides an action: its events, or why not.
///
/// # Errors
/// The refusal that each action documents below.
pub(super) fn decide(state: &State, action: &ShowAction, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match action {
        ShowAction::Schedule { show } => schedule(state, show, now),
        // How long the asker waits in line is the lane's business: a decision is for now.
        ShowAction::Hold {
            hold_id,
            user_id,
            choice,
            reservation_id,
            ttl_ms,
            line_until_ms: _,
            fingerprint,
        } => {
            let claim = Claim {
                hold_id: *hold_id,
                user_id: *user_id,
                choice,
                reservation_id: *reservation_id,
                deadline: now.plus_ms(*ttl_ms),
                fingerprint: *fingerprint,
            };
            hold(state, &claim, now)
        }
        ShowAction::AdoptHold {
            hold_id,
            user_id,
            reservation_id,
        } => adopt(state, *hold_id, *user_id, *reservation_id, now),
        ShowAction::ReleaseHold { hold_id } => release(state, *hold_id, now),
        ShowAction::Sell {
            hold_id,
            reservation_id,
        } => sell(state, *hold_id, *reservation_id, now),
        ShowAction::Restore {
            hold_id,
            reservation_id,
        } => Ok(restore(state, *hold_id, *reservation_id)),
        ShowAction::ExpireHolds => expire(state, now),
        ShowAction::Cancel => cancel(state, now),
        ShowAction::Quote { .. } | ShowAction::DescribeHold { .. } | ShowAction::ListSales { .. } => {
            Ok(vec![])
        }
    }
}

/// `ShowInThePast`; `KeyReused` when another show has this id; `SectionUnknown` when two sections share a name,
/// which then names neither; `SeatsUnknown` when an aisle or a blocked place is not in its section, or out of order;
/// `AmountTooLarge` past [`MAX_CAPACITY`].
fn schedule(state: &State, show: &ShowScheduled, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if let Ok(known) = state.show() {
        let same_key = known.fingerprint.is_some() && known.fingerprint == show.fingerprint;
        return if same_key || known == show {
            Ok(vec![])
        } else {
            Err(Refusal::KeyReused)
        };
    }
    if show.starts_at_ms <= now {
        return Err(Refusal::ShowInThePast);
    }
    if show.layout.capacity().max(show.layout.places()) > MAX_CAPACITY {
        return Err(Refusal::AmountTooLarge);
    }
    if let Layout::Numbered { sections } = &show.layout {
        let mut names = BTreeSet::new();
        if let Some(twice) = sections.iter().find(|section| !names.insert(&section.name)) {
            return Err(Refusal::SectionUnknown {
                section: twice.name.clone(),
            });
        }
        let misplaced: Vec<String> = sections.iter().flat_map(Section::misplaced).collect();
        if !misplaced.is_empty() {
            return Err(Refusal::SeatsUnknown { seats: misplaced });
        }
    }
    Ok(vec![show.clone().into()])
}

/// A hold to be.
struct Claim<'a> {
    hold_id: HoldId,
    user_id: UserId,
    choice: &'a Choice,
    reservation_id: Option<ReservationId>,
    deadline: Timestamp,
    fingerprint: Option<Digest>,
}

/// For a hold that is known: `KeyReused`, `HoldExpired`. For a new one, in this order: `ShowUnavailable`;
/// `SeatsUnknown`, `SectionUnknown`, `NotNumbered`; `PurchaseLimit`; `SeatsTaken`, `AllHeld`, `SoldOut`;
/// `AmountTooLarge`.
fn hold(state: &State, claim: &Claim<'_>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    if let Some(known) = state.hold(claim.hold_id) {
        return repeated(known, claim, now);
    }
    let show = state.on_sale(now)?;
    let wish = Wish::of(state, claim.choice)?;
    let (quantity, already) = (wish.quantity(), state.already(claim.user_id, now));
    if already.saturating_add(quantity) > show.limit_per_user {
        return Err(Refusal::PurchaseLimit {
            limit: show.limit_per_user,
            already,
        });
    }
    let stock = Stock::at(state, show, now);
    let (seats, amount) = stock.pick(&wish, claim.user_id)?;
    let mut tally = stock.tally();
    tally.free = tally.free.saturating_sub(quantity);
    tally.held = tally.held.saturating_add(quantity);
    let mut events = stock.releases();
    events.push(Event::from(TicketsHeld {
        hold_id: claim.hold_id,
        user_id: claim.user_id,
        reservation_id: claim.reservation_id,
        quantity,
        seats: state.seat_names(&seats),
        amount,
        deadline_ms: claim.deadline,
        tally,
        fingerprint: claim.fingerprint,
    }));
    Ok(events)
}

/// The same hold asked for again.
fn repeated(known: &Hold, claim: &Claim<'_>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if known.is_tombstone() {
        return Err(Refusal::HoldExpired);
    }
    if known.user_id != claim.user_id || known.fingerprint.as_deref() != claim.fingerprint.as_ref() {
        return Err(Refusal::KeyReused);
    }
    match known.phase_at(now) {
        Phase::Active | Phase::Sold => Ok(vec![]),
        Phase::Over => Err(Refusal::HoldExpired),
    }
}

/// `HoldNotFound` (also for another person's), `HoldInUse`, `ShowUnavailable`, `HoldExpired`.
fn adopt(
    state: &State,
    hold_id: HoldId,
    user_id: UserId,
    reservation_id: ReservationId,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    let hold = state.hold(hold_id).ok_or(Refusal::HoldNotFound)?;
    if hold.is_tombstone() {
        return Err(Refusal::HoldExpired);
    }
    if hold.user_id != user_id {
        return Err(Refusal::HoldNotFound);
    }
    match (hold.phase_at(now), hold.reservation_id) {
        (Phase::Active | Phase::Sold, Some(payer)) if payer == reservation_id => Ok(vec![]),
        (Phase::Active | Phase::Sold, Some(_)) => Err(Refusal::HoldInUse),
        (Phase::Active | Phase::Sold, None) => {
            state.on_sale(now)?;
            Ok(vec![
                HoldAdopted {
                    hold_id,
                    reservation_id,
                }
                .into(),
            ])
        }
        (Phase::Over, _) if state.cancelled => Err(Refusal::ShowUnavailable {
            why: Unavailable::Cancelled,
        }),
        (Phase::Over, _) => Err(Refusal::HoldExpired),
    }
}

/// `HoldNotFound`, `HoldInUse`. One that is over needs nothing.
fn release(state: &State, hold_id: HoldId, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    let hold = state
        .hold(hold_id)
        .filter(|hold| !hold.is_tombstone())
        .ok_or(Refusal::HoldNotFound)?;
    match (hold.phase_at(now), hold.reservation_id) {
        (Phase::Over, _) => Ok(vec![]),
        (Phase::Active, None) => Ok(release_one(state, hold_id, hold, ReleaseReason::Released)),
        (Phase::Active, Some(_)) | (Phase::Sold, _) => Err(Refusal::HoldInUse),
    }
}

/// `HoldNotFound` (also when the reservation has not adopted it), `HoldInUse`, `ShowUnavailable` once cancelled,
/// `HoldExpired`. A show that has begun still honours the holds that were made before.
fn sell(
    state: &State,
    hold_id: HoldId,
    reservation_id: ReservationId,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    let hold = state.hold(hold_id).ok_or(Refusal::HoldNotFound)?;
    let theirs = hold.reservation_id == Some(reservation_id);
    match hold.phase_at(now) {
        Phase::Sold if theirs => return Ok(vec![]),
        Phase::Sold => return Err(Refusal::HoldInUse),
        Phase::Active | Phase::Over if state.cancelled => {
            return Err(Refusal::ShowUnavailable {
                why: Unavailable::Cancelled,
            });
        }
        Phase::Over => return Err(Refusal::HoldExpired),
        Phase::Active if hold.reservation_id.is_none() => return Err(Refusal::HoldNotFound),
        // A reservation buys once: a second sale could not be told from the first when it is given back.
        Phase::Active if !theirs || state.owns_a_sale(reservation_id) => return Err(Refusal::HoldInUse),
        Phase::Active => {}
    }
    let mut tally = state.tally();
    tally.held = tally.held.saturating_sub(hold.quantity);
    tally.sold = tally.sold.saturating_add(hold.quantity);
    Ok(vec![Event::from(TicketsSold {
        hold_id,
        reservation_id,
        user_id: hold.user_id,
        quantity: hold.quantity,
        seats: state.seat_names(&hold.seats),
        amount: hold.amount,
        tally,
    })])
}

/// Never refused. What the reservation does not own is left as it is.
fn restore(state: &State, hold_id: HoldId, reservation_id: ReservationId) -> Vec<Event> {
    if state.show().is_err() {
        // Nothing can ever be held of a show that is not there, and its stream must begin with its scheduling.
        return vec![];
    }
    let Some(hold) = state.hold(hold_id) else {
        let (reason, tally) = (ReleaseReason::Compensated, state.tally());
        return vec![
            HoldReleased {
                hold_id,
                reason,
                quantity: 0,
                seats: vec![],
                tally,
            }
            .into(),
        ];
    };
    let theirs = hold.reservation_id == Some(reservation_id);
    match hold.phase {
        Phase::Active if theirs => release_one(state, hold_id, hold, ReleaseReason::Compensated),
        Phase::Sold if theirs => {
            let mut tally = state.tally();
            tally.sold = tally.sold.saturating_sub(hold.quantity);
            tally.free = tally.free.saturating_add(hold.quantity);
            vec![Event::from(TicketsReturned {
                hold_id,
                reservation_id,
                user_id: hold.user_id,
                quantity: hold.quantity,
                seats: state.seat_names(&hold.seats),
                tally,
            })]
        }
        Phase::Active | Phase::Sold | Phase::Over => vec![],
    }
}

/// `ShowNotFound`.
fn expire(state: &State, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    Ok(released(state, state.due(now).take(MAX_RELEASES), |hold| reason(hold, now)).0)
}

/// `ShowNotFound`; `ShowUnavailable` once it has begun. More than [`MAX_RELEASES`] holds are released in turns:
/// a cancelled show sells none of them, and all are due.
fn cancel(state: &State, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    state.show()?;
    if state.cancelled {
        return Ok(vec![]);
    }
    let show = state.on_sale(now)?;
    let (mut events, tally) = released(state, state.active().take(MAX_RELEASES), |hold| reason(hold, now));
    events.push(
        ShowCancelled {
            show_id: show.show_id,
            tally,
            at_ms: now,
        }
        .into(),
    );
    Ok(events)
}

/// Why a hold ends that nobody gave back: its time was up, or the show's.
fn reason(hold: &Hold, now: Timestamp) -> ReleaseReason {
    if hold.deadline <= now {
        ReleaseReason::Expired
    } else {
        ReleaseReason::ShowCancelled
    }
}

fn release_one(state: &State, hold_id: HoldId, hold: &Hold, why: ReleaseReason) -> Vec<Event> {
    released(state, std::iter::once((hold_id, hold)), |_| why).0
}
