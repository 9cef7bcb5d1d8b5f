//! What is recorded of a payment, in every order in which the gateway may tell it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::aggregate::steps::given;
use contract::{
    Currency, Failure,
    events::{PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided},
};
use uuid::Uuid;

const AT: Timestamp = Timestamp(9);

fn id() -> ReservationId {
    ReservationId(Uuid::from_u128(1))
}

fn amount() -> Money {
    Money::new(2_000, Currency::USD)
}

fn captured() -> Event {
    PaymentCaptured {
        reservation_id: id(),
        amount: amount(),
        at_ms: AT,
    }
    .into()
}

fn declined() -> Event {
    PaymentDeclined {
        reservation_id: id(),
        reason: DeclineReason::InsufficientFunds,
        at_ms: AT,
    }
    .into()
}

fn voided() -> Event {
    PaymentVoided {
        reservation_id: id(),
        at_ms: AT,
    }
    .into()
}

fn refunded() -> Event {
    PaymentRefunded {
        reservation_id: id(),
        amount: amount(),
        at_ms: AT,
    }
    .into()
}

fn capture() -> Outcome {
    Outcome::Captured {
        reservation_id: id(),
        amount: amount(),
    }
}

fn decline() -> Outcome {
    Outcome::Declined {
        reservation_id: id(),
        reason: DeclineReason::InsufficientFunds,
    }
}

fn void() -> Outcome {
    Outcome::Voided { reservation_id: id() }
}

fn refund() -> Outcome {
    Outcome::Refunded { reservation_id: id() }
}

fn refused(reason: DeclineReason) -> Answer {
    Answer::Refused(Refusal::PaymentDeclined { reason })
}

fn after(events: impl IntoIterator<Item = Event>) -> State {
    let mut state = State::default();
    events.into_iter().for_each(|event| state.evolve(&event));
    state
}

#[test]
fn each_outcome_is_recorded_once() {
    given::<Payment>([])
        .at(9)
        .when(capture())
        .then([captured()])
        .answers(Answer::Done);
    given::<Payment>([])
        .at(9)
        .when(decline())
        .then([declined()])
        .answers(refused(DeclineReason::InsufficientFunds));
    given::<Payment>([])
        .at(9)
        .when(void())
        .then([voided()])
        .answers(Answer::Done);
    given::<Payment>([captured()])
        .at(9)
        .when(refund())
        .then([refunded()])
        .answers(Answer::Done);
}

#[test]
fn what_is_settled_stays_settled() {
    for (before, outcome) in [
        (vec![captured()], capture()),
        (vec![captured()], decline()),
        (vec![captured()], void()),
        (vec![declined()], decline()),
        (vec![declined()], void()),
        (vec![voided()], void()),
        (vec![voided()], decline()),
        (vec![captured(), refunded()], capture()),
        (vec![captured(), refunded()], refund()),
        (vec![captured(), refunded()], void()),
    ] {
        given::<Payment>(before).at(9).when(outcome).then_nothing();
    }
}

#[test]
fn nothing_is_refunded_that_was_not_taken() {
    for before in [vec![], vec![declined()], vec![voided()]] {
        given::<Payment>(before)
            .when(refund())
            .then_nothing()
            .answers(Answer::Done);
    }
}

#[test]
fn money_that_comes_after_all_was_settled_is_recorded_and_owed_back() {
    for before in [vec![voided()], vec![declined()]] {
        let outcome = given::<Payment>(before).at(9).when(capture()).then([captured()]);
        assert!(outcome.state().owes_refund());
        assert!(matches!(
            outcome.answer(),
            Answer::Refused(Refusal::PaymentDeclined { .. })
        ));
    }
    assert!(!after([voided(), captured(), refunded()]).owes_refund());
    assert!(!after([captured()]).owes_refund(), "somebody waits for this one");
}

#[test]
fn it_is_known_what_was_taken_and_whether_it_is_given_back() {
    assert_eq!(after([captured()]).taken(), Some(amount()));
    assert_eq!(after([captured(), refunded()]).taken(), None);
    for (events, given_back) in [
        (vec![], false),
        (vec![captured()], false),
        (vec![declined()], true),
        (vec![voided()], true),
        (vec![captured(), refunded()], true),
        (vec![voided(), captured()], false),
        (vec![voided(), captured(), refunded()], true),
    ] {
        assert_eq!(after(events.clone()).is_given_back(), given_back, "{events:?}");
    }
}

#[test]
fn whoever_asked_for_the_payment_is_always_told_the_same() {
    assert_eq!(answer_to_take(&after([captured()])), Answer::Done);
    assert_eq!(
        answer_to_take(&after([declined()])),
        refused(DeclineReason::InsufficientFunds)
    );
    assert_eq!(answer_to_take(&after([voided()])), refused(DeclineReason::Voided));
    assert_eq!(
        answer_to_take(&after([voided(), captured()])),
        refused(DeclineReason::Voided)
    );
    assert_eq!(
        answer_to_take(&after([captured(), refunded()])),
        refused(DeclineReason::Voided)
    );
    assert!(matches!(
        answer_to_take(&State::default()),
        Answer::Failed(Failure::Unknown { .. })
    ));
}

#[test]
fn whatever_is_told_in_whatever_order_no_more_is_refunded_than_was_taken() {
    let outcomes = [capture(), decline(), void(), refund()];
    for code in 0..4_usize.pow(5) {
        let (mut state, mut balance) = (State::default(), 0_i64);
        for place in 0..5 {
            let outcome = outcomes[code / 4_usize.pow(place) % 4];
            for event in Payment::decide(&state, &outcome, AT).unwrap() {
                match &event {
                    Event::PaymentCaptured(event) => balance += event.amount.minor,
                    Event::PaymentRefunded(event) => balance -= event.amount.minor,
                    _ => {}
                }
                state.evolve(&event);
            }
            assert_eq!(Payment::decide(&state, &outcome, AT), Ok(vec![]));
            assert!(balance == 0 || balance == amount().minor);
            assert_eq!(state.taken().is_some(), balance > 0);
        }
    }
}

#[test]
fn every_outcome_may_be_the_first() {
    assert!(
        [capture(), decline(), void(), refund()]
            .iter()
            .all(Payment::creates)
    );
    assert!(
        ![capture(), decline(), void(), refund()]
            .iter()
            .any(Payment::is_query)
    );
}
