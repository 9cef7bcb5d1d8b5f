//! What still works while a server is away, and what comes of what was accepted meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{
    buyers::{consistent, until},
    client,
    client::{Answer, Client, purchase},
    look, ready, stories, tell, verify,
};
use serde_json::json;
use stack::{
    Server,
    platform::{Platform, Shape},
    prometheus,
};
use std::{net::SocketAddr, process::ExitCode, time::Instant};

/// Somebody who can buy, a show with tickets, and reads that know both.
async fn scene(platform: &Platform, name: &str) -> (Client, String, String) {
    let mut client = client(platform).await;
    let person = client.register(name).await;
    let show = client.schedule(100).await;
    client
        .get_fresh(&format!("/api/eventos/{show}"))
        .await
        .expect(200);
    client
        .get_fresh(&format!("/api/usuarios/{person}"))
        .await
        .expect(200);
    (client, person, show)
}

async fn buy(client: &mut Client, person: &str, show: &str, wait: u32) -> Answer {
    let headers = format!("Prefer: wait={wait}\r\n");
    let body = purchase(person, show, 1).to_string();
    client.send("POST", "/api/reservar", &headers, &body).await
}

#[track_caller]
fn turned_away(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.body["codigo"].is_string(), "{}", answer.text);
    assert!(answer.retry_after.is_some(), "503 without Retry-After");
}

async fn without_mongodb_shows_availability_and_people_are_read_from_redis(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "sin-mongo").await;
    platform.mongodb.server().kill();
    for _ in 0..10 {
        let read = client.get(&format!("/api/eventos/{show}")).await.expect(200);
        consistent(&read.body);
        let read = client.get(&format!("/api/usuarios/{person}")).await.expect(200);
        assert_eq!(read.body["nombre"], "Ana");
    }
    // Selling goes on, and what is sold is seen.
    let bought = buy(&mut client, &person, &show, 10).await.expect(201);
    until("the sale in Redis", async || {
        let read = client.get(&format!("/api/eventos/{show}")).await.expect(200);
        read.body["entradas_vendidas"] == 1
    })
    .await;
    platform.mongodb.server().begin().unwrap();
    ready(platform).await;
    let path = format!("/api/usuarios/{person}/compras");
    until("the purchase in MongoDB", async || {
        let read = client.get_fresh(&path).await;
        read.text.contains(&bought.field("reserva_id"))
    })
    .await;
}

async fn without_redis_everything_is_read_from_mongodb(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "sin-redis").await;
    platform.redis.server().kill();
    buy(&mut client, &person, &show, 10).await.expect(201);
    let read = client
        .get_fresh(&format!("/api/eventos/{show}"))
        .await
        .expect(200);
    assert_eq!(read.body["entradas_vendidas"], 1);
    client
        .get_fresh(&format!("/api/usuarios/{person}"))
        .await
        .expect(200);
    platform.redis.server().begin().unwrap();
    ready(platform).await;
    buy(&mut client, &person, &show, 10).await.expect(201);
    // It came back empty: it is filled again, and answers with what was sold meanwhile.
    until("a filled Redis", async || {
        let read = client.get_fresh(&format!("/api/eventos/{show}")).await;
        read.status == 200 && read.body["entradas_vendidas"] == 2
    })
    .await;
}

async fn without_both_reads_are_turned_away_and_selling_goes_on(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "sin-lecturas").await;
    platform.mongodb.server().kill();
    platform.redis.server().kill();
    until("a read that is turned away", async || {
        client.get(&format!("/api/eventos/{show}")).await.status == 503
    })
    .await;
    turned_away(&client.get(&format!("/api/eventos/{show}")).await);
    turned_away(&client.get(&format!("/api/usuarios/{person}")).await);
    for _ in 0..5 {
        buy(&mut client, &person, &show, 20).await.expect(201);
    }
    platform.mongodb.server().begin().unwrap();
    platform.redis.server().begin().unwrap();
    ready(platform).await;
    assert_eq!(client.settled_tally(&show).await, [95, 5]);
}

async fn without_eventstoredb_purchases_are_accepted_and_carried_out_once_afterwards(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "sin-registro").await;
    buy(&mut client, &person, &show, 10).await.expect(201);
    platform.eventstore.kill();
    let mut accepted = Vec::new();
    for number in 0..5 {
        let headers = format!("Idempotency-Key: sin-registro-{number}\r\nPrefer: wait=1\r\n");
        let body = purchase(&person, &show, 1).to_string();
        // Twice: the same key is the same purchase, also while nothing can be looked up.
        for _ in 0..2 {
            let answer = client
                .send("POST", "/api/reservar", &headers, &body)
                .await
                .expect(202);
            assert_eq!(answer.body["estado"], "pendiente");
            assert!(answer.location.is_some());
            accepted.push(answer.field("reserva_id"));
        }
    }
    accepted.dedup();
    assert_eq!(accepted.len(), 5);
    platform.eventstore.begin().unwrap();
    ready(platform).await;
    for id in &accepted {
        until("the purchase that was accepted", async || {
            client.get(&format!("/api/reservar/{id}")).await.body["estado"] == "confirmada"
        })
        .await;
        let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200).body;
        assert_eq!(paid["capturado"], json!(49.9), "{paid}");
    }
    let last = buy(&mut client, &person, &show, 20).await.expect(201);
    assert!(last.position.is_some());
    assert_eq!(client.settled_tally(&show).await, [93, 7]);
    verify(platform).await;
}

async fn also_a_node_that_knows_nothing_accepts_purchases_without_eventstoredb(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "a-ciegas").await;
    platform.eventstore.kill();
    // Whatever the lanes had in memory is gone: nobody can quote the show or check the person.
    for node in &platform.command_side {
        node.kill();
        node.begin().unwrap();
    }
    let accepted = buy(&mut client, &person, &show, 0).await.expect(202);
    let unknown = buy(&mut client, "00000000-0000-4000-8000-000000000000", &show, 0)
        .await
        .expect(202);
    platform.eventstore.begin().unwrap();
    ready(platform).await;
    until("the purchase that was accepted", async || {
        let read = client
            .get(&format!("/api/reservar/{}", accepted.field("reserva_id")))
            .await;
        read.body["estado"] == "confirmada" && read.body["monto_total"] == json!(49.9)
    })
    .await;
    until("the refusal of who is not registered", async || {
        let read = client
            .get(&format!("/api/reservar/{}", unknown.field("reserva_id")))
            .await;
        read.body["estado"] == "rechazada"
    })
    .await;
}

async fn without_rabbitmq_nothing_is_lost_and_the_forwarder_catches_up(platform: &Platform) {
    let (mut client, person, show) = scene(platform, "sin-mensajes").await;
    let held = json!({ "usuario_id": person, "cantidad": 1 }).to_string();
    let holds = format!("/api/eventos/{show}/bloqueos");
    platform.rabbitmq.server().kill();
    let begun = Instant::now();
    turned_away(&client.send("POST", &holds, "", &held).await);
    let answer = buy(&mut client, &person, &show, 1).await;
    assert!(matches!(answer.status, 202 | 503), "{}", answer.text);
    println!("  told within {:.1} s", begun.elapsed().as_secs_f64());
    client.get(&format!("/api/eventos/{show}")).await.expect(200);
    platform.rabbitmq.server().begin().unwrap();
    ready(platform).await;
    until("a sale", async || {
        buy(&mut client, &person, &show, 10).await.status == 201
    })
    .await;
    client.send("POST", &holds, "", &held).await.expect(201);
    verify(platform).await;
}

async fn prometheus_sees_every_node_and_says_what_is_away(platform: &Platform) {
    let addresses = |servers: &[Server]| servers.iter().map(Server::address).collect::<Vec<_>>();
    let rabbitmq = SocketAddr::from(([127, 0, 0, 1], platform.rabbitmq.prometheus()));
    let prometheus = prometheus::start(&[
        ("command-side", addresses(&platform.command_side)),
        ("query-side", addresses(&platform.query_side)),
        ("projector", addresses(&platform.projectors)),
        ("orchestrator", addresses(&platform.orchestrators)),
        ("rabbitmq", vec![rabbitmq]),
    ])
    .unwrap();
    let nodes = platform.nodes().count() + 1;
    let counted = async |query: &str| {
        let path = format!("/api/v1/query?query={query}");
        let (_, text) = look(prometheus.address(), &path).await.unwrap_or_default();
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let value = answer["data"]["result"][0]["value"][1]
            .as_str()
            .map(str::to_owned);
        value.and_then(|value| value.parse::<usize>().ok())
    };
    until("every node is scraped", async || {
        counted("sum(up)").await == Some(nodes)
    })
    .await;
    until("one leads each", async || {
        counted("sum(eventflow_leader)").await == Some(2)
    })
    .await;
    platform.redis.server().kill();
    until("the alert", async || {
        let (_, text) = look(prometheus.address(), "/api/v1/alerts")
            .await
            .unwrap_or_default();
        text.contains("DependencyDown") && text.contains("redis")
    })
    .await;
    platform.redis.server().begin().unwrap();
    ready(platform).await;
    until("the end of the alert", async || {
        let (_, text) = look(prometheus.address(), "/api/v1/alerts")
            .await
            .unwrap_or_default();
        !text.contains("DependencyDown")
    })
    .await;
}

fn main() -> ExitCode {
    tell(
        Shape::default(),
        &[],
        stories![
            without_mongodb_shows_availability_and_people_are_read_from_redis,
            without_redis_everything_is_read_from_mongodb,
            without_both_reads_are_turned_away_and_selling_goes_on,
            without_eventstoredb_purchases_are_accepted_and_carried_out_once_afterwards,
            also_a_node_that_knows_nothing_accepts_purchases_without_eventstoredb,
            without_rabbitmq_nothing_is_lost_and_the_forwarder_catches_up,
            prometheus_sees_every_node_and_says_what_is_away,
        ],
    )
}
