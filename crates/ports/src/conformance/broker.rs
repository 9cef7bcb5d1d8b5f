//! What every broker promises.

use super::{Check, Failed, Fixture, Outcome, checks, ensure, fresh_id, same};
use crate::{
    Audience, Broker, BrokerError, Clock, Delivery, Events, Interest, Lanes, Subscription, SystemClock,
};
use contract::{
    Answer, Ask, Cause, CommandId, EventId, Position, Recorded, Reply, ShowId, StreamKind, StreamName,
    Timestamp,
    commands::{Command, ShowAction, ShowCommand},
};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tokio::sync::mpsc;
use uuid::Uuid;

type Post<'a> = &'a dyn Fixture<dyn Broker>;

pub(super) fn checks() -> Vec<Check<dyn Broker>> {
    checks![
        an_ask_reaches_a_lane_and_its_reply_comes_back,
        asks_of_one_key_reach_one_lane_in_order,
        asks_spread_over_the_lanes,
        asks_that_nobody_serves_are_refused,
        a_lane_is_served_once,
        a_dropped_reply_is_no_answer_or_another_delivery,
        an_ask_that_was_taken_is_answered_later,
        an_ask_is_given_up_at_its_deadline,
        a_full_mailbox_says_so,
        every_subscriber_gets_every_event_in_order,
        a_subscriber_gets_only_the_kinds_it_wants,
        a_subscriber_gets_only_the_events_it_names,
        a_shared_subscription_hears_every_event_in_order,
        a_slow_subscriber_misses_nothing,
        a_subscriber_that_left_holds_nobody_up,
    ]
}

fn in_ms(ms: u64) -> Timestamp {
    SystemClock.now().plus_ms(ms)
}

fn ask_until(key: Uuid, deadline_ms: Timestamp) -> Ask {
    Ask {
        id: CommandId(fresh_id()),
        cause: Cause {
            correlation: key,
            actor: "conformance".into(),
            trace: None,
        },
        deadline_ms,
        command: Command::Show(ShowCommand {
            show_id: ShowId(key),
            action: ShowAction::ExpireHolds,
        }),
    }
}

fn ask(key: Uuid) -> Ask {
    ask_until(key, in_ms(60_000))
}

fn reply(position: u64) -> Reply {
    Reply {
        position: Some(Position(position)),
        answer: Answer::Done,
    }
}

/// What all lanes receive, with the number of the lane.
fn gather(lanes: Lanes) -> mpsc::Receiver<(usize, Delivery)> {
    let (sender, receiver) = mpsc::channel(1);
    for (number, mut lane) in lanes.into_iter().enumerate() {
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(delivery) = lane.recv().await {
                if sender.send((number, delivery)).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

async fn next(deliveries: &mut mpsc::Receiver<(usize, Delivery)>) -> Result<(usize, Delivery), Failed> {
    deliveries
        .recv()
        .await
        .ok_or_else(|| Failed::because("the lanes ended"))
}

type Asking = Pin<Box<dyn Future<Output = Result<Reply, BrokerError>> + Send>>;

fn asking(broker: &Arc<dyn Broker>, ask: Ask) -> Asking {
    let broker = broker.clone();
    Box::pin(async move { broker.ask(ask).await })
}

/// Gives the ask the chance to be accepted, without waiting for its answer.
async fn begin(asking: &mut Asking) -> Poll<Result<Reply, BrokerError>> {
    std::future::poll_fn(|context: &mut Context<'_>| Poll::Ready(asking.as_mut().poll(context))).await
}

async fn an_ask_reaches_a_lane_and_its_reply_comes_back(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await?);
    let sent = ask(fresh_id());
    let asked = tokio::spawn(asking(&broker, sent.clone()));
    let (_, delivery) = next(&mut deliveries).await?;
    same("the ask's id", delivery.ask.id, sent.id)?;
    same("the ask's cause", delivery.ask.cause, sent.cause)?;
    same("the ask's deadline", delivery.ask.deadline_ms, sent.deadline_ms)?;
    same(
        "the ask's stream",
        delivery.ask.command.stream(),
        sent.command.stream(),
    )?;
    ensure!(
        delivery.reply.send(reply(7)).is_ok(),
        "nobody waits for the reply"
    );
    same("the reply", asked.await??, reply(7))
}

async fn asks_of_one_key_reach_one_lane_in_order(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await?);
    let keys: Vec<Uuid> = (0..8).map(|_| fresh_id()).collect();
    let mut asked = Vec::new();
    let mut sent: BTreeMap<Uuid, Vec<CommandId>> = BTreeMap::new();
    for round in 0..10 {
        for key in &keys {
            let ask = ask(*key);
            sent.entry(*key).or_default().push(ask.id);
            let mut future = asking(&broker, ask);
            ensure!(
                begin(&mut future).await.is_pending(),
                "an answer in round {round} that nobody gave"
            );
            asked.push(tokio::spawn(future));
        }
    }
    let mut found: BTreeMap<Uuid, Vec<CommandId>> = BTreeMap::new();
    let mut lane_of: BTreeMap<Uuid, usize> = BTreeMap::new();
    for index in 0..asked.len() {
        let (lane, delivery) = next(&mut deliveries).await?;
        let key = delivery.ask.command.key();
        same("the lane of a key", lane, *lane_of.entry(key).or_insert(lane))?;
        found.entry(key).or_default().push(delivery.ask.id);
        // The asker may not wait for this one any more; its order is what counts here.
        let _ = delivery.reply.send(reply(index as u64));
    }
    for asked in asked {
        asked.await??;
    }
    same("the asks of each key", found, sent)
}

async fn asks_spread_over_the_lanes(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let lanes = broker.serve(StreamKind::Show).await?;
    let count = lanes.len();
    let mut deliveries = gather(lanes);
    let mut met = vec![0_u32; count];
    for _ in 0..count * 4 {
        // Together: a broker may write each of them to disk before it goes on.
        let asked: Vec<_> = (0..16)
            .map(|_| tokio::spawn(asking(&broker, ask(fresh_id()))))
            .collect();
        for _ in &asked {
            let (lane, delivery) = next(&mut deliveries).await?;
            met[lane] += 1;
            let _ = delivery.reply.send(reply(1));
        }
        for asked in asked {
            asked.await??;
        }
    }
    // 64 each on average; a fair hash gives less than 16 once in more than a million runs.
    ensure!(met.iter().all(|met| *met >= 16), "the lanes met {met:?} asks");
    Ok(())
}

async fn asks_that_nobody_serves_are_refused(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let lanes = broker.serve(StreamKind::User).await?;
    let outcome = broker.ask(ask(fresh_id())).await;
    ensure!(
        matches!(outcome, Err(BrokerError::Unavailable(_))),
        "expected `Unavailable`, got {outcome:?}"
    );
    drop(lanes);
    Ok(())
}

async fn a_lane_is_served_once(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let lanes = broker.serve(StreamKind::Show).await?;
    ensure!(
        broker.serve(StreamKind::Show).await.is_err(),
        "the lanes are served twice"
    );
    ensure!(
        broker.serve(StreamKind::User).await.is_ok(),
        "another kind's lanes cannot be served"
    );
    drop(lanes);
    Ok(())
}

async fn a_dropped_reply_is_no_answer_or_another_delivery(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await?);
    let sent = ask(fresh_id());
    let asked = tokio::spawn(asking(&broker, sent.clone()));
    drop(next(&mut deliveries).await?);
    if broker.keeps_asks() {
        let (_, again) = next(&mut deliveries).await?;
        same("the ask that came again", again.ask.id, sent.id)?;
        ensure!(again.reply.send(reply(5)).is_ok(), "nobody waits for the reply");
        return same("the reply", asked.await??, reply(5));
    }
    let outcome = asked.await?;
    ensure!(
        matches!(outcome, Err(BrokerError::NoAnswer)),
        "expected `NoAnswer`, got {outcome:?}"
    );
    Ok(())
}

async fn an_ask_that_was_taken_is_answered_later(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await?);
    let sent = ask(fresh_id());
    let taken = broker.submit(sent.clone()).await?;
    let (_, delivery) = next(&mut deliveries).await?;
    same("the ask's id", delivery.ask.id, sent.id)?;
    ensure!(
        delivery.reply.send(reply(3)).is_ok(),
        "nobody waits for the reply"
    );
    same("the reply", taken.await?, reply(3))
}

async fn an_ask_is_given_up_at_its_deadline(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await?);
    let deadline = in_ms(50);
    let asked = tokio::spawn(asking(&broker, ask_until(fresh_id(), deadline)));
    let delivery = next(&mut deliveries).await?;
    let outcome = asked.await?;
    ensure!(
        matches!(outcome, Err(BrokerError::NoAnswer)),
        "expected `NoAnswer`, got {outcome:?}"
    );
    ensure!(SystemClock.now() >= deadline, "given up before the deadline");
    drop(delivery);
    Ok(())
}

async fn a_full_mailbox_says_so(fixture: Post<'_>) -> Outcome {
    const FAR_TOO_MANY: usize = 200_000;
    let broker = fixture.fresh().await?;
    let lanes = broker.serve(StreamKind::Show).await?;
    let key = fresh_id();
    let full = Arc::new(AtomicBool::new(false));
    let mut asked = Vec::new();
    while !full.load(Ordering::Relaxed) {
        ensure!(asked.len() < FAR_TOO_MANY, "a mailbox without a limit");
        let (full, asking) = (full.clone(), asking(&broker, ask(key)));
        asked.push(tokio::spawn(async move {
            let outcome = asking.await;
            if matches!(outcome, Err(BrokerError::Busy)) {
                full.store(true, Ordering::Relaxed);
            }
            outcome
        }));
        tokio::task::yield_now().await;
    }
    // What was accepted before is delivered and answered all the same.
    let mut deliveries = gather(lanes);
    let answering = tokio::spawn(async move {
        while let Some((_, delivery)) = deliveries.recv().await {
            let _ = delivery.reply.send(reply(1));
        }
    });
    for asked in asked {
        let outcome = asked.await?;
        let right = matches!(&outcome, Err(BrokerError::Busy))
            || outcome.as_ref().is_ok_and(|found| *found == reply(1));
        ensure!(right, "expected a reply or `Busy`, got {outcome:?}");
    }
    answering.abort();
    Ok(())
}

fn event(kind: StreamKind, id: Uuid, revision: u64) -> Arc<Recorded> {
    Arc::new(Recorded {
        position: Position(revision * 10),
        stream: StreamName::of(kind, id),
        revision,
        id: EventId(fresh_id()),
        kind: "conformance_checked.v1".into(),
        data: "{}".into(),
        meta: "{}".into(),
        decoded: None,
    })
}

static SHOW: [Interest; 1] = [Interest::all(StreamKind::Show)];
static USER: [Interest; 1] = [Interest::all(StreamKind::User)];
static SHOW_AND_USER: [Interest; 2] = [Interest::all(StreamKind::Show), Interest::all(StreamKind::User)];
static CHECKED: [Interest; 1] = [Interest {
    kind: StreamKind::Show,
    events: &["conformance_checked.v1"],
}];

fn to_each(name: &'static str, interests: &'static [Interest]) -> Subscription {
    Subscription {
        name,
        audience: Audience::Each,
        interests,
    }
}

/// Receives until so many events have come; returns their ids.
async fn receive(batches: &mut Events, count: usize) -> Result<Vec<EventId>, Failed> {
    let mut found = Vec::new();
    while found.len() < count {
        let batch = batches
            .recv()
            .await
            .ok_or_else(|| Failed::because("the subscription ended"))?;
        found.extend(batch.into_iter().map(|heard| {
            heard.receipt.done();
            heard.event.id
        }));
    }
    Ok(found)
}

async fn every_subscriber_gets_every_event_in_order(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut one = broker.subscribe(&to_each("conformance-one", &SHOW)).await?;
    let mut other = broker
        .subscribe(&to_each("conformance-other", &SHOW_AND_USER))
        .await?;
    let show = fresh_id();
    let events: Vec<_> = (0..30)
        .map(|revision| event(StreamKind::Show, show, revision))
        .collect();
    for batch in events.chunks(7) {
        broker.publish(batch).await?;
    }
    let expected: Vec<EventId> = events.iter().map(|event| event.id).collect();
    same(
        "what the one received",
        receive(&mut one, 30).await?,
        expected.clone(),
    )?;
    same(
        "what the other received",
        receive(&mut other, 30).await?,
        expected,
    )
}

async fn a_subscriber_gets_only_the_kinds_it_wants(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut wanted = broker.subscribe(&to_each("conformance-users", &USER)).await?;
    let mut others = event(StreamKind::User, fresh_id(), 0);
    Arc::make_mut(&mut others).stream = StreamName::new("somebody-elses-stream");
    let (user, show) = (
        event(StreamKind::User, fresh_id(), 0),
        event(StreamKind::Show, fresh_id(), 0),
    );
    let last = event(StreamKind::User, fresh_id(), 0);
    broker.publish(&[show.clone(), others.clone()]).await?;
    broker.publish(&[show, user.clone(), others]).await?;
    broker.publish(std::slice::from_ref(&last)).await?;
    same(
        "what was received",
        receive(&mut wanted, 2).await?,
        vec![user.id, last.id],
    )
}

async fn a_subscriber_gets_only_the_events_it_names(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut wanted = broker.subscribe(&to_each("conformance-named", &CHECKED)).await?;
    let show = fresh_id();
    let mut events: Vec<_> = (0..6)
        .map(|revision| event(StreamKind::Show, show, revision))
        .collect();
    for odd in events.iter_mut().skip(1).step_by(2) {
        Arc::make_mut(odd).kind = "conformance_ignored.v1".into();
    }
    broker.publish(&events).await?;
    let expected = events.iter().step_by(2).map(|event| event.id).collect();
    same("what was received", receive(&mut wanted, 3).await?, expected)
}

async fn a_shared_subscription_hears_every_event_in_order(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let shared = Subscription {
        name: "conformance-shared",
        audience: Audience::Shared,
        interests: &SHOW,
    };
    let mut heard = broker.subscribe(&shared).await?;
    let (one, other) = (fresh_id(), fresh_id());
    let events: Vec<_> = (0..40)
        .map(|number| {
            event(
                StreamKind::Show,
                if number % 2 == 0 { one } else { other },
                number / 2,
            )
        })
        .collect();
    for batch in events.chunks(9) {
        broker.publish(batch).await?;
    }
    let found = receive(&mut heard, 40).await?;
    for stream in [0, 1] {
        let expected: Vec<_> = events
            .iter()
            .skip(stream)
            .step_by(2)
            .map(|event| event.id)
            .collect();
        let found: Vec<_> = found.iter().filter(|id| expected.contains(id)).copied().collect();
        same("what was received of one stream", found, expected)?;
    }
    Ok(())
}

async fn a_slow_subscriber_misses_nothing(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    let mut slow = broker.subscribe(&to_each("conformance-slow", &SHOW)).await?;
    let show = fresh_id();
    let events: Vec<_> = (0..5_000)
        .map(|revision| event(StreamKind::Show, show, revision))
        .collect();
    let expected: Vec<EventId> = events.iter().map(|event| event.id).collect();
    // The broker itself stays: with it, a connection to a real one ends, and with that the subscription.
    let publisher = broker.clone();
    let publishing = tokio::spawn(async move {
        for batch in events.chunks(10) {
            publisher.publish(batch).await?;
        }
        Ok::<_, BrokerError>(())
    });
    let mut found = Vec::new();
    while found.len() < expected.len() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        found.extend(receive(&mut slow, 1).await?);
    }
    publishing.await??;
    same("what was received", found, expected)
}

async fn a_subscriber_that_left_holds_nobody_up(fixture: Post<'_>) -> Outcome {
    let broker = fixture.fresh().await?;
    drop(broker.subscribe(&to_each("conformance-left", &SHOW)).await?);
    let mut stays = broker.subscribe(&to_each("conformance-stays", &SHOW)).await?;
    let show = fresh_id();
    let (first, second) = (event(StreamKind::Show, show, 0), event(StreamKind::Show, show, 1));
    broker.publish(std::slice::from_ref(&first)).await?;
    broker.publish(std::slice::from_ref(&second)).await?;
    same(
        "what was received",
        receive(&mut stays, 2).await?,
        vec![first.id, second.id],
    )
}
