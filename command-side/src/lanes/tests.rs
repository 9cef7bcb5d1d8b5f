//! A show's lane on the embedded log, with a clock that the tests move.

#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use crate::{
    aggregate::Aggregate,
    show::{self, Show},
};
use contract::{
    Answer, Ask, Cause, Command, CommandId, Refusal, StreamEnd, StreamName, Timestamp, commands::ShowCommand,
    events::Tally,
};
use house::{Fault, House, SHOW, START, TTL_MS, held, hold, restore, sell};
use ports::{Delivery, EventLog as _, Expected, Snapshot};
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use uuid::Uuid;

#[tokio::test]
async fn commands_that_wait_together_are_appended_together_and_none_is_oversold() {
    let house = House::open();
    house.schedule(10).await;
    let before = house.log.appends.load(Ordering::SeqCst);
    let mut answers = Vec::new();
    for number in 1..=50 {
        answers.push(house.send(hold(number, 1, None)).await);
    }
    let mut granted = 0;
    for answer in answers {
        granted += usize::from(held(&answer.await.unwrap().answer));
    }
    assert_eq!(granted, 10);
    assert!(
        house.log.appends.load(Ordering::SeqCst) - before < 10,
        "one append holds many decisions"
    );
    assert_eq!(
        house.tally().await,
        Tally {
            free: 0,
            held: 10,
            sold: 0
        }
    );
}

#[tokio::test]
async fn a_stale_cache_costs_a_second_decision_and_never_a_ticket() {
    let house = House::open();
    house.schedule(1).await;
    // Another node sells the last ticket behind this lane's back.
    let stream = StreamName::show(SHOW);
    let mut state = show::State::default();
    let mut end = StreamEnd::NEW;
    for recorded in house.stream().await {
        state.evolve(&recorded.event().unwrap());
        end = recorded.end().unwrap();
    }
    let events = <Show as Aggregate>::decide(&state, &hold(99, 1, None), START).unwrap();
    let cause = Cause {
        correlation: Uuid::nil(),
        actor: "another node".into(),
        trace: None,
    };
    let expected = Expected::before(end.next);
    let linked = end
        .link(&stream, CommandId(Uuid::from_u128(99)), &cause, START, events)
        .unwrap();
    house.log.log.append(&stream, expected, linked).await.unwrap();

    assert_eq!(
        house.ask(hold(1, 1, None)).await,
        Answer::Refused(Refusal::AllHeld { free: 0, held: 1 })
    );
    assert!(
        held(&house.ask(hold(99, 1, None)).await),
        "the other node's hold is known now"
    );
    assert_eq!(
        house.tally().await,
        Tally {
            free: 0,
            held: 1,
            sold: 0
        }
    );
}

#[tokio::test]
async fn an_append_with_an_unknown_outcome_is_read_back_and_decided_once() {
    let house = House::open();
    house.schedule(5).await;
    *house.log.next.lock().unwrap() = Some(Fault::WriteAndSayUnknown);
    assert!(held(&house.ask(hold(1, 2, None)).await));
    assert_eq!(house.stream().await.len(), 2, "scheduled and held, once");
    assert_eq!(
        house.tally().await,
        Tally {
            free: 3,
            held: 2,
            sold: 0
        }
    );
}

#[tokio::test]
async fn when_the_log_is_away_the_asker_is_told_and_memory_keeps_nothing_of_it() {
    let house = House::open();
    house.schedule(5).await;
    *house.log.next.lock().unwrap() = Some(Fault::Refuse);
    assert!(matches!(house.ask(hold(1, 2, None)).await, Answer::Failed(_)));
    assert_eq!(
        house.tally().await,
        Tally {
            free: 5,
            held: 0,
            sold: 0
        }
    );
    assert!(held(&house.ask(hold(1, 2, None)).await));
}

#[tokio::test]
async fn who_waits_in_line_takes_what_comes_back_in_order() {
    let house = House::open();
    house.schedule(2).await;
    assert!(held(&house.ask(hold(1, 1, None)).await));
    assert!(held(&house.ask(hold(2, 1, None)).await));
    let first = house.send(hold(3, 1, Some(5_000))).await;
    let second = house.send(hold(4, 1, Some(5_000))).await;
    assert_eq!(house.ask(restore(1)).await, Answer::Done);
    assert!(held(&first.await.unwrap().answer));
    assert_eq!(house.ask(restore(2)).await, Answer::Done);
    assert!(held(&second.await.unwrap().answer));
    assert_eq!(
        house.tally().await,
        Tally {
            free: 0,
            held: 2,
            sold: 0
        }
    );
}

#[tokio::test]
async fn a_newcomer_does_not_overtake_the_line() {
    let house = House::open();
    house.schedule(3).await;
    assert!(held(&house.ask(hold(1, 2, None)).await));
    let large = house.send(hold(2, 3, Some(5_000))).await;
    // One ticket is free, and it is not for those who come later.
    let small = house.send(hold(3, 1, Some(6_000))).await;
    assert!(matches!(
        house.ask(hold(4, 1, None)).await,
        Answer::Refused(Refusal::SoldOut { .. })
    ));
    assert_eq!(house.ask(restore(1)).await, Answer::Done);
    assert!(held(&large.await.unwrap().answer));
    assert_eq!(house.ask(sell(2)).await, Answer::Done);
    assert_eq!(
        small.await.unwrap().answer,
        Answer::Refused(Refusal::SoldOut { free: 0 })
    );
}

#[tokio::test]
async fn patience_ends_with_a_clear_no_and_the_next_in_line_is_served() {
    let house = House::open();
    house.schedule(3).await;
    assert!(held(&house.ask(hold(1, 2, None)).await));
    let large = house.send(hold(2, 3, Some(1_000))).await;
    let small = house.send(hold(3, 1, Some(5_000))).await;
    house.tally().await; // both are in line by now
    house.pass(1_000);
    assert_eq!(
        large.await.unwrap().answer,
        Answer::Refused(Refusal::SoldOut { free: 1 })
    );
    assert!(held(&small.await.unwrap().answer));
}

#[tokio::test]
async fn a_hold_that_runs_out_frees_its_tickets_with_nobody_asking() {
    let house = House::open();
    house.schedule(1).await;
    assert!(held(&house.ask(hold(1, 1, None)).await));
    let waiting = house.send(hold(2, 1, Some(TTL_MS + 1))).await;
    house.tally().await;
    house.pass(TTL_MS);
    assert!(held(&waiting.await.unwrap().answer));
    let kinds: Vec<String> = house
        .stream()
        .await
        .iter()
        .map(|event| event.kind.to_string())
        .collect();
    assert_eq!(
        kinds,
        [
            "show_scheduled.v1",
            "tickets_held.v1",
            "hold_released.v1",
            "tickets_held.v1"
        ]
    );
}

#[tokio::test]
async fn the_same_claim_asked_again_keeps_its_place_in_line() {
    let house = House::open();
    house.schedule(1).await;
    assert!(held(&house.ask(hold(1, 1, None)).await));
    let first = house.send(hold(2, 1, Some(5_000))).await;
    let behind = house.send(hold(3, 1, Some(5_000))).await;
    let again = house.send(hold(2, 1, Some(5_000))).await;
    assert_eq!(house.ask(restore(1)).await, Answer::Done);
    // Each asking is answered: a broker that keeps asks would bring the unanswered one again.
    for asked in [first, again] {
        assert!(held(&asked.await.unwrap().answer));
    }
    drop(behind);
}

#[tokio::test]
async fn a_late_ask_is_refused() {
    let house = House::open();
    house.schedule(1).await;
    let (reply, answer) = oneshot::channel();
    let deadline_ms = Timestamp(START.0 - 1);
    let ask = Ask {
        id: CommandId(Uuid::from_u128(7)),
        cause: Cause {
            correlation: Uuid::nil(),
            actor: "test".into(),
            trace: None,
        },
        deadline_ms,
        command: Command::Show(ShowCommand {
            show_id: SHOW,
            action: hold(1, 1, None),
        }),
    };
    house
        .mailbox
        .send(Delivery { ask, reply, term: 0 })
        .await
        .unwrap();
    assert_eq!(
        answer.await.unwrap().answer,
        Answer::Refused(Refusal::TooLate { deadline_ms })
    );
}

#[tokio::test]
async fn a_snapshot_and_the_rest_of_the_stream_make_the_same_state() {
    let house = House::open();
    house.schedule(10).await;
    assert!(held(&house.ask(hold(1, 2, None)).await));
    let events = house.stream().await;
    let mut state = show::State::default();
    events
        .iter()
        .for_each(|recorded| state.evolve(&recorded.event().unwrap()));
    let last = events.last().unwrap();
    let snapshot = Snapshot {
        revision: last.revision,
        digest: last.end().unwrap().last,
        position: last.position,
        form: show::SNAPSHOT_FORM,
        state: serde_json::to_vec(&state).unwrap(),
    };
    assert!(held(&house.ask(hold(2, 3, None)).await));
    *house.drawer.0.lock().unwrap() = Some(snapshot.clone());
    let house = house.crash().await;
    assert_eq!(
        house.tally().await,
        Tally {
            free: 5,
            held: 5,
            sold: 0
        }
    );

    // One that does not fit the log is not believed.
    *house.drawer.0.lock().unwrap() = Some(Snapshot {
        digest: contract::Digest([7; 32]),
        ..snapshot
    });
    let house = house.crash().await;
    assert_eq!(
        house.tally().await,
        Tally {
            free: 5,
            held: 5,
            sold: 0
        }
    );
}

#[tokio::test]
async fn who_waits_in_line_is_told_when_the_lane_ends() {
    let house = House::open();
    house.schedule(1).await;
    assert!(held(&house.ask(hold(1, 1, None)).await));
    let waiting = house.send(hold(2, 1, Some(5_000))).await;
    house.tally().await;
    house.stop.send_replace(true);
    assert!(matches!(waiting.await.unwrap().answer, Answer::Failed(_)));
    house.lane.await.unwrap();
}

#[tokio::test]
async fn an_ask_that_nobody_gives_up_waits_for_a_log_that_is_away() {
    let house = House::open();
    house.schedule(5).await;
    *house.log.next.lock().unwrap() = Some(Fault::Refuse);
    let mut answer = house.send_as(hold(1, 2, None), Ask::NEVER, 0).await;
    // Whoever asks after it is told at once, so it has been decided, in vain.
    assert_eq!(house.tally().await.held, 0);
    assert!(answer.try_recv().is_err(), "nobody has given it up");
    house.pass(1_000);
    assert!(held(&answer.await.unwrap().answer));
    assert_eq!(house.stream().await.len(), 2, "scheduled and held, once");
}

#[tokio::test]
async fn a_new_term_trusts_nothing_that_was_remembered() {
    let house = House::open();
    house.schedule(1).await;
    assert!(held(&house.ask(hold(1, 1, None)).await));
    // Another node serves the lane for a while, and releases the hold.
    let stream = StreamName::show(SHOW);
    let (mut state, mut end) = (show::State::default(), StreamEnd::NEW);
    for recorded in house.stream().await {
        state.evolve(&recorded.event().unwrap());
        end = recorded.end().unwrap();
    }
    let events = <Show as Aggregate>::decide(&state, &restore(1), START).unwrap();
    let cause = Cause {
        correlation: Uuid::nil(),
        actor: "another node".into(),
        trace: None,
    };
    let expected = Expected::before(end.next);
    let linked = end
        .link(&stream, CommandId(Uuid::from_u128(99)), &cause, START, events)
        .unwrap();
    house.log.log.append(&stream, expected, linked).await.unwrap();
    let refused = house.ask(hold(2, 1, None)).await;
    assert!(
        matches!(refused, Answer::Refused(Refusal::AllHeld { .. })),
        "{refused:?}"
    );
    let deadline = START.plus_ms(1_000_000);
    let answer = house
        .send_as(hold(2, 1, None), deadline, 1)
        .await
        .await
        .unwrap()
        .answer;
    assert!(held(&answer), "{answer:?}");
}
