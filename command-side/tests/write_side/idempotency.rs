//! `Idempotency-Key` on reservations.

use crate::bed::{Bed, ledger};
use contract::{Event, ReservationId};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

const KEY: (&str, &str) = ("idempotency-key", "k-1");

fn body(user: Uuid, show: Uuid, quantity: u32) -> Value {
    json!({"usuario_id": user, "evento_id": show, "cantidad": quantity})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_at_once_is_one_sale_one_charge_and_the_same_answer() {
    let bed = Bed::new().await;
    // All tickets, and all that the person may have: a second sale would be refused.
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let replies = join_all((0..8).map(|_| bed.post_with("/api/reservar", KEY, body(user, show, 10)))).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (201, &replies[0].body));
        assert_eq!(reply.headers["x-posicion"], replies[0].headers["x-posicion"]);
    }
    let later = bed
        .post_with("/api/reservar", KEY, body(user, show, 10))
        .await
        .expect(201);
    assert_eq!(later.body, replies[0].body);
    let log = bed.app.log.read_all(None, 1_000).await.unwrap();
    let count = |is: fn(&Event) -> bool| log.iter().filter(|r| is(&r.decode().unwrap().0)).count();
    assert_eq!(count(|event| matches!(event, Event::TicketsSold(_))), 1);
    assert_eq!(count(|event| matches!(event, Event::PaymentCaptured(_))), 1);
    assert_eq!(
        ledger(&bed, ReservationId(later.id("reserva_id"))).await,
        Some((49_900, 49_900, 0))
    );
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused_before_and_after_the_outcome() {
    let bed = Bed::without_a_saga().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let send = async |quantity| {
        let headers = [KEY, ("prefer", "respond-async")];
        bed.send(
            axum::http::Method::POST,
            "/api/reservar",
            &headers,
            Some(body(user, show, quantity)),
        )
        .await
    };
    send(1).await.expect(202);
    send(2).await.refused(422, "CLAVE_REUTILIZADA");
    // Also when the other body would be refused by itself.
    send(11).await.refused(422, "CLAVE_REUTILIZADA");
}

#[tokio::test]
async fn a_declined_payment_is_declined_again_and_not_tried_again() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let mut body = body(user, show, 1);
    body["pago"] = json!({"metodo": "tarjeta", "token": "tok_rechazada"});
    let first = bed
        .post_with("/api/reservar", KEY, body.clone())
        .await
        .refused(402, "PAGO_RECHAZADO");
    let events = bed.events_in_all().await;
    let again = bed
        .post_with("/api/reservar", KEY, body)
        .await
        .refused(402, "PAGO_RECHAZADO");
    assert_eq!((again.body, bed.events_in_all().await), (first.body, events));
}

#[tokio::test]
async fn a_refusal_that_created_nothing_is_decided_anew() {
    let bed = Bed::new().await;
    let (first, second, show) = (bed.user(1).await, bed.user(2).await, bed.show(2).await);
    let id = bed
        .post("/api/reservar", body(first, show, 2))
        .await
        .expect(201)
        .id("reserva_id");
    bed.post_with("/api/reservar", KEY, body(second, show, 2))
        .await
        .refused(409, "SIN_DISPONIBILIDAD");
    bed.send(
        axum::http::Method::DELETE,
        &format!("/api/reservar/{id}"),
        &[],
        None,
    )
    .await
    .expect(202);
    let mut waiter = bed.app.outcomes.register(ReservationId(id));
    waiter.seed(&bed.app.read(&waiter.stream()).await.unwrap());
    waiter
        .settled(&*bed.app.clock, bed.app.clock.now().plus_ms(30_000))
        .await;
    bed.post_with("/api/reservar", KEY, body(second, show, 2))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_key_means_something_else_at_another_endpoint() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let holds = format!("/api/eventos/{show}/bloqueos");
    let hold = bed
        .post_with(&holds, KEY, json!({"usuario_id": user, "cantidad": 1}))
        .await
        .expect(201);
    let reserved = bed
        .post_with("/api/reservar", KEY, body(user, show, 1))
        .await
        .expect(201);
    let purchase = json!({"usuario_id": user, "bloqueo_id": hold.id("bloqueo_id")});
    let bought = bed
        .post_with("/api/comprar", KEY, purchase.clone())
        .await
        .expect(202);
    assert_ne!(reserved.id("reserva_id"), bought.id("reserva_id"));
    // An alias is the same endpoint, and so is the same key there.
    let again = bed.post_with("/api/purchase", KEY, purchase).await.expect(202);
    assert_eq!(again.id("reserva_id"), bought.id("reserva_id"));
}
