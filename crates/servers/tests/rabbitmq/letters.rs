//! Looking at dead letters takes none away, however the look ends.

use crate::house::{manage, namespace, options, shared, until};
use ports::SystemClock;
use servers::rabbitmq::{
    RabbitBroker,
    dead_letters::{self, Which},
};
use stack::rabbitmq::RabbitMq;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Puts so many messages that nobody can read among the dead letters, as if they had died in a lane.
fn kill(server: &RabbitMq, namespace: &str, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| Uuid::new_v4().to_string()).collect();
    for id in &ids {
        let properties = format!(r#"{{"type":"ask","message_id":"{id}"}}"#);
        manage(
            server,
            "POST",
            &format!("exchanges/%2f/{namespace}.dead/publish"),
            &format!(
                r#"{{"properties":{properties},"routing_key":"","payload":"not an ask","payload_encoding":"string"}}"#
            ),
        );
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_dead_letters_tells_how_many_there_are_and_takes_none_away() {
    let (server, _use) = shared().await;
    let (namespace, url) = (namespace(), server.url());
    let _broker = RabbitBroker::connect(options(&server, &namespace, "one"), Arc::new(SystemClock)).await;
    let none = dead_letters::page(&url, &namespace, 100).await.unwrap();
    assert_eq!(none, (vec![], 0));
    let ids = kill(&server, &namespace, 7);
    until("seven dead letters", async || {
        dead_letters::page(&url, &namespace, 100).await.unwrap().1 == 7
    })
    .await;
    for _ in 0..3 {
        let (letters, total) = dead_letters::page(&url, &namespace, 5).await.unwrap();
        let shown: Vec<&String> = letters.iter().map(|letter| &letter.id).collect();
        assert_eq!(
            shown,
            ids.iter().take(5).collect::<Vec<_>>(),
            "in their order, every time"
        );
        assert!(letters.iter().all(|letter| letter.body.is_empty()), "{letters:?}");
        assert_eq!(total, 7);
    }
    let all = dead_letters::list(&url, &namespace, 100).await.unwrap();
    assert!(all.len() == 7 && all.iter().all(|letter| letter.body == "not an ask"));
    let absent = Which::Id(Uuid::new_v4().to_string());
    let requeued = dead_letters::requeue(&url, &namespace, &absent).await.unwrap();
    assert!(requeued.is_empty(), "{requeued:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_broken_off_gives_everything_back() {
    let (server, _use) = shared().await;
    let (namespace, url) = (namespace(), server.url());
    let _broker = RabbitBroker::connect(options(&server, &namespace, "one"), Arc::new(SystemClock)).await;
    let ids = kill(&server, &namespace, 20);
    let mut broken_off = 0;
    for after_ms in (1..60).step_by(3) {
        let look = dead_letters::page(&url, &namespace, 100);
        let ended = tokio::time::timeout(Duration::from_millis(after_ms), look).await;
        broken_off += u32::from(ended.is_err());
    }
    assert!(broken_off > 3, "{broken_off} looks were broken off");
    let mut found: Vec<String> = Vec::new();
    until("all letters again", async || {
        let (letters, total) = dead_letters::page(&url, &namespace, 100).await.unwrap();
        found = letters.into_iter().map(|letter| letter.id).collect();
        total == 20 && found.len() == 20
    })
    .await;
    // What was taken when a look was broken off stands behind the others now.
    found.sort();
    let mut expected = ids;
    expected.sort();
    assert_eq!(found, expected);
}
