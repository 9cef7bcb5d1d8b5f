#![allow(clippy::unwrap_used)]
use super::*;
use axum::{body::Body, http::Request};
use contract::Timestamp;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, TcpListener},
    time::Instant,
};
use tower::ServiceExt;

const LIST: &str = "/api/operaciones/mensajes-muertos";

async fn ask(letters: &DeadLetters, method: &str, path: &str) -> (u16, Value) {
    let router = looking(letters.clone()).merge(requeueing(letters.clone()));
    let request = Request::builder().method(method).uri(path);
    let response = router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn requeue_path() -> String {
    format!("{LIST}/{}/reencolar", Uuid::new_v4())
}

#[tokio::test]
async fn without_a_broker_there_are_none_and_none_is_found() {
    let letters = DeadLetters::default();
    let none = json!({ "disponible": false, "mensajes": [], "total": 0 });
    assert_eq!(ask(&letters, "GET", LIST).await, (200, none));
    for path in [requeue_path(), format!("{LIST}/x/reencolar")] {
        let (status, body) = ask(&letters, "POST", &path).await;
        assert_eq!((status, &body["codigo"]), (404, &json!("MENSAJE_NO_ENCONTRADO")));
    }
}

#[tokio::test]
async fn a_broker_that_is_known_to_be_away_is_not_asked() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("amqp://guest:guest@{}/%2f", listener.local_addr().unwrap());
    let letters = DeadLetters::at(&url, "eventflow", || false);
    for (method, path) in [("GET", LIST.to_owned()), ("POST", requeue_path())] {
        let (status, body) = ask(&letters, method, &path).await;
        assert_eq!((status, &body["codigo"]), (503, &json!("SERVICIO_NO_DISPONIBLE")));
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_or_says_nothing_is_away_within_moments() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let refusing = {
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        closed.local_addr().unwrap()
    };
    for address in [silent.local_addr().unwrap(), refusing] {
        let url = format!("amqp://guest:secret@{address}/%2f");
        let letters = DeadLetters::at(&url, "eventflow", || true);
        let begun = Instant::now();
        let (status, body) = ask(&letters, "GET", LIST).await;
        assert_eq!((status, &body["codigo"]), (503, &json!("SERVICIO_NO_DISPONIBLE")));
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert!(!body.to_string().contains(&address.to_string()), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_looks_at_a_time_and_who_waits_too_long_is_told_so() {
    let letters = DeadLetters::at("amqp://127.0.0.1:1", "eventflow", || true);
    let queue = letters.0.clone().unwrap();
    let _turn = queue.turn.clone().acquire_owned().await.unwrap();
    let (status, body) = ask(&letters, "GET", LIST).await;
    assert_eq!((status, &body["codigo"]), (503, &json!("OCUPADO")));
}

#[tokio::test]
async fn what_one_has_just_seen_is_shown_to_the_next_without_another_look() {
    // Whoever looked there would be told that it is away.
    let letters = DeadLetters::at("amqp://127.0.0.1:1", "eventflow", || true);
    let queue = letters.0.clone().unwrap();
    *queue.seen() = Some((Instant::now(), (Vec::new(), 7)));
    let (status, body) = ask(&letters, "GET", LIST).await;
    assert_eq!(
        (status, &body["total"], &body["disponible"]),
        (200, &json!(7), &json!(true))
    );
    *queue.seen() = Instant::now()
        .checked_sub(SEEN_FOR)
        .map(|at| (at, (Vec::new(), 7)));
    assert_eq!(ask(&letters, "GET", LIST).await.0, 503);
}

#[test]
fn a_letter_is_shown_without_what_it_says_and_without_what_is_not_ours() {
    let letter = DeadLetter {
        id: "ana@example.org".into(),
        queue: "eventflow.lane.show.0".into(),
        exchange: "eventflow.asks".into(),
        routing_key: "show.0".into(),
        reason: "delivery_limit".into(),
        count: 2,
        at_ms: Some(Timestamp(1_000)),
        kind: "ask".into(),
        streams: vec![
            "show-00000000-0000-4000-8000-000000000000".into(),
            "Ana Rojas".into(),
        ],
        body: "secret".into(),
    };
    let shown = serde_json::to_value(MensajeMuerto::from(letter)).unwrap();
    assert_eq!(
        shown,
        json!({
            "tipo": "peticion",
            "cola": "eventflow.lane.show.0",
            "motivo": "limite_de_entregas",
            "en": "1970-01-01T00:00:01.000Z",
            "intentos": 2,
            "flujos": ["show-00000000-0000-4000-8000-000000000000"],
        })
    );
}
