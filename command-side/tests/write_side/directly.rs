//! With a broker that keeps asks, the node that takes a request makes its reservation itself.

use crate::bed::Bed;
use serde_json::{Value, json};
use uuid::Uuid;

fn body(user: Uuid, show: Uuid, quantity: u32) -> Value {
    json!({ "usuario_id": user, "evento_id": show, "cantidad": quantity })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_made_without_asking_its_lane() {
    let (bed, broker) = Bed::keeping_asks().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let made = bed.post("/api/reservar", body(user, show, 2)).await.expect(201);
    assert_eq!(made.body["estado"], "confirmada");
    let steps = made.body["pasos"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["estado"] == "hecho"), "{steps:?}");
    assert_eq!(broker.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_still_one_reservation_and_another_body_is_refused() {
    let (bed, _) = Bed::keeping_asks().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let key = ("idempotency-key", "once");
    let (one, other) = tokio::join!(
        bed.post_with("/api/reservar", key, body(user, show, 2)),
        bed.post_with("/api/reservar", key, body(user, show, 2)),
    );
    let (one, other) = (one.expect(201), other.expect(201));
    assert_eq!(one.body, other.body);
    let again = bed.post_with("/api/reservar", key, body(user, show, 2)).await;
    assert_eq!(again.expect(201).body, one.body);
    bed.post_with("/api/reservar", key, body(user, show, 3))
        .await
        .refused(422, "CLAVE_REUTILIZADA");
}
