//! `POST /api/eventos`, `POST /api/eventos/{evento_id}/cancelar`

use crate::bed::{Bed, in_ms, show, show_stream};
use axum::http::Method;
use contract::Event;
use serde_json::{Value, json};
use uuid::Uuid;

fn with(bed: &Bed, fields: Value) -> Value {
    let mut body = show(bed);
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_scheduled_show_gets_what_the_contract_says() {
    let bed = Bed::new().await;
    let body = with(
        &bed,
        json!({"aforo_total": 500, "descripcion": "Dos horas.\nSin pausa."}),
    );
    let reply = bed.post("/api/events", body.clone()).await.expect(201);
    let id = reply.id("evento_id");
    assert_eq!(reply.header("location"), format!("/api/eventos/{id}"));
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    assert_eq!(
        reply.body,
        json!({
            "evento_id": id, "nombre": "Noche de jazz", "descripcion": "Dos horas.\nSin pausa.",
            "fecha": body["fecha"], "lugar": "Teatro Colón", "precio": 49.9, "moneda": "USD",
            "categoria": "música", "max_por_usuario": 10, "estado": "activo", "aforo_total": 500,
            "entradas_disponibles": 500, "entradas_retenidas": 0, "entradas_vendidas": 0, "numerado": false,
        })
    );
}

#[tokio::test]
async fn the_seats_of_a_map_are_its_capacity() {
    let bed = Bed::new().await;
    let map = json!({"secciones": [
        {"nombre": "Platea", "filas": 10, "asientos_por_fila": 20, "precio": 80},
        {"nombre": "Pullman", "filas": 5, "asientos_por_fila": 10},
    ]});
    let reply = bed
        .post("/api/eventos", with(&bed, json!({"mapa_asientos": map})))
        .await
        .expect(201);
    assert_eq!(
        (&reply.body["aforo_total"], &reply.body["numerado"]),
        (&json!(250), &json!(true))
    );
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let bed = Bed::new().await;
    let empty = bed
        .post("/api/eventos", json!({}))
        .await
        .refused(422, "DATOS_INVALIDOS");
    assert_eq!(
        empty.fields(),
        ["nombre", "fecha", "lugar", "precio", "aforo_total"]
    );
    let section = |rows: u32| json!({"nombre": "A", "filas": rows, "asientos_por_fila": 1_000});
    for (fields, wrong) in [
        (json!({"aforo_total": 0}), "aforo_total"),
        (json!({"aforo_total": 100_001}), "aforo_total"),
        (json!({"aforo_total": 1.5}), "aforo_total"),
        (
            json!({"aforo_total": 5, "mapa_asientos": {"secciones": [section(1)]}}),
            "aforo_total",
        ),
        (json!({"aforo_total": 5, "precio": -1}), "precio"),
        (json!({"aforo_total": 5, "precio": 1.999}), "precio"),
        (
            json!({"aforo_total": 5, "precio": 10.5, "moneda": "CLP"}),
            "precio",
        ),
        (json!({"aforo_total": 5, "moneda": "XXX"}), "moneda"),
        (json!({"aforo_total": 5, "fecha": "mañana"}), "fecha"),
        (
            json!({"aforo_total": 5, "fecha": "2020-01-01T00:00:00Z"}),
            "fecha",
        ),
        (json!({"aforo_total": 5, "descripcion": "\u{0}"}), "descripcion"),
        (json!({"aforo_total": 5, "max_por_usuario": 0}), "max_por_usuario"),
        (json!({"mapa_asientos": []}), "mapa_asientos"),
        (
            json!({"mapa_asientos": {"secciones": []}}),
            "mapa_asientos.secciones",
        ),
        (
            json!({"mapa_asientos": {"secciones": [section(101)]}}),
            "mapa_asientos.secciones",
        ),
        (
            json!({"mapa_asientos": {"secciones": [section(1), section(1)]}}),
            "mapa_asientos.secciones[1].nombre",
        ),
        (
            json!({"mapa_asientos": {"secciones": [section(0)]}}),
            "mapa_asientos.secciones[0].filas",
        ),
    ] {
        let reply = bed.post("/api/eventos", with(&bed, fields.clone())).await;
        assert_eq!(
            reply.refused(422, "DATOS_INVALIDOS").fields(),
            [wrong],
            "{fields}"
        );
    }
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_show_even_when_it_has_begun() {
    let bed = Bed::new().await;
    let key = ("idempotency-key", "k-1");
    let body = with(
        &bed,
        json!({"aforo_total": 5, "fecha": in_ms(&bed, 60_000).rfc3339()}),
    );
    let first = bed.post_with("/api/eventos", key, body.clone()).await.expect(201);
    bed.clock.pass(60_001);
    let again = bed.post_with("/api/eventos", key, body.clone()).await.expect(201);
    assert_eq!(again.id("evento_id"), first.id("evento_id"));
    let mut other = body;
    other["aforo_total"] = 6.into();
    bed.post_with("/api/eventos", key, other)
        .await
        .refused(422, "CLAVE_REUTILIZADA");
}

#[tokio::test]
async fn a_cancelled_show_sells_nothing_more() {
    let bed = Bed::new().await;
    let (user, id) = (bed.user(1).await, bed.show(5).await);
    let path = format!("/api/eventos/{id}/cancelar");
    let holds = format!("/api/eventos/{id}/bloqueos");
    bed.post(&holds, json!({"usuario_id": user, "cantidad": 2}))
        .await
        .expect(201);
    // Without a body, and again.
    for _ in 0..2 {
        let reply = bed
            .send(Method::POST, &path, &[("idempotency-key", "k")], None)
            .await
            .expect(202);
        assert_eq!(reply.body, json!({"evento_id": id, "estado": "cancelado"}));
        assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    }
    let other = bed
        .send(
            Method::POST,
            &path,
            &[("idempotency-key", "k")],
            Some(json!({"a": 1})),
        )
        .await;
    other.refused(422, "CLAVE_REUTILIZADA");
    let last = bed.events(show_stream(id)).await.pop().unwrap();
    let Event::ShowCancelled(cancelled) = last else {
        panic!("{last:?}")
    };
    assert_eq!((cancelled.tally.free, cancelled.tally.held), (5, 0));
    let hold = bed.post(&holds, json!({"usuario_id": user, "cantidad": 1})).await;
    hold.refused(409, "EVENTO_NO_DISPONIBLE");
}

#[tokio::test]
async fn what_does_not_exist_is_not_cancelled() {
    let bed = Bed::new().await;
    for id in [Uuid::new_v4().to_string(), "nada".into()] {
        let reply = bed
            .send(Method::POST, &format!("/api/eventos/{id}/cancelar"), &[], None)
            .await;
        reply.refused(404, "EVENTO_NO_ENCONTRADO");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object_and_tokens_are_refused() {
    let bed = Bed::new().await;
    bed.post("/api/eventos", json!([]))
        .await
        .refused(422, "DATOS_INVALIDOS");
    let no_body = bed.send(Method::POST, "/api/eventos", &[], None).await;
    no_body.refused(415, "TIPO_NO_SOPORTADO");
    let bad_key = bed
        .post_with("/api/eventos", ("idempotency-key", "a b"), show(&bed))
        .await;
    bad_key.refused(400, "CABECERA_INVALIDA");
    let token = bed
        .post_with("/api/eventos", ("authorization", "Bearer x"), show(&bed))
        .await;
    token.refused(401, "NO_AUTENTICADO");
}
