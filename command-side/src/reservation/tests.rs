//! What people may want of a reservation, at every point of its life.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::aggregate::steps::given;
use contract::{Currency, Digest, HoldId, Money, ReservationId, ShowId, UserId, events::*};
use uuid::Uuid;

fn id() -> ReservationId {
    ReservationId(Uuid::from_u128(1))
}

fn requested(fingerprint: Option<u8>, at: i64) -> ReservationRequested {
    ReservationRequested {
        reservation_id: id(),
        user_id: UserId(Uuid::from_u128(2)),
        show_id: ShowId(Uuid::from_u128(3)),
        choice: Choice::Quantity {
            quantity: 2,
            section: None,
        },
        quantity: 2,
        amount: Money::new(2_000, Currency::USD),
        payment_token: "tok_ok".into(),
        line_until_ms: Timestamp(5_000),
        requested_at_ms: Timestamp(at),
        checked: None,
        fingerprint: fingerprint.map(|byte| Digest([byte; 32])),
    }
}

fn request(fingerprint: Option<u8>, at: i64) -> ReservationAction {
    ReservationAction::Request {
        request: Box::new(requested(fingerprint, at)),
    }
}

fn cancel() -> ReservationAction {
    ReservationAction::Cancel {
        reason: CancelReason::Buyer,
    }
}

fn cancellation() -> CancellationRequested {
    CancellationRequested {
        reservation_id: id(),
        reason: CancelReason::Buyer,
        at_ms: Timestamp(9),
    }
}

fn at_first(more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    std::iter::once(requested(Some(1), 5).into())
        .chain(more)
        .collect()
}

fn progressed() -> Event {
    ReservationProgressed {
        steps: vec![],
        hold: None,
    }
    .into()
}

fn failing() -> Event {
    let (failed_step, refusal) = (Step::HoldInventory, Refusal::SoldOut { free: 0 });
    CompensationStarted {
        steps: vec![],
        hold: None,
        failed_step,
        refusal,
        at_ms: Timestamp(6),
    }
    .into()
}

fn rejected() -> Event {
    let (failed_step, refusal) = (Step::HoldInventory, Refusal::SoldOut { free: 0 });
    ReservationRejected {
        reservation_id: id(),
        steps: vec![],
        failed_step,
        refusal,
        at_ms: Timestamp(7),
    }
    .into()
}

fn confirmed() -> Event {
    let grant = HoldGrant {
        hold_id: HoldId(id().0),
        quantity: 2,
        seats: vec![],
        amount: Money::new(2_000, Currency::USD),
        deadline_ms: Timestamp(600),
    };
    let ReservationRequested {
        reservation_id,
        user_id,
        show_id,
        ..
    } = requested(None, 0);
    let confirmed_at_ms = Timestamp(7);
    ReservationConfirmed {
        reservation_id,
        user_id,
        show_id,
        grant,
        steps: vec![],
        confirmed_at_ms,
    }
    .into()
}

fn undone() -> Event {
    ReservationCancelled {
        reservation_id: id(),
        steps: vec![],
        at_ms: Timestamp(10),
    }
    .into()
}

fn stuck() -> Event {
    let (step, detail) = (Step::TakePayment, "the gateway is away".into());
    SagaStuck {
        reservation_id: id(),
        step,
        detail,
        steps: vec![],
        at_ms: Timestamp(8),
    }
    .into()
}

fn resumed() -> SagaResumed {
    SagaResumed {
        reservation_id: id(),
        at_ms: Timestamp(9),
    }
}

#[test]
fn a_reservation_is_requested_once() {
    given::<Reservation>([])
        .when(request(Some(1), 5))
        .then(at_first([]))
        .answers(Answer::Requested { repeated: false });
    given::<Reservation>(at_first([confirmed()]))
        .when(request(Some(1), 50))
        .then_nothing()
        .answers(Answer::Requested { repeated: true });
}

#[test]
fn an_ask_that_is_delivered_twice_is_one_request() {
    given::<Reservation>([requested(None, 5).into()])
        .when(request(None, 5))
        .then_nothing()
        .answers(Answer::Requested { repeated: false });
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    given::<Reservation>(at_first([]))
        .when(request(Some(2), 5))
        .refused(Refusal::KeyReused);
    given::<Reservation>(at_first([]))
        .when(request(None, 5))
        .refused(Refusal::KeyReused);
    given::<Reservation>([requested(None, 5).into()])
        .when(request(Some(1), 5))
        .refused(Refusal::KeyReused);
    given::<Reservation>([requested(None, 5).into()])
        .when(request(None, 6))
        .refused(Refusal::KeyReused);
}

#[test]
fn a_pending_or_confirmed_reservation_can_be_cancelled() {
    for before in [
        at_first([]),
        at_first([progressed()]),
        at_first([progressed(), confirmed()]),
    ] {
        given::<Reservation>(before)
            .at(9)
            .when(cancel())
            .then([cancellation().into()])
            .answers(Answer::Done);
    }
}

#[test]
fn who_wanted_it_is_recorded() {
    let event = CancellationRequested {
        reason: CancelReason::ShowCancelled,
        ..cancellation()
    };
    given::<Reservation>(at_first([confirmed()]))
        .at(9)
        .when(ReservationAction::Cancel {
            reason: CancelReason::ShowCancelled,
        })
        .then([event.into()]);
}

#[test]
fn a_reservation_is_cancelled_once() {
    for more in [
        vec![cancellation().into()],
        vec![confirmed(), cancellation().into()],
        // The undoing begins; it stays one on request.
        vec![cancellation().into(), failing()],
        vec![cancellation().into(), failing(), stuck()],
        vec![cancellation().into(), undone()],
    ] {
        given::<Reservation>(at_first(more))
            .when(cancel())
            .then_nothing()
            .answers(Answer::Done);
    }
}

#[test]
fn what_comes_to_nothing_anyway_is_not_cancelled() {
    for more in [
        vec![failing()],
        vec![failing(), stuck()],
        vec![failing(), rejected()],
    ] {
        given::<Reservation>(at_first(more))
            .when(cancel())
            .refused(Refusal::NotCancellable);
    }
}

#[test]
fn a_stuck_saga_is_resumed_once() {
    let before = || at_first([failing(), stuck()]);
    given::<Reservation>(before())
        .at(9)
        .when(ReservationAction::Resume)
        .then([resumed().into()]);
    let after: Vec<Event> = before().into_iter().chain([resumed().into()]).collect();
    given::<Reservation>(after.clone())
        .when(ReservationAction::Resume)
        .refused(Refusal::NotStuck);
    given::<Reservation>(after.into_iter().chain([stuck()]))
        .at(9)
        .when(ReservationAction::Resume)
        .then([resumed().into()]);
}

#[test]
fn a_saga_that_is_not_stuck_is_not_resumed() {
    for more in [vec![], vec![failing()], vec![confirmed()]] {
        given::<Reservation>(at_first(more))
            .when(ReservationAction::Resume)
            .refused(Refusal::NotStuck);
    }
}

#[test]
fn a_reservation_that_does_not_exist_is_not_found() {
    given::<Reservation>([])
        .when(cancel())
        .refused(Refusal::ReservationNotFound);
    given::<Reservation>([])
        .when(ReservationAction::Resume)
        .refused(Refusal::ReservationNotFound);
}

#[test]
fn only_a_request_makes_a_reservation() {
    assert!(Reservation::creates(&request(None, 5)) && !Reservation::creates(&cancel()));
    assert!(!Reservation::is_query(&request(None, 5)) && !Reservation::is_query(&ReservationAction::Resume));
}
