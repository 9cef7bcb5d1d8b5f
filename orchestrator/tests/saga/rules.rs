//! The saga's rules, one by one.

use crate::common::{
    T0, grant, kinds, no, quoted, request, reservation, settings,
    steps::{NOW, answered, asking_for, step},
    yes,
};
use contract::{
    Answer, Command, Event, Refusal,
    commands::{ShowAction, UserAction},
    events::{ReservationProgressed, Step, StepRecord, StepState},
};
use orchestrator::reservation::{Direction, Input, Outcome, Phase, State, Unwritten, deadline, owed};

#[test]
fn a_purchase_that_goes_well_is_one_append_of_the_saga() {
    let mut state = State::begin(&request(reservation(1)));
    let (mut unwritten, mut written) = (Unwritten::default(), vec![]);
    while let Some(open) = owed(&state, &settings()) {
        let answer = yes(open.step, state.hold_id());
        for event in step(&mut state, answered(open.step, Direction::Forward, answer)) {
            unwritten.push(event);
        }
        if unwritten.must_be_written() {
            written.push(unwritten.take());
        }
    }
    assert!(unwritten.is_empty());
    let [at_the_end] = written.try_into().unwrap();
    let [Event::ReservationConfirmed(confirmed)] = &at_the_end[..] else {
        panic!()
    };
    let steps: Vec<Step> = confirmed.steps.iter().map(|record| record.step).collect();
    assert_eq!(steps, Step::ALL);
    assert_eq!(Some(&confirmed.grant), state.grant.as_ref());
    assert_eq!(state.phase, Phase::Settled(Outcome::Confirmed));
}

#[test]
fn who_reads_a_saga_from_the_log_gives_back_also_what_the_log_does_not_tell() {
    let requested = Event::from(request(reservation(1)));
    let mut state = State::fold([&requested]).unwrap();
    // The process before may have held, charged and recorded, and died before it told.
    let refused = step(
        &mut state,
        answered(
            Step::ValidateUser,
            Direction::Forward,
            Answer::Refused(Refusal::UserNotFound),
        ),
    );
    assert_eq!(kinds(&refused), ["compensation_started.v1"]);
    let Phase::Compensating(undoing) = &state.phase else {
        panic!()
    };
    assert_eq!(
        undoing.pending,
        [Step::RecordHistory, Step::TakePayment, Step::HoldInventory]
    );
}

#[test]
fn whether_tickets_are_left_is_decided_when_they_are_held() {
    for objection in [
        Refusal::SoldOut { free: 0 },
        Refusal::AllHeld { free: 0, held: 2 },
        Refusal::SeatsTaken { seats: vec![] },
        Refusal::HoldInUse,
        Refusal::PurchaseLimit {
            limit: 10,
            already: 10,
        },
    ] {
        let mut state = asking_for(Step::ValidateShow);
        step(
            &mut state,
            answered(Step::ValidateShow, Direction::Forward, quoted(Some(objection))),
        );
        assert_eq!(
            state.phase,
            Phase::Forward {
                asked: Step::HoldInventory
            }
        );
    }
    let mut state = asking_for(Step::ValidateShow);
    let events = step(
        &mut state,
        answered(
            Step::ValidateShow,
            Direction::Forward,
            quoted(Some(Refusal::NotNumbered)),
        ),
    );
    assert_eq!(kinds(&events), ["reservation_rejected.v1"]);
}

#[test]
fn a_try_that_came_late_to_its_lane_is_tried_again() {
    let mut state = asking_for(Step::Confirm);
    let late = Answer::Refused(Refusal::TooLate { deadline_ms: NOW });
    assert_eq!(
        step(&mut state, answered(Step::Confirm, Direction::Forward, late)),
        []
    );
    assert_eq!(state.phase, Phase::Forward { asked: Step::Confirm });
}

#[test]
fn after_a_crash_the_shows_name_is_asked_for_before_it_is_recorded() {
    let mut state = asking_for(Step::RecordHistory);
    let recorded = owed(&state, &settings()).unwrap();
    assert!(matches!(&recorded.command, Command::User(command)
        if matches!(&command.action, UserAction::RecordPurchase { purchase } if purchase.show_name == "Hamlet")));
    state.show = None;
    let open = owed(&state, &settings()).unwrap();
    assert!(
        matches!(&open.command, Command::Show(command) if matches!(command.action, ShowAction::Quote { .. }))
    );
    // Even a show that is no longer on sale has a name.
    let gone = quoted(Some(no(Step::ValidateShow)));
    assert_eq!(
        step(
            &mut state,
            answered(Step::RecordHistory, Direction::Forward, gone)
        ),
        []
    );
    assert_eq!(owed(&state, &settings()).unwrap().id, recorded.id);
}

#[test]
fn an_ask_keeps_its_id_over_every_try_and_every_crash_and_shares_it_with_no_other() {
    let mut ids = std::collections::BTreeSet::new();
    for asked in Step::ALL {
        let state = asking_for(asked);
        let id = owed(&state, &settings()).unwrap().id;
        assert_eq!(id, owed(&asking_for(asked), &settings()).unwrap().id);
        assert!(ids.insert(id.0));
    }
    let mut state = asking_for(Step::Confirm);
    step(
        &mut state,
        answered(
            Step::Confirm,
            Direction::Forward,
            Answer::Refused(Refusal::HoldExpired),
        ),
    );
    while let Some(open) = owed(&state, &settings()) {
        assert!(ids.insert(open.id.0));
        step(&mut state, answered(open.step, Direction::Undo, Answer::Done));
    }
    assert_eq!(ids.len(), 9);
}

#[test]
fn deadlines_follow_from_what_is_in_the_log() {
    let settings = settings();
    let line = T0.plus_ms(30_000 + settings.line_margin_ms);
    let hold = T0.plus_ms(600_000);
    let at = |step| deadline(&asking_for(step), &settings);
    assert_eq!(at(Step::ValidateUser), Some(line));
    assert_eq!(at(Step::HoldInventory), Some(line));
    assert_eq!(
        at(Step::TakePayment),
        Some(NOW.plus_ms(settings.payment_timeout_ms))
    );
    assert_eq!(at(Step::Confirm), Some(hold.plus_ms(settings.line_margin_ms)));
    let mut state = asking_for(Step::TakePayment);
    state.grant.as_mut().unwrap().deadline_ms = NOW.plus_ms(10);
    assert_eq!(
        deadline(&state, &settings),
        Some(NOW.plus_ms(10)),
        "nothing is charged after the hold is over"
    );
    step(
        &mut state,
        Input::DeadlinePassed {
            deadline_ms: NOW.plus_ms(10),
        },
    );
    assert_eq!(deadline(&state, &settings), None, "undoing has no deadline");
}

#[test]
fn what_was_held_is_never_lost_when_events_are_joined() {
    let record = |step| StepRecord {
        step,
        state: StepState::Done,
        at_ms: NOW,
    };
    let progressed = |step, hold| {
        Event::from(ReservationProgressed {
            steps: vec![record(step)],
            hold,
        })
    };
    let held = Some(grant(reservation(1).own_hold(), NOW));
    let mut unwritten = Unwritten::default();
    unwritten.push(progressed(Step::HoldInventory, held.clone()));
    unwritten.push(progressed(Step::TakePayment, None));
    unwritten.push(
        contract::events::ReservationCancelled {
            reservation_id: reservation(1),
            steps: vec![],
            at_ms: NOW,
        }
        .into(),
    );
    let events = unwritten.take();
    assert_eq!(
        kinds(&events),
        ["reservation_progressed.v1", "reservation_cancelled.v1"]
    );
    let Event::ReservationProgressed(progressed) = &events[0] else {
        panic!()
    };
    assert_eq!((progressed.steps.len(), &progressed.hold), (2, &held));
}
