//! Purchases, cancellations and stuck sagas, on ports that fail as a test tells them.

use crate::common::{
    fakes::Manner,
    kinds, reservation, settings,
    stage::{Stage, outcome},
    world::Payment,
};
use contract::{Event, Refusal, StreamName, events::Step};
use orchestrator::Settings;
use ports::Clock as _;
use tokio::sync::watch;

#[tokio::test(start_paused = true)]
async fn a_purchase_goes_through_in_six_asks_and_one_append() {
    let stage = Stage::new().await;
    let id = reservation(1);
    stage.request(id);
    let events = stage.settled(id).await;
    assert_eq!(
        kinds(&events),
        ["reservation_requested.v1", "reservation_confirmed.v1"]
    );
    assert_eq!(
        stage.broker.names(),
        ["check", "quote", "hold", "take", "record", "sell"]
    );
    assert_eq!(stage.log.appends(), 1);
    stage.stays_consistent(id);
    // Every event is linked to the one before it and knows its cause.
    let recorded = stage.log.recorded(&StreamName::reservation(id));
    for pair in recorded.windows(2) {
        let meta = pair[1].meta().unwrap();
        assert_eq!(meta.prev, pair[0].meta().unwrap().hash);
        assert_eq!((meta.correlation, meta.actor.as_ref()), (id.0, "saga"));
    }
}

#[tokio::test(start_paused = true)]
async fn many_purchases_at_once_all_settle_also_with_few_places() {
    let mut stage = Stage::dark();
    stage
        .start(Settings {
            active_sagas: 3,
            ..settings()
        })
        .await;
    let ids: Vec<_> = (1..=200).map(reservation).collect();
    for id in &ids {
        stage.request(*id);
    }
    for id in ids {
        assert_eq!(
            outcome(&stage.settled(id).await),
            Some("reservation_confirmed.v1")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_gives_the_tickets_back() {
    let stage = Stage::new().await;
    stage.broker.set("take", Manner::Refuse);
    let id = reservation(1);
    stage.request(id);
    let events = stage.settled(id).await;
    assert_eq!(
        kinds(&events)[1..],
        ["compensation_started.v1", "reservation_rejected.v1"],
        "the decision to undo is durable before the first undoing"
    );
    assert_eq!(stage.broker.names()[4..], ["give_back", "restore"]);
    stage.stays_consistent(id);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_are_asked_for_again_under_the_same_id() {
    let stage = Stage::new().await;
    for name in ["check", "quote", "hold", "take", "record", "sell"] {
        stage.broker.set(name, Manner::Lose(2));
    }
    let id = reservation(1);
    stage.request(id);
    assert_eq!(
        outcome(&stage.settled(id).await),
        Some("reservation_confirmed.v1")
    );
    stage.stays_consistent(id);
    let asked = stage.broker.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 18);
    for tries in asked.chunks(3) {
        assert!(tries.iter().all(|again| *again == tries[0]), "{tries:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_participant_that_never_answers_ends_in_a_rejection_that_undoes_whatever_it_did() {
    for (silent, failed) in [
        ("check", Step::ValidateUser),
        ("hold", Step::HoldInventory),
        ("take", Step::TakePayment),
        ("record", Step::RecordHistory),
        ("sell", Step::Confirm),
    ] {
        let stage = Stage::new().await;
        stage.broker.set(silent, Manner::Silent);
        let id = reservation(1);
        stage.request(id);
        let events = stage.settled(id).await;
        let Some(Event::ReservationRejected(rejected)) = events.last() else {
            panic!("{events:?}")
        };
        assert_eq!(rejected.failed_step, failed);
        assert!(matches!(
            rejected.refusal,
            Refusal::TooLate { .. } | Refusal::HoldExpired
        ));
        stage.stays_consistent(id);
    }
}

#[tokio::test(start_paused = true)]
async fn undoing_that_keeps_failing_is_stuck_until_an_operator_resumes_it() {
    let stage = Stage::new().await;
    stage.broker.set("take", Manner::Refuse);
    stage.broker.set("restore", Manner::Fail(1_000));
    let id = reservation(1);
    stage.request(id);
    let stuck = |events: &[Event]| matches!(events.last(), Some(Event::SagaStuck(_)));
    let events = stage.log.until(id, stuck).await;
    let Some(Event::SagaStuck(event)) = events.last() else {
        panic!()
    };
    assert_eq!(event.step, Step::HoldInventory);
    assert_eq!(stage.broker.count("restore"), 3);
    stage.resume(id);
    stage
        .log
        .until(id, |events| stuck(events) && events.len() > 4)
        .await;
    assert_eq!(
        stage.broker.count("restore"),
        6,
        "a resumed saga has all its tries again"
    );
    stage.broker.behave();
    stage.resume(id);
    assert_eq!(outcome(&stage.settled(id).await), Some("reservation_rejected.v1"));
    stage.stays_consistent(id);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_while_the_payment_is_under_way_is_heard_at_once() {
    let stage = Stage::new().await;
    let (gate, closed) = watch::channel(false);
    stage.broker.set("take", Manner::Wait(closed));
    let id = reservation(1);
    stage.request(id);
    stage.broker.asked("take", 1).await;
    let before = stage.clock.now();
    stage.cancel(id);
    assert_eq!(
        outcome(&stage.settled(id).await),
        Some("reservation_cancelled.v1")
    );
    assert!(
        stage.clock.now().ms_since(before) < 100,
        "without waiting for the payment"
    );
    assert_eq!(stage.broker.world(id).payment, Payment::Voided);
    // The payment that was under way comes too late: it finds itself voided.
    gate.send_replace(true);
    stage.stays_consistent(id);
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_purchase_that_is_cancelled_is_paid_back() {
    let stage = Stage::new().await;
    let id = reservation(1);
    stage.request(id);
    stage.settled(id).await;
    stage.cancel(id);
    let cancelled = |events: &[Event]| outcome(events) == Some("reservation_cancelled.v1");
    stage.log.until(id, cancelled).await;
    assert_eq!(stage.broker.names()[6..], ["unrecord", "give_back", "restore"]);
    assert_eq!(stage.broker.world(id).payment, Payment::Refunded);
    stage.stays_consistent(id);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_at_every_ask_undoes_everything() {
    for (name, refused) in ["check", "quote", "hold", "take", "record", "sell"]
        .into_iter()
        .zip([false; 6])
    {
        let stage = Stage::new().await;
        let (gate, closed) = watch::channel(refused);
        stage.broker.set(name, Manner::Wait(closed));
        let id = reservation(1);
        stage.request(id);
        stage.broker.asked(name, 1).await;
        stage.cancel(id);
        stage.broker.behave();
        gate.send_replace(true);
        assert_eq!(
            outcome(&stage.settled(id).await),
            Some("reservation_cancelled.v1"),
            "at {name}"
        );
        stage.stays_consistent(id);
    }
}

#[tokio::test(start_paused = true)]
async fn steps_of_a_purchase_that_waits_in_line_can_be_read() {
    let stage = Stage::new().await;
    let (gate, closed) = watch::channel(false);
    stage.broker.set("hold", Manner::Wait(closed));
    let id = reservation(1);
    stage.request(id);
    let events = stage.log.until(id, |events| events.len() == 2).await;
    let Event::ReservationProgressed(progressed) = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!(progressed.steps.len(), 2);
    assert_eq!(
        stage.broker.names(),
        ["check", "quote", "hold"],
        "while the ask is under way"
    );
    gate.send_replace(true);
    assert_eq!(
        outcome(&stage.settled(id).await),
        Some("reservation_confirmed.v1")
    );
    assert_eq!(stage.broker.count("hold"), 1);
}
