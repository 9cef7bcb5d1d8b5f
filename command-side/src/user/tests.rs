//! The rules of a user.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::aggregate::steps::given;
use contract::{
    Currency, Digest, Money, ReservationId, Sealed, ShowId, UserId,
    events::{
        DocumentType, ForgetReason, PurchaseRecorded, PurchaseUnrecorded, UserForgotten, UserRegistered,
    },
};
use proptest::prelude::*;
use uuid::Uuid;

fn registered(fingerprint: Option<u8>) -> UserRegistered {
    let sealed = || Sealed::from_bytes(vec![1, 2, 3]);
    UserRegistered {
        user_id: UserId(Uuid::from_u128(1)),
        document_type: DocumentType::Dni,
        document: sealed(),
        given_name: sealed(),
        family_name: sealed(),
        email: sealed(),
        email_pseudonym: Digest([9; 32]),
        password: None,
        registered_at_ms: Timestamp(5),
        fingerprint: fingerprint.map(|byte| Digest([byte; 32])),
    }
}

fn r(n: u128) -> ReservationId {
    ReservationId(Uuid::from_u128(n))
}

fn recorded(n: u128) -> PurchaseRecorded {
    PurchaseRecorded {
        reservation_id: r(n),
        show_id: ShowId(Uuid::from_u128(7)),
        show_name: "Ballet".into(),
        category: None,
        quantity: 2,
        amount: Money::new(2_000, Currency::USD),
        at_ms: Timestamp(6),
    }
}

fn unrecorded(n: u128, at: i64) -> PurchaseUnrecorded {
    PurchaseUnrecorded {
        reservation_id: r(n),
        at_ms: Timestamp(at),
    }
}

fn register(registration: UserRegistered) -> UserAction {
    UserAction::Register {
        registration: Box::new(registration),
    }
}

fn record(n: u128) -> UserAction {
    UserAction::RecordPurchase {
        purchase: Box::new(recorded(n)),
    }
}

fn unrecord(n: u128) -> UserAction {
    UserAction::UnrecordPurchase { reservation_id: r(n) }
}

#[test]
fn a_person_registers() {
    let event = registered(Some(1));
    given::<User>([])
        .when(register(event.clone()))
        .then([event.into()])
        .answers(Answer::Done);
}

#[test]
fn the_same_request_again_is_answered_alike() {
    let later = UserRegistered {
        registered_at_ms: Timestamp(50),
        ..registered(Some(1))
    };
    given::<User>([registered(Some(1)).into()])
        .when(register(later))
        .then_nothing()
        .answers(Answer::Done);
}

#[test]
fn a_document_registers_once() {
    let refused = |first: UserRegistered, second: UserRegistered| {
        let action = register(second);
        let state = &mut State::default();
        state.evolve(&first.into());
        assert_eq!(
            User::decide(state, &action, Timestamp(9)),
            Err(Refusal::DocumentRegistered)
        );
    };
    refused(registered(None), registered(None));
    refused(registered(Some(1)), registered(Some(2)));
    refused(registered(Some(1)), registered(None));
    refused(registered(None), registered(Some(1)));
}

#[test]
fn a_check_tells_since_when_a_user_exists() {
    given::<User>([registered(None).into()])
        .when(UserAction::Check)
        .then_nothing()
        .answers(Answer::User {
            registered_at_ms: Timestamp(5),
        });
    given::<User>([])
        .when(UserAction::Check)
        .then_nothing()
        .answers(Answer::Refused(Refusal::UserNotFound));
}

fn forgotten() -> UserForgotten {
    UserForgotten {
        reason: ForgetReason::Asked,
        at_ms: Timestamp(8),
    }
}

fn forget() -> UserAction {
    UserAction::Forget {
        reason: ForgetReason::Asked,
    }
}

#[test]
fn a_person_is_forgotten_once_and_for_good() {
    given::<User>([registered(None).into()])
        .at(8)
        .when(forget())
        .then([forgotten().into()])
        .answers(Answer::Done);
    let before = || [registered(Some(1)).into(), forgotten().into()];
    given::<User>(before())
        .when(forget())
        .then_nothing()
        .answers(Answer::Done);
    given::<User>(before())
        .when(UserAction::Check)
        .then_nothing()
        .answers(Answer::Refused(Refusal::UserForgotten));
    given::<User>(before())
        .when(register(registered(Some(2))))
        .refused(Refusal::DocumentRegistered);
    given::<User>([]).when(forget()).refused(Refusal::UserNotFound);
}

#[test]
fn what_a_forgotten_person_had_begun_is_still_settled() {
    let before = || [registered(None).into(), forgotten().into()];
    given::<User>(before())
        .when(record(1))
        .then([recorded(1).into()])
        .answers(Answer::Done);
    given::<User>(before())
        .at(9)
        .when(unrecord(1))
        .then([unrecorded(1, 9).into()])
        .answers(Answer::Done);
}

#[test]
fn a_purchase_enters_the_history_once() {
    let before = registered(None);
    given::<User>([before.clone().into()])
        .when(record(1))
        .then([recorded(1).into()])
        .answers(Answer::Done);
    given::<User>([before.into(), recorded(1).into()])
        .when(record(1))
        .then_nothing()
        .answers(Answer::Done);
}

#[test]
fn nobody_has_no_history() {
    given::<User>([]).when(record(1)).refused(Refusal::UserNotFound);
    // Undoing is never refused; and a user's stream begins with the registration, so there is no event either.
    given::<User>([])
        .when(unrecord(1))
        .then_nothing()
        .answers(Answer::Done);
}

#[test]
fn a_purchase_leaves_the_history_once() {
    let before = || [registered(None).into(), recorded(1).into()];
    given::<User>(before())
        .at(8)
        .when(unrecord(1))
        .then([unrecorded(1, 8).into()])
        .answers(Answer::Done);
    given::<User>(before().into_iter().chain([unrecorded(1, 8).into()]))
        .when(unrecord(1))
        .then_nothing();
}

#[test]
fn a_purchase_that_was_undone_before_it_was_recorded_is_never_recorded() {
    given::<User>([registered(None).into()])
        .at(8)
        .when(unrecord(1))
        .then([unrecorded(1, 8).into()]);
    given::<User>([registered(None).into(), unrecorded(1, 8).into()])
        .when(record(1))
        .then_nothing();
}

#[test]
fn a_purchase_that_left_does_not_come_back() {
    given::<User>([
        registered(None).into(),
        recorded(1).into(),
        unrecorded(1, 8).into(),
    ])
    .when(record(1))
    .then_nothing()
    .answers(Answer::Done);
}

#[test]
fn only_the_newest_purchases_are_remembered() {
    let purchases = (1..=MAX_PURCHASES as u128 + 1).map(|n| recorded(n).into());
    let mut state = State::default();
    std::iter::once(registered(None).into())
        .chain(purchases)
        .for_each(|event| state.evolve(&event));
    assert_eq!(state.purchase(r(1)), None);
    assert!(state.purchase(r(2)).is_some());
    // An old one can still be taken out.
    let events = User::decide(&state, &unrecord(1), Timestamp(8)).unwrap();
    assert_eq!(events, [unrecorded(1, 8).into()]);
}

#[test]
fn a_check_is_the_only_query_and_registering_makes_a_user() {
    assert!(User::is_query(&UserAction::Check) && !User::is_query(&record(1)));
    assert!(User::creates(&register(registered(None))) && !User::creates(&record(1)));
}

proptest! {
    #[test]
    fn the_history_is_what_was_recorded_and_not_undone(steps in prop::collection::vec((any::<bool>(), 0..5_u128), 0..40)) {
        let mut state = State::default();
        state.evolve(&registered(None).into());
        let mut undone = std::collections::BTreeSet::new();
        let mut history = std::collections::BTreeSet::new();
        for (recording, n) in steps {
            let action = if recording { record(n) } else { unrecord(n) };
            for event in User::decide(&state, &action, Timestamp(8)).unwrap() {
                match &event {
                    Event::PurchaseRecorded(_) => prop_assert!(history.insert(n) && !undone.contains(&n)),
                    Event::PurchaseUnrecorded(_) => {
                        history.remove(&n);
                        prop_assert!(undone.insert(n));
                    }
                    other => prop_assert!(false, "{}", other.kind()),
                }
                state.evolve(&event);
            }
            prop_assert_eq!(User::decide(&state, &action, Timestamp(9)), Ok(vec![]));
            prop_assert_eq!(history.contains(&n), recording && !undone.contains(&n));
        }
    }
}
