//! RabbitMQ, on a real one that the tests share. Those that break it have it to themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rabbitmq/house.rs"]
mod house;
#[path = "rabbitmq/letters.rs"]
mod letters;

use async_trait::async_trait;
use contract::{Ask, StreamKind, Timestamp};
use house::{
    OWN, SHARED, alone, answer_all, ask, asking, done, event, gather, manage, namespace, node, options,
    queues_are_on_disk, shared, until, within,
};
use ports::{
    Broker, BrokerError, SystemClock,
    conformance::{self, Failed, Fixture},
};
use servers::rabbitmq::{
    RabbitBroker, RabbitOptions,
    dead_letters::{self, Which},
};
use stack::rabbitmq::RabbitMq;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

struct Fresh(Arc<RabbitMq>);

#[async_trait]
impl Fixture<dyn Broker> for Fresh {
    async fn fresh(&self) -> Result<Arc<dyn Broker>, Failed> {
        let small = RabbitOptions {
            mailbox: 64,
            prefetch_asks: 32,
            ..options(&self.0, &namespace(), "one")
        };
        Ok(RabbitBroker::connect(small, Arc::new(SystemClock)).await)
    }

    async fn reopen(&self, port: Arc<dyn Broker>) -> Result<Arc<dyn Broker>, Failed> {
        drop(port);
        self.fresh().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_what_a_broker_promises() {
    let (server, _use) = shared().await;
    let report = conformance::broker(&Fresh(server)).await;
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_survives_a_kill_of_the_broker_and_its_asker_gets_the_reply() {
    let (server, _use) = alone().await;
    let broker = node(&server, &namespace(), "one").await;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await.unwrap());
    let sent = ask(Uuid::new_v4());
    let asked = asking(&broker, sent.clone());
    let (_, first) = within("the first delivery", deliveries.recv()).await.unwrap();
    queues_are_on_disk().await;
    server.server().kill();
    server.server().begin().unwrap();
    let (_, second) = within("the second delivery", deliveries.recv()).await.unwrap();
    assert_eq!(second.ask.id, sent.id);
    assert_ne!(
        second.term, first.term,
        "somebody else may have served the lane meanwhile"
    );
    // It may come twice, from the queue and from its asker; either answer will do.
    tokio::spawn(async move {
        let _ = second.reply.send(done());
        while let Some((_, delivery)) = deliveries.recv().await {
            let _ = delivery.reply.send(done());
        }
    });
    assert_eq!(within("the reply", asked).await.unwrap().unwrap(), done());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_that_was_taken_is_carried_out_when_everything_has_died() {
    let (server, _use) = alone().await;
    let namespace = namespace();
    let broker = node(&server, &namespace, "one").await;
    // Once, so that there are queues.
    drop(broker.serve(StreamKind::Show).await.unwrap());
    let sent = Ask {
        deadline_ms: Ask::NEVER,
        ..ask(Uuid::new_v4())
    };
    queues_are_on_disk().await;
    drop(broker.submit(sent.clone()).await.unwrap());
    drop(broker);
    server.server().kill();
    server.server().begin().unwrap();
    let other = node(&server, &namespace, "other").await;
    let mut deliveries = gather(other.serve(StreamKind::Show).await.unwrap());
    let (_, delivery) = within("the delivery", deliveries.recv()).await.unwrap();
    assert_eq!(delivery.ask.id, sent.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_of_a_node_that_dies_go_to_another() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let one = node(&server, &namespace, "one").await;
    let mut ones = gather(one.serve(StreamKind::Show).await.unwrap());
    let asker = node(&server, &namespace, "asker").await;
    let sent = ask(Uuid::new_v4());
    let asked = asking(&asker, sent.clone());
    let (_, unanswered) = within("the first delivery", ones.recv()).await.unwrap();
    let other = node(&server, &namespace, "other").await;
    let mut others = gather(other.serve(StreamKind::Show).await.unwrap());
    drop(one);
    let (_, delivery) = within("the second delivery", others.recv()).await.unwrap();
    assert_eq!(delivery.ask.id, sent.id);
    delivery.reply.send(done()).unwrap();
    assert_eq!(within("the reply", asked).await.unwrap().unwrap(), done());
    drop(unanswered);
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_events_without_a_receipt_go_to_another_when_their_node_dies() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let one = node(&server, &namespace, "one").await;
    let mut ones = one.subscribe(&SHARED).await.unwrap();
    let stream = Uuid::new_v4();
    let events: Vec<_> = (0..3).map(|revision| event(stream, revision)).collect();
    let mut held = Vec::new();
    for event in &events {
        one.publish(std::slice::from_ref(event)).await.unwrap();
        held.extend(within("an event", ones.recv()).await.unwrap());
    }
    assert!(held.iter().all(|heard| !heard.again));
    held.remove(0).receipt.done();
    let other = node(&server, &namespace, "other").await;
    let mut others = other.subscribe(&SHARED).await.unwrap();
    one.close().await;
    assert!(within("the end of the subscription", ones.recv()).await.is_none());
    let mut found = Vec::new();
    while found.len() < 2 {
        for heard in within("the events that were not done", others.recv())
            .await
            .unwrap()
        {
            assert!(heard.again);
            found.push(heard.event.revision);
            heard.receipt.done();
        }
    }
    assert_eq!(found, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_before_the_first_reader_comes_is_kept() {
    let (server, _use) = shared().await;
    let with_queues = RabbitOptions {
        shared: &[SHARED],
        ..options(&server, &namespace(), "one")
    };
    let broker = RabbitBroker::connect(with_queues, Arc::new(SystemClock)).await;
    let published = event(Uuid::new_v4(), 0);
    broker.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut events = broker.subscribe(&SHARED).await.unwrap();
    let heard = within("the event", events.recv()).await.unwrap();
    assert_eq!(heard[0].event.id, published.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_whose_queue_was_deleted_is_served_by_nobody() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let server_options = RabbitOptions {
        lanes: 1,
        ..options(&server, &namespace, "one")
    };
    let serving = RabbitBroker::connect(server_options.clone(), Arc::new(SystemClock)).await;
    let asker_options = RabbitOptions {
        node: "asker".into(),
        ..server_options
    };
    let asker = RabbitBroker::connect(asker_options, Arc::new(SystemClock)).await;
    answer_all(serving.serve(StreamKind::Show).await.unwrap());
    assert_eq!(asker.ask(ask(Uuid::new_v4())).await.unwrap(), done());
    serving.close().await;
    manage(
        &server,
        "DELETE",
        &format!("queues/%2f/{namespace}.lane.show.0"),
        "",
    );
    for _ in 0..2 {
        let outcome = within("an answer", asker.ask(ask(Uuid::new_v4()))).await;
        assert!(matches!(outcome, Err(BrokerError::Unavailable(_))), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_full_takes_no_more() {
    let (server, _use) = shared().await;
    let small = RabbitOptions {
        lanes: 1,
        mailbox: 10,
        prefetch_asks: 5,
        ..options(&server, &namespace(), "one")
    };
    let broker = RabbitBroker::connect(small, Arc::new(SystemClock)).await;
    let lanes = broker.serve(StreamKind::Show).await.unwrap();
    let mut taken = 0;
    let refused = loop {
        match broker.submit(ask(Uuid::new_v4())).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, BrokerError::Busy), "{refused:?}");
    // RabbitMQ notices a little late, and one by one there is hardly a little.
    assert!((10..200).contains(&taken), "{taken} were taken");
    answer_all(lanes);
    until("place for another", async || {
        broker.ask(ask(Uuid::new_v4())).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_and_requeued() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let one = RabbitOptions {
        lanes: 1,
        delivery_limit: 2,
        ..options(&server, &namespace, "one")
    };
    let broker = RabbitBroker::connect(one, Arc::new(SystemClock)).await;
    let mut deliveries = gather(broker.serve(StreamKind::Show).await.unwrap());
    let sent = ask(Uuid::new_v4());
    drop(broker.submit(sent.clone()).await.unwrap());
    for _ in 0..3 {
        drop(within("a delivery", deliveries.recv()).await.unwrap());
    }
    manage(
        &server,
        "POST",
        &format!("exchanges/%2f/{namespace}.asks/publish"),
        r#"{"properties":{"type":"ask"},"routing_key":"show.0","payload":"not an ask","payload_encoding":"string"}"#,
    );
    let url = server.url();
    let mut letters = Vec::new();
    until("two dead letters", async || {
        letters = dead_letters::list(&url, &namespace, 10).await.unwrap();
        letters.len() == 2
    })
    .await;
    let ours = letters
        .iter()
        .find(|letter| letter.id == sent.id.0.to_string())
        .unwrap();
    assert_eq!(ours.reason, "delivery_limit");
    assert_eq!(ours.queue, format!("{namespace}.lane.show.0"));
    assert_eq!(ours.exchange, format!("{namespace}.asks"));
    assert_eq!(ours.routing_key, "show.0");
    assert_eq!(ours.kind, "ask");
    assert_eq!(ours.streams, [sent.command.stream().to_string()]);
    assert!(
        ours.at_ms.is_some_and(|at| at > Timestamp(1_500_000_000_000)),
        "{ours:?}"
    );
    let other = letters.iter().find(|letter| letter.id.is_empty()).unwrap();
    assert_eq!((&*other.reason, &*other.body), ("rejected", "not an ask"));
    // Looking has changed nothing.
    assert_eq!(dead_letters::list(&url, &namespace, 10).await.unwrap().len(), 2);
    assert_eq!(
        dead_letters::show(&url, &namespace, &ours.id).await.unwrap(),
        std::slice::from_ref(ours)
    );

    let requeued = dead_letters::requeue(&url, &namespace, &Which::Id(ours.id.clone()))
        .await
        .unwrap();
    assert_eq!(requeued, std::slice::from_ref(ours));
    let (_, delivery) = within("the requeued ask", deliveries.recv()).await.unwrap();
    assert_eq!(delivery.ask.id, sent.id);
    delivery.reply.send(done()).unwrap();
    let left = dead_letters::list(&url, &namespace, 10).await.unwrap();
    assert_eq!(left, std::slice::from_ref(other));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_until_its_connection_ends() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let one = node(&server, &namespace, "one").await;
    let other = node(&server, &namespace, "other").await;
    let term = within("the first term", one.lead("forwarder")).await;
    let waiting = tokio::spawn({
        let other = other.clone();
        async move { other.lead("forwarder").await }
    });
    let another_name = within("a term in another name", other.lead("sweeper")).await;
    assert!(!waiting.is_finished() && !term.is_over());
    one.close().await;
    within("the end of the first term", term.over()).await;
    let second = within("the second term", waiting).await.unwrap();
    // And when a leader resigns.
    let third = node(&server, &namespace, "third").await;
    drop(second);
    within("the third term", third.lead("forwarder")).await;
    drop(another_name);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_calls_fail_at_once_and_work_when_it_is_back() {
    let (server, _use) = alone().await;
    let broker = node(&server, &namespace(), "one").await;
    answer_all(broker.serve(StreamKind::Show).await.unwrap());
    let mut events = broker.subscribe(&OWN).await.unwrap();
    assert_eq!(broker.ask(ask(Uuid::new_v4())).await.unwrap(), done());
    queues_are_on_disk().await;
    server.server().kill();
    assert!(
        within("the end of the subscription", events.recv())
            .await
            .is_none()
    );
    until("not connected", async || !broker.is_connected()).await;
    let begun = Instant::now();
    let outcomes = [
        broker.ask(ask(Uuid::new_v4())).await.map(drop),
        broker.submit(ask(Uuid::new_v4())).await.map(drop),
        broker.publish(&[event(Uuid::new_v4(), 0)]).await,
        broker.subscribe(&OWN).await.map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(BrokerError::Unavailable(_))), "{outcome:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    server.server().begin().unwrap();
    within("the connection", broker.connected()).await;
    let mut events = broker.subscribe(&OWN).await.unwrap();
    let published = event(Uuid::new_v4(), 0);
    broker.publish(std::slice::from_ref(&published)).await.unwrap();
    assert_eq!(
        within("the event", events.recv()).await.unwrap()[0].event.id,
        published.id
    );
    assert_eq!(
        within("the reply", broker.ask(ask(Uuid::new_v4())))
            .await
            .unwrap(),
        done()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_is_away_and_nothing_asked_meanwhile_is_lost() {
    let (server, _use) = alone().await;
    let broker = node(&server, &namespace(), "one").await;
    answer_all(broker.serve(StreamKind::Show).await.unwrap());
    assert_eq!(broker.ask(ask(Uuid::new_v4())).await.unwrap(), done());
    server.server().pause();
    let asked = asking(&broker, ask(Uuid::new_v4()));
    until("not connected", async || !broker.is_connected()).await;
    // Until the connection is given up for another.
    tokio::time::sleep(Duration::from_secs(8)).await;
    server.server().resume();
    assert_eq!(within("the reply", asked).await.unwrap().unwrap(), done());
    within("the connection", broker.connected()).await;
    assert_eq!(
        within("another reply", broker.ask(ask(Uuid::new_v4())))
            .await
            .unwrap(),
        done()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_starts_without_a_broker_and_serves_when_it_comes() {
    let (server, _use) = alone().await;
    server.server().kill();
    let begun = Instant::now();
    let broker = node(&server, &namespace(), "one").await;
    answer_all(broker.serve(StreamKind::Show).await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(5) && !broker.is_connected());
    server.server().begin().unwrap();
    within("the connection", broker.connected()).await;
    until("an answer", async || {
        broker.ask(ask(Uuid::new_v4())).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_later_gets_its_share_of_the_lanes() {
    let (server, _use) = shared().await;
    let namespace = namespace();
    let one = node(&server, &namespace, "one").await;
    let ones = answer_all(one.serve(StreamKind::Show).await.unwrap());
    for _ in 0..32 {
        one.ask(ask(Uuid::new_v4())).await.unwrap();
    }
    assert_eq!(ones.lock().unwrap().len(), 4, "alone, it serves all");
    let other = node(&server, &namespace, "other").await;
    let others = answer_all(other.serve(StreamKind::Show).await.unwrap());
    until("two lanes each", async || {
        ones.lock().unwrap().clear();
        others.lock().unwrap().clear();
        for _ in 0..32 {
            assert_eq!(one.ask(ask(Uuid::new_v4())).await.unwrap(), done());
        }
        let (ones, others) = (ones.lock().unwrap().len(), others.lock().unwrap().len());
        (ones, others) == (2, 2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definitions_can_be_imported_and_hold_for_our_queues() {
    let (server, _use) = shared().await;
    let definitions = include_str!("../../../compose/rabbitmq/definitions.json");
    manage(&server, "POST", "definitions", definitions);
    let _broker = node(&server, "eventflow", "one").await;
    let mut found = String::new();
    until("a policy on our queue", async || {
        found = manage(&server, "GET", "queues/%2f/eventflow.dead-letters", "");
        found.contains("eventflow") && found.contains(r#""operator_policy":"eventflow"#)
    })
    .await;
}
