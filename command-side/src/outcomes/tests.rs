#![allow(clippy::unwrap_used)]

use super::*;
use contract::{
    Cause, CommandId, Currency, Event, Money, Refusal, ShowId, StreamEnd, Timestamp, UserId,
    events::{CompensationStarted, ReservationRejected, ReservationRequested, Step},
};
use futures_util::FutureExt;
use ports::SystemClock;
use views::reservation::Status;

const ID: ReservationId = ReservationId(Uuid::from_u128(7));
const FOREVER: Timestamp = Timestamp(i64::MAX);

/// A reservation that is requested, undone and rejected.
fn story(id: ReservationId) -> Vec<Arc<Recorded>> {
    let at_ms = Timestamp(1);
    let events: [Event; 3] = [
        ReservationRequested {
            reservation_id: id,
            user_id: UserId(Uuid::nil()),
            show_id: ShowId(Uuid::nil()),
            choice: contract::events::Choice::Quantity {
                quantity: 1,
                section: None,
            },
            quantity: 1,
            amount: Money::new(100, Currency::USD),
            payment_token: "tok_ok".into(),
            line_until_ms: at_ms,
            requested_at_ms: at_ms,
            checked: None,
            fingerprint: None,
        }
        .into(),
        CompensationStarted {
            steps: vec![],
            hold: None,
            failed_step: Step::ValidateShow,
            refusal: Refusal::ShowNotFound,
            at_ms,
        }
        .into(),
        ReservationRejected {
            reservation_id: id,
            steps: vec![],
            failed_step: Step::ValidateShow,
            refusal: Refusal::ShowNotFound,
            at_ms,
        }
        .into(),
    ];
    let stream = StreamName::reservation(id);
    let cause = Cause {
        correlation: id.0,
        actor: "saga".into(),
        trace: None,
    };
    let mut end = StreamEnd::NEW;
    let linked = end.link(&stream, CommandId(id.0), &cause, at_ms, events).unwrap();
    let recorded = linked.into_iter().zip(0_u64..).map(|(event, revision)| {
        Arc::new(Recorded {
            position: Position(100 + revision),
            stream: stream.clone(),
            revision,
            id: event.id,
            kind: event.kind,
            data: event.data,
            meta: event.meta,
            decoded: event.decoded,
        })
    });
    recorded.collect()
}

fn outcomes() -> Arc<Outcomes> {
    Arc::new(Outcomes::new())
}

#[tokio::test]
async fn a_waiter_is_told_the_outcome_and_where_it_stands() {
    let outcomes = outcomes();
    let mut waiter = outcomes.register(ID);
    let story = story(ID);
    outcomes.take(&story[..2]);
    assert!(waiter.settled(&SystemClock, FOREVER).now_or_never().is_none());
    outcomes.take(&story[2..]);
    let followed = waiter.settled(&SystemClock, FOREVER).now_or_never().unwrap();
    assert_eq!(followed.reservation.unwrap().status, Status::Rejected);
    assert_eq!(followed.position, Some(Position(102)));
}

#[tokio::test]
async fn a_wait_that_ends_early_tells_how_far_it_is() {
    let outcomes = outcomes();
    let mut waiter = outcomes.register(ID);
    outcomes.take(&story(ID)[..1]);
    let followed = waiter.settled(&SystemClock, Timestamp(0)).await;
    assert_eq!(followed.reservation.unwrap().status, Status::Pending);
    assert_eq!(followed.position, Some(Position(100)));
}

#[test]
fn events_that_come_twice_or_before_what_was_read_change_nothing_and_are_not_lost() {
    let outcomes = outcomes();
    let story = story(ID);
    // Whoever asks again reads the stream, while its last events are on their way.
    let waiter = outcomes.register(ID);
    outcomes.take(&story[2..]);
    assert!(waiter.now().reservation.is_none());
    waiter.seed(&story[..1]);
    assert_eq!(waiter.now().position, Some(Position(100)));
    outcomes.take(&story[1..2]);
    assert_eq!(waiter.now().reservation.unwrap().status, Status::Rejected);
    outcomes.take(&story);
    assert_eq!(waiter.now().position, Some(Position(102)));
}

#[test]
fn whoever_made_the_reservation_need_not_wait_for_its_first_event() {
    let outcomes = outcomes();
    let story = story(ID);
    let waiter = outcomes.register(ID);
    let first = reservation::evolve(None, &story[0].decode().unwrap().0, 0);
    waiter.begin(first.clone(), Some(Position(100)));
    outcomes.take(&story[..2]);
    waiter.begin(first, Some(Position(100)));
    assert_eq!(waiter.now().position, Some(Position(101)));
}

#[test]
fn nothing_is_kept_of_reservations_that_nobody_waits_for() {
    let outcomes = outcomes();
    let other = story(ReservationId(Uuid::from_u128(8)));
    let (first, second) = (outcomes.register(ID), outcomes.register(ID));
    outcomes.take(&other);
    outcomes.take(&story(ID)[..1]);
    drop(first);
    assert!(second.now().reservation.is_some());
    drop(second);
    assert!(
        outcomes
            .shards
            .iter()
            .all(|shard| shard.lock().unwrap().is_empty())
    );
}
