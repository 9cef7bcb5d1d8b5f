//! `POST /api/reservar`, `POST /api/comprar`, `DELETE /api/reservar/{reserva_id}` and the operator's retry.

use crate::bed::{Bed, Reply, reservation_stream, show_stream};
use axum::http::Method;
use contract::{Event, ReservationId};
use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

fn body(user: Uuid, show: Uuid, quantity: u32) -> Value {
    json!({"usuario_id": user, "evento_id": show, "cantidad": quantity})
}

fn paid_with(mut body: Value, token: &str) -> Value {
    body["pago"] = json!({"metodo": "tarjeta", "token": token});
    body
}

/// Waits until the saga has settled a reservation.
async fn settled(bed: &Bed, id: Uuid) -> views::reservation::Reservation {
    let mut waiter = bed.app.outcomes.register(ReservationId(id));
    waiter.seed(&bed.app.read(&waiter.stream()).await.unwrap());
    let until = bed.app.clock.now().plus_ms(30_000);
    waiter.settled(&*bed.app.clock, until).await.reservation.unwrap()
}

async fn hold(bed: &Bed, show: Uuid, user: Uuid, quantity: u32) -> Uuid {
    let path = format!("/api/eventos/{show}/bloqueos");
    bed.post(&path, json!({"usuario_id": user, "cantidad": quantity}))
        .await
        .expect(201)
        .id("bloqueo_id")
}

#[tokio::test]
async fn a_confirmed_reservation_gets_what_the_contract_says() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let reply = bed.post("/api/reservas", body(user, show, 2)).await.expect(201);
    let id = reply.id("reserva_id");
    assert_eq!(reply.header("location"), format!("/api/reservar/{id}"));
    let last = bed
        .app
        .read(&reservation_stream(id))
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(reply.header("x-posicion"), last.position.to_string());
    let expected = json!({
        "reserva_id": id, "usuario_id": user, "evento_id": show, "cantidad": 2, "asientos": [],
        "monto_total": 99.8, "moneda": "USD", "estado": "confirmada", "pasos": reply.body["pasos"],
        "documentos": {"estado": "pendiente", "entradas": []},
        "creada_en": reply.body["creada_en"], "confirmada_en": reply.body["confirmada_en"],
    });
    assert_eq!(reply.body, expected);
    let steps = reply.body["pasos"].as_array().unwrap();
    assert!(
        steps.len() == 6 && steps.iter().all(|step| step["estado"] == "hecho"),
        "{steps:?}"
    );
}

#[tokio::test]
async fn seats_are_bought_by_name() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.seated_show().await);
    let wanted = |user| json!({"usuario_id": user, "evento_id": show, "asientos": ["Platea-B-2"]});
    let reply = bed.post("/api/reservar", wanted(user)).await.expect(201);
    assert_eq!(reply.body["asientos"], json!(["Platea-B-2"]));
    let taken = bed
        .post("/api/reservar", wanted(bed.user(2).await))
        .await
        .refused(409, "ASIENTOS_OCUPADOS");
    assert_eq!(taken.body["asientos"], json!(["Platea-B-2"]));
}

#[tokio::test]
async fn a_declined_payment_is_told_with_its_reservation() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let reply = bed
        .post("/api/reservar", paid_with(body(user, show, 2), "tok_rechazada"))
        .await;
    let reply = reply.refused(402, "PAGO_RECHAZADO");
    let reservation = &reply.body["reserva"];
    assert_eq!(
        (&reservation["estado"], &reservation["motivo"]),
        (&json!("rechazada"), &json!("PAGO_RECHAZADO"))
    );
    assert_eq!(
        reply.header("location"),
        format!("/api/reservar/{}", reservation["reserva_id"].as_str().unwrap())
    );
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    bed.post("/api/reservar", body(bed.user(2).await, show, 5))
        .await
        .expect(201);
}

#[tokio::test]
async fn what_the_chain_refuses_makes_no_reservation() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(12).await);
    let refused = async |body, status, code| {
        let reply = bed.post("/api/reservar", body).await.refused(status, code);
        assert!(reply.body.get("reserva").is_none() && !reply.headers.contains_key("location"));
    };
    refused(body(Uuid::new_v4(), show, 1), 404, "USUARIO_NO_ENCONTRADO").await;
    refused(body(user, Uuid::new_v4(), 1), 404, "EVENTO_NO_ENCONTRADO").await;
    refused(body(user, show, 11), 409, "LIMITE_DE_COMPRA").await;
    refused(body(user, show, 13), 409, "SIN_DISPONIBILIDAD").await;
    let unknown = json!({"usuario_id": user, "evento_id": show, "bloqueo_id": Uuid::new_v4()});
    refused(unknown, 404, "BLOQUEO_NO_ENCONTRADO").await;
    let expired = hold(&bed, show, user, 1).await;
    bed.clock.pass(600_001);
    let expired = json!({"usuario_id": user, "evento_id": show, "bloqueo_id": expired});
    refused(expired, 409, "BLOQUEO_VENCIDO").await;
    bed.clock.pass(86_400_000);
    refused(body(user, show, 1), 409, "EVENTO_NO_DISPONIBLE").await;
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let bed = Bed::new().await;
    let id = Uuid::nil();
    let with = |fields: Value| {
        let mut body = body(id, id, 1);
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        body
    };
    for (path, body, wrong) in [
        (
            "/api/reservar",
            json!({}),
            &["usuario_id", "evento_id", "cantidad"][..],
        ),
        ("/api/reservar", with(json!({"usuario_id": "x"})), &["usuario_id"]),
        ("/api/reservar", with(json!({"cantidad": 0})), &["cantidad"]),
        ("/api/reservar", with(json!({"cantidad": 1_001})), &["cantidad"]),
        ("/api/reservar", with(json!({"cantidad": "2"})), &["cantidad"]),
        ("/api/reservar", with(json!({"bloqueo_id": id})), &["cantidad"]),
        (
            "/api/reservar",
            with(json!({"cantidad": null, "asientos": []})),
            &["asientos"],
        ),
        (
            "/api/reservar",
            with(json!({"cantidad": null, "asientos": ["A", "A"]})),
            &["asientos[1]"],
        ),
        ("/api/reservar", with(json!({"pago": 1})), &["pago"]),
        (
            "/api/reservar",
            with(json!({"pago": {}})),
            &["pago.metodo", "pago.token"],
        ),
        (
            "/api/reservar",
            with(json!({"pago": {"metodo": "oro", "token": "a b"}})),
            &["pago.metodo", "pago.token"],
        ),
        ("/api/comprar", json!({}), &["usuario_id", "bloqueo_id"]),
    ] {
        let reply = bed.post(path, body.clone()).await.refused(422, "DATOS_INVALIDOS");
        assert_eq!(reply.fields(), wrong, "{body}");
    }
}

#[tokio::test]
async fn whoever_does_not_wait_gets_a_202_and_follows_it() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    for (prefer, applied) in [("respond-async", "respond-async"), ("wait=0", "wait=0")] {
        let reply = bed
            .post_with("/api/reservar", ("prefer", prefer), body(user, show, 1))
            .await
            .expect(202);
        let id = reply.id("reserva_id");
        assert_eq!(reply.header("preference-applied"), applied);
        assert_eq!(reply.header("location"), format!("/api/reservar/{id}"));
        assert!(reply.header("x-posicion").parse::<u64>().is_ok());
        assert_eq!(reply.body["estado"], "pendiente");
        assert_eq!(
            settled(&bed, id).await.status,
            views::reservation::Status::Confirmed
        );
    }
    let reply = bed
        .post_with("/api/reservar", ("prefer", "wait=30"), body(user, show, 1))
        .await
        .expect(201);
    assert_eq!(reply.header("preference-applied"), "wait=30");
}

#[tokio::test]
async fn a_reservation_that_is_not_settled_within_the_wait_is_a_202() {
    let bed = Bed::without_a_saga().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let request = bed.post("/api/reservar", body(user, show, 1));
    let impatience = async {
        // Once the reservation is there, nothing but time can end the wait.
        while bed.events_in_all().await < 4 {
            tokio::task::yield_now().await;
        }
        bed.clock.pass(5_000);
    };
    let (reply, ()) = futures_util::future::join(request, impatience).await;
    assert_eq!(reply.expect(202).body["estado"], "pendiente");
}

#[tokio::test]
async fn a_reservation_waits_in_line_for_tickets_that_come_back() {
    let bed = Bed::new().await;
    let (first, second, show) = (bed.user(1).await, bed.user(2).await, bed.show(2).await);
    let held = hold(&bed, show, first, 2).await;
    let path = format!("/api/eventos/{show}/bloqueos/{held}");
    let mut waiting = Box::pin(bed.post("/api/reservar", body(second, show, 2)));
    while bed.events_in_all().await < 7 {
        assert!((&mut waiting).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    bed.send(Method::DELETE, &path, &[], None).await.expect(204);
    assert_eq!(waiting.await.expect(201).body["cantidad"], 2);
}

#[tokio::test]
async fn a_hold_is_bought_without_naming_its_show() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let id = hold(&bed, show, user, 3).await;
    let purchase = json!({"usuario_id": user, "bloqueo_id": id});
    let reply = bed.post("/api/purchase", purchase.clone()).await.expect(202);
    assert_eq!(
        (reply.id("evento_id"), &reply.body["cantidad"]),
        (show, &json!(3))
    );
    assert_eq!(reply.body["monto_total"], 149.7);
    let confirmed = settled(&bed, reply.id("reserva_id")).await;
    assert_eq!(confirmed.status, views::reservation::Status::Confirmed);
    let sold = bed.events(show_stream(show)).await.pop().unwrap();
    assert!(matches!(sold, Event::TicketsSold(_)), "{sold:?}");
    bed.post("/api/comprar", purchase)
        .await
        .refused(409, "BLOQUEO_EN_USO");
    let release = bed
        .send(
            Method::DELETE,
            &format!("/api/eventos/{show}/bloqueos/{id}"),
            &[],
            None,
        )
        .await;
    release.refused(409, "BLOQUEO_EN_USO");
}

#[tokio::test]
async fn only_ones_own_hold_that_is_there_can_be_bought() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let id = hold(&bed, show, user, 1).await;
    let buy = async |user, hold| {
        bed.post("/api/comprar", json!({"usuario_id": user, "bloqueo_id": hold}))
            .await
    };
    buy(bed.user(2).await, id)
        .await
        .refused(404, "BLOQUEO_NO_ENCONTRADO");
    buy(user, Uuid::new_v4())
        .await
        .refused(404, "BLOQUEO_NO_ENCONTRADO");
    buy(Uuid::new_v4(), id)
        .await
        .refused(404, "USUARIO_NO_ENCONTRADO");
    bed.clock.pass(600_001);
    buy(user, id).await.refused(409, "BLOQUEO_VENCIDO");
}

async fn cancel(bed: &Bed, id: impl std::fmt::Display) -> Reply {
    bed.send(Method::DELETE, &format!("/api/reservar/{id}"), &[], None)
        .await
}

#[tokio::test]
async fn a_confirmed_reservation_is_cancelled_through_its_saga() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let id = bed
        .post("/api/reservar", body(user, show, 2))
        .await
        .expect(201)
        .id("reserva_id");
    let reply = cancel(&bed, id).await.expect(202);
    assert_eq!(reply.header("location"), format!("/api/reservar/{id}"));
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    assert_eq!(
        settled(&bed, id).await.status,
        views::reservation::Status::Cancelled
    );
    assert_eq!(cancel(&bed, id).await.expect(202).body["estado"], "cancelada");
    bed.post("/api/reservar", body(user, show, 5)).await.expect(201);
}

#[tokio::test]
async fn what_cannot_be_cancelled_is_refused() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    cancel(&bed, Uuid::new_v4())
        .await
        .refused(404, "RESERVA_NO_ENCONTRADA");
    cancel(&bed, "nada").await.refused(404, "RESERVA_NO_ENCONTRADA");
    let declined = bed
        .post("/api/reservar", paid_with(body(user, show, 1), "tok_sin_fondos"))
        .await;
    let id = declined.body["reserva"]["reserva_id"]
        .as_str()
        .unwrap()
        .to_owned();
    cancel(&bed, id).await.refused(409, "RESERVA_NO_CANCELABLE");
    let id = bed
        .post("/api/reservar", body(user, show, 1))
        .await
        .expect(201)
        .id("reserva_id");
    bed.clock.pass(86_400_001);
    cancel(&bed, id).await.refused(409, "EVENTO_NO_DISPONIBLE");
}

#[tokio::test]
async fn only_a_stuck_saga_is_tried_again() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let retry = async |id: Uuid| {
        let path = format!("/api/operaciones/sagas/{id}/reintentar");
        bed.send(Method::POST, &path, &[("idempotency-key", "k")], None)
            .await
    };
    retry(Uuid::new_v4()).await.refused(404, "RESERVA_NO_ENCONTRADA");
    let id = bed
        .post("/api/reservar", body(user, show, 1))
        .await
        .expect(201)
        .id("reserva_id");
    for _ in 0..2 {
        retry(id).await.refused(409, "SAGA_NO_ATASCADA");
    }
}

#[tokio::test]
async fn a_stuck_saga_that_was_tried_again_under_a_key_is_answered_the_same() {
    let bed = Bed::without_a_saga().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let reply = bed
        .post_with("/api/reservar", ("prefer", "respond-async"), body(user, show, 1))
        .await
        .expect(202);
    let id = reply.id("reserva_id");
    crate::bed::saga::get_stuck(&bed.app, ReservationId(id)).await;
    let path = format!("/api/operaciones/sagas/{id}/reintentar");
    for _ in 0..2 {
        let reply = bed
            .send(Method::POST, &path, &[("idempotency-key", "k")], None)
            .await
            .expect(202);
        assert_eq!(reply.body["estado"], "pendiente");
    }
    bed.send(Method::POST, &path, &[], None)
        .await
        .refused(409, "SAGA_NO_ATASCADA");
}
