//! What the saga undoes, and when.

use crate::common::{
    T0, grant, no, price, request, reservation, settings,
    steps::{NOW, answered, asking_for, pending, step, undo_all},
    yes,
};
use contract::{
    Answer, Command, Event, Failure, HoldId, Money, Refusal,
    commands::ShowAction,
    events::{CancelReason, CancellationRequested, Choice, ReservationRequested, Step, StepState},
};
use orchestrator::reservation::{Direction, Input, Outcome, Phase, State, deadline, owed};
use uuid::Uuid;

#[test]
fn each_step_that_is_refused_undoes_itself_and_all_before_it_in_reverse() {
    use Step::{HoldInventory, RecordHistory, TakePayment};
    for (refused, undone) in [
        (Step::ValidateUser, vec![]),
        (Step::ValidateShow, vec![]),
        (HoldInventory, vec![HoldInventory]),
        (TakePayment, vec![TakePayment, HoldInventory]),
        (RecordHistory, vec![RecordHistory, TakePayment, HoldInventory]),
        (Step::Confirm, vec![RecordHistory, TakePayment, HoldInventory]),
    ] {
        let mut state = asking_for(refused);
        step(
            &mut state,
            answered(refused, Direction::Forward, Answer::Refused(no(refused))),
        );
        assert_eq!(undo_all(&mut state).0, undone);
        assert_eq!(state.phase, Phase::Settled(Outcome::Rejected));
        assert_eq!(
            state.step(refused).unwrap().state,
            StepState::Failed,
            "stays failed for its readers"
        );
        for before in undone.into_iter().filter(|step| *step != refused) {
            assert_eq!(state.step(before).unwrap().state, StepState::Compensated);
        }
    }
}

#[test]
fn each_step_whose_deadline_passes_is_undone_as_if_it_had_been_done() {
    for late in Step::ALL {
        let mut state = asking_for(late);
        let deadline_ms = deadline(&state, &settings()).unwrap();
        let events = step(&mut state, Input::DeadlinePassed { deadline_ms });
        let undone = undo_all(&mut state).0;
        let expected: &[Step] = match late {
            Step::ValidateUser | Step::ValidateShow => &[],
            Step::HoldInventory => &[Step::HoldInventory],
            _ => &[Step::RecordHistory, Step::TakePayment, Step::HoldInventory],
        };
        assert_eq!(undone, expected, "{events:?}");
        assert_eq!(state.phase, Phase::Settled(Outcome::Rejected));
    }
}

#[test]
fn each_undoing_that_is_answered_twice_counts_once() {
    let mut state = asking_for(Step::Confirm);
    step(
        &mut state,
        answered(
            Step::Confirm,
            Direction::Forward,
            Answer::Refused(Refusal::HoldExpired),
        ),
    );
    for undone in [Step::RecordHistory, Step::TakePayment, Step::HoldInventory] {
        assert_eq!(
            step(&mut state, answered(undone, Direction::Undo, Answer::Done)).len(),
            1
        );
        assert_eq!(
            step(&mut state, answered(undone, Direction::Undo, Answer::Done)),
            []
        );
    }
}

#[test]
fn undoing_is_never_refused_only_tried_again() {
    let mut state = asking_for(Step::TakePayment);
    step(
        &mut state,
        answered(
            Step::TakePayment,
            Direction::Forward,
            Answer::Refused(no(Step::TakePayment)),
        ),
    );
    for answer in [
        Answer::Refused(Refusal::ReservationNotFound),
        Answer::Failed(Failure::Busy { retry_after_ms: 5 }),
        Answer::Requested { repeated: false },
    ] {
        assert_eq!(
            step(&mut state, answered(Step::TakePayment, Direction::Undo, answer)),
            []
        );
    }
    assert_eq!(pending(&state)[0], Step::TakePayment);
}

#[test]
fn a_saga_that_gave_up_goes_on_where_it_stopped_when_it_is_resumed() {
    let mut state = asking_for(Step::Confirm);
    step(
        &mut state,
        answered(
            Step::Confirm,
            Direction::Forward,
            Answer::Refused(Refusal::HoldExpired),
        ),
    );
    step(
        &mut state,
        answered(Step::RecordHistory, Direction::Undo, Answer::Done),
    );
    let events = step(
        &mut state,
        Input::GaveUp {
            detail: "gateway away".into(),
        },
    );
    let [Event::SagaStuck(stuck)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (stuck.step, stuck.detail.as_str()),
        (Step::TakePayment, "gateway away")
    );
    assert!(owed(&state, &settings()).is_none());
    state.evolve(
        &contract::events::SagaResumed {
            reservation_id: state.id(),
            at_ms: NOW,
        }
        .into(),
    );
    assert_eq!(pending(&state), [Step::TakePayment, Step::HoldInventory]);
}

#[test]
fn a_cancellation_undoes_all_that_may_have_been_asked_for() {
    let cancelled = |state: &mut State| {
        let (reservation_id, reason) = (state.id(), CancelReason::Buyer);
        state.evolve(
            &CancellationRequested {
                reservation_id,
                reason,
                at_ms: NOW,
            }
            .into(),
        );
    };
    for asked in Step::ALL {
        let mut state = asking_for(asked);
        cancelled(&mut state);
        let expected: &[Step] = match asked {
            Step::ValidateUser | Step::ValidateShow | Step::HoldInventory => &[Step::HoldInventory],
            _ => &[Step::RecordHistory, Step::TakePayment, Step::HoldInventory],
        };
        assert_eq!(pending(&state), expected);
        let late = answered(asked, Direction::Forward, yes(asked, state.hold_id()));
        assert_eq!(
            step(&mut state, late),
            [],
            "the answer of the ask in flight comes too late"
        );
        undo_all(&mut state);
        assert_eq!(state.phase, Phase::Settled(Outcome::Cancelled));
    }
}

#[test]
fn a_confirmed_purchase_that_is_cancelled_is_undone_with_its_sale() {
    let mut state = asking_for(Step::Confirm);
    step(
        &mut state,
        answered(Step::Confirm, Direction::Forward, Answer::Done),
    );
    let (reservation_id, reason) = (state.id(), CancelReason::ShowCancelled);
    state.evolve(
        &CancellationRequested {
            reservation_id,
            reason,
            at_ms: NOW,
        }
        .into(),
    );
    let (undone, events) = undo_all(&mut state);
    assert_eq!(
        undone,
        [Step::RecordHistory, Step::TakePayment, Step::HoldInventory]
    );
    assert_eq!(events.last().unwrap().kind(), "reservation_cancelled.v1");
    let undone: Vec<Step> = Step::ALL
        .into_iter()
        .filter(|step| state.step(*step).unwrap().state == StepState::Compensated)
        .collect();
    assert_eq!(
        undone,
        [
            Step::HoldInventory,
            Step::TakePayment,
            Step::RecordHistory,
            Step::Confirm
        ]
    );
}

#[test]
fn a_cancellation_while_it_is_undone_changes_nothing() {
    let mut state = asking_for(Step::TakePayment);
    step(
        &mut state,
        answered(
            Step::TakePayment,
            Direction::Forward,
            Answer::Refused(no(Step::TakePayment)),
        ),
    );
    let before = state.clone();
    let (reservation_id, reason) = (state.id(), CancelReason::Buyer);
    state.evolve(
        &CancellationRequested {
            reservation_id,
            reason,
            at_ms: NOW,
        }
        .into(),
    );
    assert_eq!(state, before);
}

#[test]
fn tickets_that_cost_something_else_than_was_quoted_are_given_back() {
    let mut state = asking_for(Step::HoldInventory);
    let mut dearer = grant(state.hold_id(), T0.plus_ms(600_000));
    dearer.amount = Money {
        minor: price().minor + 1,
        ..price()
    };
    let now = dearer.amount;
    let events = step(
        &mut state,
        answered(Step::HoldInventory, Direction::Forward, Answer::Held(dearer)),
    );
    let [Event::CompensationStarted(started)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(started.refusal, Refusal::PriceChanged { now });
    assert_eq!(undo_all(&mut state).0, [Step::HoldInventory]);
}

#[test]
fn the_hold_that_the_buyer_brings_is_adopted_and_restored() {
    let hold_id = HoldId(Uuid::from_u128(99));
    let request = ReservationRequested {
        choice: Choice::Hold { hold_id },
        ..request(reservation(1))
    };
    let mut state = State::begin(&request);
    for done in [Step::ValidateUser, Step::ValidateShow] {
        step(&mut state, answered(done, Direction::Forward, yes(done, hold_id)));
    }
    let action = |state: &State| match owed(state, &settings()).unwrap().command {
        Command::Show(command) => command.action,
        other => panic!("{other:?}"),
    };
    assert!(matches!(action(&state), ShowAction::AdoptHold { hold_id: adopted, .. } if adopted == hold_id));
    step(
        &mut state,
        answered(
            Step::HoldInventory,
            Direction::Forward,
            Answer::Refused(Refusal::HoldInUse),
        ),
    );
    assert!(matches!(action(&state), ShowAction::Restore { hold_id: restored, .. } if restored == hold_id));
}
