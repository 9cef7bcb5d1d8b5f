//! A reservation and its steps.

use crate::*;

fn reservation(events: Vec<Event>) -> views::reservation::Reservation {
    match projected(&StreamName::reservation(RESERVATION), events).remove(&Target::Reservation(RESERVATION)) {
        Some(Doc::Reservation(doc)) => *doc,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reservation_is_pending_until_it_is_confirmed() {
    let doc = reservation(vec![requested()]);
    assert_eq!(
        (doc.status, doc.open, doc.settled_at_ms),
        (Status::Pending, 1, None)
    );
    assert_eq!(
        doc.steps.iter().map(|view| view.step).collect::<Vec<_>>(),
        Step::ALL
    );
    assert!(doc.steps.iter().all(|view| view.state.is_none()));
    assert_eq!(doc.seats, ["Platea-A-1", "Platea-A-2"]);

    let doc = reservation(vec![requested(), progressed(), confirmed()]);
    assert_eq!(
        (doc.status, doc.open, doc.settled_at_ms),
        (Status::Confirmed, 0, Some(Timestamp(70)))
    );
    assert_eq!((doc.confirmed_at_ms, doc.revision), (Some(Timestamp(70)), 2));
    let done = doc
        .steps
        .iter()
        .filter(|view| view.state == Some(StepState::Done))
        .count();
    assert_eq!(done, 4);
}

#[test]
fn a_rejected_reservation_says_where_and_why() {
    let refusal = Refusal::PaymentDeclined {
        reason: DeclineReason::Declined,
    };
    let started = CompensationStarted {
        steps: vec![step(Step::TakePayment, StepState::Failed)],
        hold: None,
        failed_step: Step::TakePayment,
        refusal: refusal.clone(),
        at_ms: Timestamp(60),
    };
    let doc = reservation(vec![requested(), progressed(), started.clone().into()]);
    assert_eq!(
        (doc.status, doc.open, doc.failed_step),
        (Status::Pending, 1, Some(Step::TakePayment))
    );
    let doc = reservation(vec![
        requested(),
        progressed(),
        started.into(),
        rejected(refusal.clone()),
    ]);
    assert_eq!(
        (doc.status, doc.open, doc.refusal),
        (Status::Rejected, 0, Some(refusal))
    );
    let states: Vec<_> = doc.steps.iter().map(|view| view.state).collect();
    use StepState::{Compensated, Done, Failed};
    assert_eq!(
        states,
        [
            Some(Done),
            Some(Done),
            Some(Compensated),
            Some(Failed),
            None,
            None
        ]
    );
}

#[test]
fn what_came_too_late_is_expired_and_what_was_called_off_is_cancelled() {
    let status = |refusal| reservation(vec![requested(), rejected(refusal)]).status;
    assert_eq!(status(Refusal::HoldExpired), Status::Expired);
    assert_eq!(
        status(Refusal::TooLate {
            deadline_ms: Timestamp(1)
        }),
        Status::Expired
    );
    assert_eq!(status(Refusal::Cancelled), Status::Cancelled);
    assert_eq!(status(Refusal::SoldOut { free: 0 }), Status::Rejected);
}

#[test]
fn a_confirmed_reservation_stays_so_until_its_cancellation_is_carried_out() {
    let story = vec![requested(), progressed(), confirmed(), cancelling()];
    let doc = reservation(story.clone());
    assert_eq!(
        (doc.status, doc.open, doc.settled_at_ms),
        (Status::Confirmed, 1, None)
    );
    let doc = reservation([story, vec![cancelled()]].concat());
    assert_eq!(
        (doc.status, doc.open, doc.settled_at_ms),
        (Status::Cancelled, 0, Some(Timestamp(95)))
    );
    assert_eq!(doc.refusal, Some(Refusal::Cancelled));
}

#[test]
fn a_stuck_saga_is_open_and_goes_on_where_it_was_when_resumed() {
    let doc = reservation(vec![requested(), stuck()]);
    assert_eq!(
        (doc.status, doc.open, doc.stuck.as_deref()),
        (Status::Stuck, 1, Some("the gateway is away"))
    );
    let resumed: Event = SagaResumed {
        reservation_id: RESERVATION,
        at_ms: Timestamp(99),
    }
    .into();
    let doc = reservation(vec![requested(), stuck(), resumed.clone()]);
    assert_eq!((doc.status, doc.open, doc.stuck), (Status::Pending, 1, None));
    let doc = reservation(vec![requested(), confirmed(), cancelling(), stuck(), resumed]);
    assert_eq!((doc.status, doc.open), (Status::Confirmed, 1));
}
