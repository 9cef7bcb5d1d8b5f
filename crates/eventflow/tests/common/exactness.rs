//! Exactly as many tickets are sold as there are: neither more nor fewer, whatever comes at once. Told to an address:
//! of one `dev`, or of the whole platform behind nginx.

use super::client::*;
use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;
use std::{cell::RefCell, collections::BTreeMap, net::SocketAddr};

/// Long enough that whoever finds all tickets held stays in line until they are sold or come back.
const PATIENT: &str = "Prefer: wait=30\r\n";

/// Sends these requests, `at_once` in flight, each over one of as many connections.
async fn flood(address: SocketAddr, at_once: usize, requests: Vec<(String, String)>) -> (Vec<Answer>, u64) {
    let clients = RefCell::new(Vec::new());
    for _ in 0..at_once {
        let client = Client::open(address).await;
        clients.borrow_mut().push(client);
    }
    let clients_ref = &clients;
    let answers = stream::iter(requests)
        .map(|(headers, body)| async move {
            let mut client = clients_ref.borrow_mut().pop().unwrap();
            let answer = client.send("POST", "/api/reservar", &headers, &body).await;
            clients_ref.borrow_mut().push(client);
            answer
        })
        .buffer_unordered(at_once)
        .collect::<Vec<_>>()
        .await;
    let position = clients
        .borrow()
        .iter()
        .map(|client| client.position)
        .max()
        .unwrap();
    (answers, position)
}

/// Registers so many people; their ids, in order.
pub async fn register_many(address: SocketAddr, prefix: &str, count: u32) -> Vec<String> {
    stream::iter(0..count)
        .map(|index| async move {
            Client::open(address)
                .await
                .register(&format!("{prefix}{index}"))
                .await
        })
        .buffered(16)
        .collect()
        .await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

pub async fn a_thousand_people_get_exactly_the_five_hundred_tickets(address: SocketAddr) {
    let people = register_many(address, "thousand", 1_000).await;
    let mut client = Client::open(address).await;
    let show = client.schedule(500).await;
    let requests = people.iter().enumerate().map(|(index, person)| {
        let token = if index % 10 == 0 {
            "tok_rechazada"
        } else {
            "tok_ok"
        };
        (
            PATIENT.to_string(),
            with_token(purchase(person, &show, 1), token).to_string(),
        )
    });
    let (answers, position) = flood(address, 100, requests.collect()).await;
    client.position = position;

    assert_eq!(client.settled_tally(&show).await, [0, 500]);
    assert_eq!(count(&answers, 201), 500);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let code = answer.body["codigo"].as_str().unwrap_or_default();
        assert!(
            matches!(
                (answer.status, code),
                (402, "PAGO_RECHAZADO") | (409, "SIN_DISPONIBILIDAD")
            ),
            "{answer:?}"
        );
    }
}

pub async fn one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once(address: SocketAddr) {
    let mut client = Client::open(address).await;
    let (person, show) = (client.register("limit").await, client.schedule(500).await);
    let requests = (0..50).map(|_| (PATIENT.to_string(), purchase(&person, &show, 1).to_string()));
    let (answers, position) = flood(address, 50, requests.collect()).await;
    client.position = position;

    assert_eq!(client.settled_tally(&show).await, [490, 10]);
    assert_eq!(count(&answers, 201), 10);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "LIMITE_DE_COMPRA");
    }
}

pub async fn the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer(address: SocketAddr) {
    let mut client = Client::open(address).await;
    let (person, show) = (client.register("key").await, client.schedule(10).await);
    let body = purchase(&person, &show, 2).to_string();
    let request = ("Idempotency-Key: the-same\r\n".to_string(), body);
    let (answers, position) = flood(address, 2, vec![request.clone(), request.clone()]).await;
    client.position = position;

    let [one, other] = <[Answer; 2]>::try_from(answers)
        .unwrap()
        .map(|answer| answer.expect(201));
    assert_eq!(one.body, other.body);
    assert_eq!(client.settled_tally(&show).await, [8, 2]);
    let paid = client
        .get(&format!("/api/pagos/{}", one.field("reserva_id")))
        .await
        .expect(200);
    assert_eq!(paid.body["capturado"], json!(99.8));
    assert_eq!(paid.body["reembolsado"], json!(0));
    let again = client
        .send("POST", "/api/reservar", &request.0, &request.1)
        .await
        .expect(201);
    assert_eq!(again.body, one.body);
    let other_body = purchase(&person, &show, 3).to_string();
    client
        .send("POST", "/api/reservar", &request.0, &other_body)
        .await
        .refused(422, "CLAVE_REUTILIZADA");
}

pub async fn a_hundred_seats_with_three_buyers_each_are_each_sold_once(address: SocketAddr) {
    let people = register_many(address, "seats", 300).await;
    let mut client = Client::open(address).await;
    let show = client.schedule_seats(10, 10).await;
    let seats: Vec<String> = (0..10)
        .flat_map(|row| (1..=10).map(move |number| format!("Platea-{}-{number}", char::from(b'A' + row))))
        .collect();
    let requests = people.iter().enumerate().map(|(index, person)| {
        let body = json!({ "usuario_id": person, "evento_id": show, "asientos": [seats[index % 100]] });
        (PATIENT.to_string(), body.to_string())
    });
    let (answers, position) = flood(address, 100, requests.collect()).await;
    client.position = position;

    assert_eq!(client.settled_tally(&show).await, [0, 100]);
    let mut sold = BTreeMap::new();
    for answer in &answers {
        match answer.status {
            201 => {
                *sold
                    .entry(answer.body["asientos"][0].as_str().unwrap())
                    .or_insert(0) += 1
            }
            _ => {
                let code = answer.body["codigo"].as_str();
                assert!(
                    matches!(code, Some("ASIENTOS_OCUPADOS" | "SIN_DISPONIBILIDAD")),
                    "{answer:?}"
                );
                assert_eq!(answer.status, 409);
            }
        }
    }
    assert_eq!(sold.len(), 100);
    assert!(sold.values().all(|times| *times == 1), "{sold:?}");
    let map = client
        .get_fresh(&format!("/api/eventos/{show}/asientos"))
        .await
        .expect(200)
        .body;
    let rows = map["secciones"][0]["filas"].as_array().unwrap();
    let states = rows.iter().flat_map(|row| row["asientos"].as_array().unwrap());
    assert_eq!(states.filter(|seat| seat["estado"] == "vendido").count(), 100);
}

/// A person, a show and a hold, each asked for by three requests at once under one key: of several nodes, several
/// work on it.
pub async fn whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once(address: SocketAddr) {
    let mut client = Client::open(address).await;
    let (buyer, sold) = (client.register("thrice").await, client.schedule(1_000).await);
    let holds = format!("/api/eventos/{sold}/bloqueos");
    for round in 0..20 {
        let hold = json!({ "usuario_id": buyer, "cantidad": 1 });
        for (path, body) in [
            ("/api/usuarios", person(&format!("thrice-{round}"))),
            ("/api/eventos", show(json!({ "aforo_total": 5 + round }))),
            (holds.as_str(), hold),
        ] {
            let headers = format!("Idempotency-Key: thrice-{round}\r\n");
            let body = body.to_string();
            let answers = join_all((0..3).map(|_| async {
                let mut client = Client::open(address).await;
                client.send("POST", path, &headers, &body).await.expect(201)
            }))
            .await;
            for answer in &answers {
                assert_eq!(answer.body, answers[0].body, "{path}, round {round}");
                client.position = client.position.max(answer.position.unwrap_or(0));
            }
            if path == holds {
                let id = answers[0].field("bloqueo_id");
                client
                    .send("DELETE", &format!("{holds}/{id}"), "", "")
                    .await
                    .expect(204);
            }
        }
    }
    assert_eq!(client.settled_tally(&sold).await, [1_000, 0]);
}
