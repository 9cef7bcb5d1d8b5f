//! Crashes, restarts, repeated and missed events, cancelled shows.

use crate::common::{
    SHOW, T0,
    fakes::{Fault, Manner},
    kinds, reservation, settings,
    stage::{Stage, outcome},
    world::{Hold, Payment},
};
use contract::{
    Event, Refusal, ReservationId, StreamName,
    collections::SHOWS,
    events::{CompensationStarted, ReservationRejected, ShowCancelled, Step, StepRecord, StepState, Tally},
};
use ports::Clock as _;
use tokio::sync::watch;

#[tokio::test(start_paused = true)]
async fn an_append_whose_outcome_is_unknown_is_read_back() {
    for fault in [Fault::UnknownWritten, Fault::UnknownLost, Fault::Unavailable] {
        for at in 0..2 {
            let stage = Stage::new().await;
            let (gate, closed) = watch::channel(false);
            stage.broker.set(["hold", "sell"][at], Manner::Wait(closed));
            let id = reservation(1);
            stage.request(id);
            stage.broker.asked(["hold", "sell"][at], 1).await;
            stage.log.fail_next([fault, fault]);
            gate.send_replace(true);
            assert_eq!(
                outcome(&stage.settled(id).await),
                Some("reservation_confirmed.v1"),
                "{fault:?}"
            );
            stage.stays_consistent(id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_every_append_ends_in_the_same_outcome() {
    for (refuse, cancelled, expected) in [
        (None, false, "reservation_confirmed.v1"),
        (Some("quote"), false, "reservation_rejected.v1"),
        (Some("hold"), false, "reservation_rejected.v1"),
        (Some("take"), false, "reservation_rejected.v1"),
        (Some("sell"), false, "reservation_rejected.v1"),
        (None, true, "reservation_cancelled.v1"),
    ] {
        for written in [false, true] {
            let mut crashes = 0;
            for append in 0.. {
                let mut stage = Stage::new().await;
                if let Some(name) = refuse {
                    stage.broker.set(name, Manner::Refuse);
                }
                let id = reservation(1);
                stage.log.crash_at(append, written);
                stage.request(id);
                if cancelled {
                    stage.cancel(id);
                }
                let ended = tokio::select! {
                    () = stage.log.crashed() => false,
                    _ = stage.settled(id) => !written || append >= stage.log.appends(),
                };
                if ended {
                    assert_eq!(outcome(&stage.log.stream(id)), Some(expected));
                    break;
                }
                crashes += 1;
                stage.log.crashed().await;
                stage.kill().await;
                stage.start(settings()).await;
                let events = stage.settled(id).await;
                assert_eq!(
                    outcome(&events),
                    Some(expected),
                    "crash at append {append}: {:?}",
                    kinds(&events)
                );
                stage.stays_consistent(id);
            }
            assert!(crashes > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_every_ask_ends_in_the_same_outcome() {
    for name in ["check", "quote", "hold", "take", "record", "sell"] {
        let mut stage = Stage::new().await;
        let (_gate, closed) = watch::channel(false);
        stage.broker.set(name, Manner::Wait(closed));
        let id = reservation(1);
        stage.request(id);
        stage.broker.asked(name, 1).await;
        stage.kill().await;
        stage.broker.behave();
        stage.start(settings()).await;
        assert_eq!(
            outcome(&stage.settled(id).await),
            Some("reservation_confirmed.v1"),
            "at {name}"
        );
        stage.stays_consistent(id);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_night_nobody_is_charged_for_tickets_that_expired() {
    let mut stage = Stage::new().await;
    let (_gate, closed) = watch::channel(false);
    stage.broker.set("take", Manner::Wait(closed));
    let id = reservation(1);
    stage.request(id);
    stage.broker.asked("take", 1).await;
    stage.kill().await;
    stage.broker.behave();
    stage.clock.sleep_until(T0.plus_ms(86_400_000)).await;
    stage.start(settings()).await;
    let events = stage.settled(id).await;
    assert_eq!(outcome(&events), Some("reservation_rejected.v1"));
    assert_eq!(stage.broker.count("take"), 1);
    assert_eq!(
        (stage.broker.world(id).payment, stage.broker.world(id).hold),
        (Payment::Voided, Hold::Over)
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_again_starts_nothing() {
    let stage = Stage::new().await;
    let id = reservation(1);
    let requested = stage.request(id);
    stage.settled(id).await;
    let asked = stage.broker.names().len();
    stage.log.redeliver(requested).await;
    // Events are taken in order: when the next purchase is done, the repeated event was seen.
    stage.request(reservation(2));
    stage.settled(reservation(2)).await;
    assert_eq!(stage.broker.names().len(), asked + 6);
    assert_eq!(stage.log.stream(id).len(), 2);
}

/// What another process writes that drives the same purchase, whose hold was refused before this one's was granted.
fn is_rejected_elsewhere(stage: &Stage, reservation_id: ReservationId) {
    let record = |state| StepRecord {
        step: Step::HoldInventory,
        state,
        at_ms: stage.clock.now(),
    };
    let stream = StreamName::reservation(reservation_id);
    let refusal = Refusal::SoldOut { free: 0 };
    stage.log.put(
        &stream,
        CompensationStarted {
            steps: vec![record(StepState::Failed)],
            hold: None,
            failed_step: Step::HoldInventory,
            refusal: refusal.clone(),
            at_ms: stage.clock.now(),
        },
    );
    stage.log.put(
        &stream,
        ReservationRejected {
            reservation_id,
            steps: vec![record(StepState::Failed)],
            failed_step: Step::HoldInventory,
            refusal,
            at_ms: stage.clock.now(),
        },
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_while_another_process_ended_the_purchase_is_paid_back() {
    // At each ask after the hold was granted here, the other process rejects the purchase.
    for name in ["take", "record", "sell"] {
        let stage = Stage::new().await;
        let (gate, closed) = watch::channel(false);
        stage.broker.set(name, Manner::Wait(closed));
        let id = reservation(1);
        stage.request(id);
        stage.broker.asked(name, 1).await;
        is_rejected_elsewhere(&stage, id);
        gate.send_replace(true);
        stage.broker.asked("restore", 1).await;
        stage.is_idle().await;
        stage.stays_consistent(id);
        assert_eq!(
            outcome(&stage.log.stream(id)),
            Some("reservation_rejected.v1"),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_is_paid_back_also_when_the_process_that_took_it_has_died() {
    let mut stage = Stage::new().await;
    let (_gate, closed) = watch::channel(false);
    stage.broker.set("sell", Manner::Wait(closed));
    let id = reservation(1);
    let requested = stage.request(id);
    stage.broker.asked("sell", 1).await;
    assert_eq!(stage.broker.world(id).payment, Payment::Captured);
    is_rejected_elsewhere(&stage, id);
    stage.kill().await;
    stage.broker.behave();
    stage.start(settings()).await;
    // The request was not taken as done, so the broker brings it again.
    stage.log.redeliver(requested).await;
    stage.broker.asked("restore", 1).await;
    stage.is_idle().await;
    stage.stays_consistent(id);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_show_gives_every_sale_back() {
    let stage = Stage::new().await;
    let ids: Vec<_> = (1..=600).map(reservation).collect();
    for id in &ids {
        stage.request(*id);
    }
    for id in &ids {
        stage.settled(*id).await;
    }
    stage.broker.sales.lock().unwrap().extend(&ids);
    stage.broker.set("list_sales", Manner::Fail(2));
    stage.broker.set("reservation", Manner::Fail(5));
    let event = ShowCancelled {
        show_id: SHOW,
        tally: Tally::default(),
        at_ms: stage.clock.now(),
    };
    stage.log.put(&StreamName::show(SHOW), event);
    for id in ids {
        let cancelled = |events: &[Event]| outcome(events) == Some("reservation_cancelled.v1");
        stage.log.until(id, cancelled).await;
        stage.stays_consistent(id);
    }
    assert!(stage.broker.sales.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn shows_that_were_left_open_are_woken_and_swept_at_the_start() {
    let mut stage = Stage::new().await;
    let id = reservation(1);
    stage.request(id);
    stage.settled(id).await;
    stage.kill().await;
    stage.broker.sales.lock().unwrap().insert(id);
    stage.store.put(&SHOWS, SHOW.to_string(), r#"{"cancelled":true}"#);
    stage.broker.set("expire_holds", Manner::Fail(1));
    stage.start(settings()).await;
    let cancelled = |events: &[Event]| outcome(events) == Some("reservation_cancelled.v1");
    stage.log.until(id, cancelled).await;
    stage.broker.asked("expire_holds", 2).await;
}

#[tokio::test(start_paused = true)]
async fn recovery_waits_until_the_read_models_know_the_log() {
    let mut stage = Stage::dark();
    let id = reservation(1);
    let requested = stage.request(id);
    stage.start_behind(settings());
    stage.clock.sleep_until(T0.plus_ms(10_000)).await;
    assert_eq!(
        stage.broker.names(),
        [""; 0],
        "what the projection does not know cannot be found"
    );
    stage.store.applied.send_replace(Some(requested.position));
    assert_eq!(
        outcome(&stage.settled(id).await),
        Some("reservation_confirmed.v1")
    );
}

#[tokio::test(start_paused = true)]
async fn what_happens_between_two_subscriptions_is_not_missed() {
    let stage = Stage::new().await;
    stage.log.close_subscriptions();
    // Nobody hears of this request; the projection sees it.
    let requested = stage.request(reservation(1));
    stage.store.applied.send_replace(Some(requested.position));
    let events = stage.settled(reservation(1)).await;
    assert_eq!(outcome(&events), Some("reservation_confirmed.v1"));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_finishes_what_is_in_flight_and_does_not_wait_for_what_hangs() {
    let mut stage = Stage::new().await;
    let (gate, closed) = watch::channel(false);
    stage.broker.set("take", Manner::Wait(closed));
    stage.request(reservation(1));
    stage.broker.asked("take", 1).await;
    let (running, stop) = stage.process.take().unwrap();
    stop.send_replace(true);
    tokio::task::yield_now().await;
    gate.send_replace(true);
    running.await.unwrap();
    assert_eq!(
        outcome(&stage.log.stream(reservation(1))),
        Some("reservation_confirmed.v1")
    );

    let mut stage = Stage::new().await;
    let (_gate, closed) = watch::channel(false);
    stage.broker.set("take", Manner::Wait(closed));
    stage.request(reservation(1));
    stage.broker.asked("take", 1).await;
    let (running, stop) = stage.process.take().unwrap();
    let before = stage.clock.now();
    stop.send_replace(true);
    running.await.unwrap();
    assert!(stage.clock.now().ms_since(before) <= settings().drain_ms + 100);
}
