//! One purchase from its first request to its last read, over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_registers_reserves_pays_and_reads_all_of_it() {
    let folder = Folder::new("story");
    let server = Server::start(&folder.data(), &[]);
    server.ready().await;
    let mut client = server.client().await;

    let person = client.register("ana").await;
    client
        .post("/api/usuarios", person_again())
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    let show = client.schedule(100).await;
    assert_eq!(client.tally(&show).await, [100, 0, 0]);

    let made = client
        .post("/api/reservar", purchase(&person, &show, 2))
        .await
        .expect(201);
    assert_eq!(made.body["estado"], "confirmada");
    assert_eq!(made.body["monto_total"], json!(99.8));
    assert!(made.position.is_some());
    let steps = made.body["pasos"].as_array().unwrap();
    assert_eq!(steps.len(), 6);
    assert!(steps.iter().all(|step| step["estado"] == "hecho"), "{steps:?}");

    let id = made.field("reserva_id");
    let read = client.get_fresh(&format!("/api/reservar/{id}")).await.expect(200);
    assert_eq!(read.body["estado"], "confirmada");
    assert_eq!(client.tally(&show).await, [98, 0, 2]);
    let history = client
        .get_fresh(&format!("/api/usuarios/{person}"))
        .await
        .expect(200)
        .body;
    assert_eq!(history["historial_compras"][0]["reserva_id"], json!(id));
    let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200);
    assert_eq!(paid.body["capturado"], json!(99.8));

    let story = client
        .get_fresh(&format!("/api/auditoria/reservas/{id}"))
        .await
        .expect(200);
    let kinds = story
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["tipo"].as_str().unwrap());
    // A purchase that took a moment also says on its way how far it was.
    let kinds: Vec<&str> = kinds
        .filter(|kind| *kind != "reservation_progressed.v1")
        .collect();
    let expected = [
        "reservation_requested.v1",
        "tickets_held.v1",
        "payment_captured.v1",
        "purchase_recorded.v1",
        "tickets_sold.v1",
        "reservation_confirmed.v1",
    ];
    assert_eq!(kinds, expected, "{}", story.text);

    client
        .send("DELETE", &format!("/api/reservar/{id}"), "", "")
        .await
        .expect(202);
    let deadline = std::time::Instant::now() + PATIENCE;
    while client.get_fresh(&format!("/api/reservar/{id}")).await.body["estado"] != "cancelada" {
        assert!(
            std::time::Instant::now() < deadline,
            "the cancellation does not settle"
        );
    }
    assert_eq!(client.settled_tally(&show).await, [100, 0]);
    let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200);
    assert_eq!(paid.body["reembolsado"], json!(99.8));
    server.stop();
    verify_holds(&folder.data());
}

/// Ana's document under another address.
fn person_again() -> Value {
    let mut again = person("ana");
    again["email"] = json!("other@example.org");
    again
}

#[tokio::test]
async fn every_test_card_comes_to_what_it_says() {
    let folder = Folder::new("cards");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let show = client.schedule(100).await;
    for (token, status, captured, refunded) in [
        ("tok_ok", 201, json!(49.9), json!(0)),
        ("tok_rechazada", 402, json!(0), json!(0)),
        ("tok_sin_fondos", 402, json!(0), json!(0)),
        ("tok_lenta", 201, json!(49.9), json!(0)),
        ("tok_cobra_y_calla", 201, json!(49.9), json!(0)),
        ("tok_falla_captura", 402, json!(0), json!(0)),
    ] {
        let person = client.register(&token.replace('_', "-")).await;
        let body = with_token(purchase(&person, &show, 1), token).to_string();
        let answer = client
            .send("POST", "/api/reservar", "Prefer: wait=20\r\n", &body)
            .await
            .expect(status);
        let id = match status {
            201 => answer.field("reserva_id"),
            _ => answer.body["reserva"]["reserva_id"].as_str().unwrap().to_string(),
        };
        let paid = client.get(&format!("/api/pagos/{id}")).await.expect(200);
        assert_eq!(
            (&paid.body["capturado"], &paid.body["reembolsado"]),
            (&captured, &refunded),
            "{token}"
        );
    }
    assert_eq!(client.settled_tally(&show).await, [97, 3]);
    server.stop();
    verify_holds(&folder.data());
}

#[tokio::test]
async fn a_room_with_aisles_and_blocked_places_sells_its_seats_and_nothing_else() {
    let folder = Folder::new("room");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let section = json!({ "nombre": "Platea", "filas": 2, "asientos_por_fila": 6,
        "pasillos": [3], "bloqueados": ["A-1", "B-6"] });
    let body = show(json!({ "mapa_asientos": { "secciones": [section] } }));
    let show = client
        .post("/api/eventos", body)
        .await
        .expect(201)
        .field("evento_id");
    let seats = client
        .get_fresh(&format!("/api/eventos/{show}/asientos"))
        .await
        .expect(200);
    let section = &seats.body["secciones"][0];
    assert_eq!(section["pasillos"], json!([3]));
    let rows = ["A", "B"].map(|row| {
        let row = section["filas"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["fila"] == row);
        let seats = row.unwrap()["asientos"].as_array().unwrap();
        seats
            .iter()
            .map(|seat| seat["asiento"].as_str().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(rows[0].first(), Some(&"Platea-A-2"));
    assert_eq!((rows[0].len(), rows[1].len()), (5, 5));

    let ana = client.register("ana").await;
    let none = json!({ "usuario_id": ana, "asientos": ["Platea-B-6"] });
    client
        .post(&format!("/api/eventos/{show}/bloqueos"), none)
        .await
        .refused(422, "DATOS_INVALIDOS");
    let together = client
        .post("/api/reservar", purchase(&ana, &show, 3))
        .await
        .expect(201);
    assert_eq!(
        together.body["asientos"],
        json!(["Platea-A-4", "Platea-A-5", "Platea-A-6"])
    );
    client
        .post("/api/reservar", purchase(&ana, &show, 7))
        .await
        .expect(201);
    assert_eq!(client.settled_tally(&show).await, [0, 10]);
    let bob = client.register("bob").await;
    client
        .post("/api/reservar", purchase(&bob, &show, 1))
        .await
        .refused(409, "SIN_DISPONIBILIDAD");
    server.stop();
    verify_holds(&folder.data());
}

#[tokio::test]
async fn the_surface_describes_itself() {
    let folder = Folder::new("surface");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let alive = client.get("/salud/viva").await.expect(200);
    assert_eq!(alive.content_type, "application/json");
    let ready = client.get("/salud/lista").await;
    assert!(
        ready.body["dependencias"]
            .as_object()
            .is_some_and(|all| !all.is_empty()),
        "{}",
        ready.text
    );
    let document = client.get("/api/openapi.json").await.expect(200).body;
    for path in [
        "/api/usuarios",
        "/api/eventos/{evento_id}",
        "/api/reservar",
        "/salud/lista",
        "/metrics",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path} is not described");
    }
    let dangling: Vec<_> = references(&document)
        .into_iter()
        .filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none())
        .collect();
    assert_eq!(dangling, [""; 0], "the document refers to what it does not have");
    client.get("/docs").await.expect(200);
    client.get("/").await.expect(200);
    let metrics = client.get("/metrics").await.expect(200).text;
    assert!(metrics.contains("eventflow_"), "{metrics}");
    client.get("/api/nada").await.refused(404, "NO_ENCONTRADO");
    server.stop();
}

/// All `$ref` of a document.
fn references(of: &Value) -> Vec<&str> {
    let (own, parts): (_, Vec<&Value>) = match of {
        Value::Object(fields) => (
            fields.get("$ref").and_then(Value::as_str),
            fields.values().collect(),
        ),
        Value::Array(parts) => (None, parts.iter().collect()),
        _ => (None, Vec::new()),
    };
    own.into_iter()
        .chain(parts.into_iter().flat_map(references))
        .collect()
}
