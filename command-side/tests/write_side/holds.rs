//! `/api/eventos/{evento_id}/bloqueos`

use crate::bed::Bed;
use axum::http::Method;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_hold_is_made_looked_at_and_given_back() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let path = format!("/api/eventos/{show}/bloqueos");
    let reply = bed
        .post(&path, json!({"usuario_id": user, "cantidad": 2}))
        .await
        .expect(201);
    let id = reply.id("bloqueo_id");
    let hold = format!("{path}/{id}");
    assert_eq!(reply.header("location"), hold);
    assert_eq!(
        reply.body,
        json!({
            "bloqueo_id": id, "evento_id": show, "usuario_id": user, "cantidad": 2, "monto_total": 99.8,
            "moneda": "USD", "expira_en": reply.body["expira_en"], "estado": "activo",
        })
    );
    let seen = bed.send(Method::GET, &hold, &[], None).await.expect(200);
    assert_eq!(seen.body, reply.body);
    assert!(seen.header("x-posicion").parse::<u64>().is_ok());
    for _ in 0..2 {
        let released = bed.send(Method::DELETE, &hold, &[], None).await.expect(204);
        assert!(released.header("x-posicion").parse::<u64>().is_ok());
    }
    let seen = bed.send(Method::GET, &hold, &[], None).await.expect(200);
    assert_eq!(seen.body["estado"], "terminado");
}

#[tokio::test]
async fn seats_are_held_all_or_none() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.seated_show().await);
    let path = format!("/api/eventos/{show}/bloqueos");
    let body = json!({"usuario_id": user, "asientos": ["Platea-A-1", "Platea-A-2"]});
    let held = bed.post(&path, body).await.expect(201);
    assert_eq!(held.body["asientos"], json!(["Platea-A-1", "Platea-A-2"]));
    let body = json!({"usuario_id": bed.user(2).await, "asientos": ["Platea-A-2", "Platea-A-3"]});
    let taken = bed.post(&path, body).await.refused(409, "ASIENTOS_OCUPADOS");
    assert_eq!(taken.body["asientos"], json!(["Platea-A-2"]));
    let best = bed
        .post(
            &path,
            json!({"usuario_id": user, "cantidad": 3, "seccion": "Platea"}),
        )
        .await
        .expect(201);
    assert_eq!(best.body["asientos"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_cannot_be_held_is_refused() {
    let bed = Bed::new().await;
    let (user, show, seated) = (bed.user(1).await, bed.show(12).await, bed.seated_show().await);
    let general = format!("/api/eventos/{show}/bloqueos");
    let numbered = format!("/api/eventos/{seated}/bloqueos");
    let nobody = json!({"usuario_id": Uuid::new_v4(), "cantidad": 1});
    bed.post(&general, nobody)
        .await
        .refused(404, "USUARIO_NO_ENCONTRADO");
    let nowhere = format!("/api/eventos/{}/bloqueos", Uuid::new_v4());
    bed.post(&nowhere, json!({"usuario_id": user, "cantidad": 1}))
        .await
        .refused(404, "EVENTO_NO_ENCONTRADO");
    bed.post(&general, json!({"usuario_id": user, "cantidad": 11}))
        .await
        .refused(409, "LIMITE_DE_COMPRA");
    bed.post(&general, json!({"usuario_id": user, "cantidad": 10}))
        .await
        .expect(201);
    bed.post(&general, json!({"usuario_id": user, "cantidad": 1}))
        .await
        .refused(409, "LIMITE_DE_COMPRA");
    // Two are free and ten are held: whoever holds without buying does not wait for them.
    let other = bed.user(2).await;
    let reply = bed
        .post(&general, json!({"usuario_id": other, "cantidad": 3}))
        .await;
    assert_eq!(
        reply.refused(409, "SIN_DISPONIBILIDAD").body["entradas_disponibles"],
        2
    );
    for (path, body, field) in [
        (&general, json!({"cantidad": 1}), "usuario_id"),
        (&general, json!({"usuario_id": user}), "cantidad"),
        (&general, json!({"usuario_id": user, "cantidad": 0}), "cantidad"),
        (
            &general,
            json!({"usuario_id": user, "cantidad": 1, "asientos": ["A-1"]}),
            "cantidad",
        ),
        (
            &general,
            json!({"usuario_id": user, "asientos": ["Platea-A-1"]}),
            "asientos",
        ),
        (
            &numbered,
            json!({"usuario_id": user, "asientos": ["Platea-Z-9"]}),
            "asientos",
        ),
        (
            &numbered,
            json!({"usuario_id": user, "asientos": ["Platea-A-1", "Platea-A-1"]}),
            "asientos[1]",
        ),
        (
            &numbered,
            json!({"usuario_id": user, "cantidad": 1, "seccion": "Otra"}),
            "seccion",
        ),
    ] {
        let reply = bed.post(path, body.clone()).await;
        assert_eq!(reply.refused(422, "DATOS_INVALIDOS").fields(), [field], "{body}");
    }
}

#[tokio::test]
async fn a_hold_that_is_not_there_or_elsewhere_is_not_found() {
    let bed = Bed::new().await;
    let (user, show, other) = (bed.user(1).await, bed.show(5).await, bed.show(5).await);
    let held = bed
        .post(
            &format!("/api/eventos/{show}/bloqueos"),
            json!({"usuario_id": user, "cantidad": 1}),
        )
        .await;
    let id = held.expect(201).id("bloqueo_id");
    for path in [
        format!("/api/eventos/{other}/bloqueos/{id}"),
        format!("/api/eventos/{show}/bloqueos/{}", Uuid::new_v4()),
        format!("/api/eventos/{show}/bloqueos/nada"),
    ] {
        for method in [Method::GET, Method::DELETE] {
            bed.send(method, &path, &[], None)
                .await
                .refused(404, "BLOQUEO_NO_ENCONTRADO");
        }
    }
}

#[tokio::test]
async fn a_hold_is_over_when_its_time_has_passed_and_its_key_still_tells_what_was_granted() {
    let bed = Bed::new().await;
    let (user, show) = (bed.user(1).await, bed.show(5).await);
    let path = format!("/api/eventos/{show}/bloqueos");
    let (key, body) = (
        ("idempotency-key", "k-1"),
        json!({"usuario_id": user, "cantidad": 2}),
    );
    let first = bed.post_with(&path, key, body.clone()).await.expect(201);
    let again = bed.post_with(&path, key, body.clone()).await.expect(201);
    assert_eq!(again.body, first.body);
    bed.clock.pass(600_001);
    let later = bed.post_with(&path, key, body).await.expect(201);
    assert_eq!(later.body, first.body);
    let seen = bed
        .send(
            Method::GET,
            &format!("{path}/{}", first.id("bloqueo_id")),
            &[],
            None,
        )
        .await
        .expect(200);
    assert_eq!(seen.body["estado"], "terminado");
    let other = json!({"usuario_id": user, "cantidad": 3});
    bed.post_with(&path, key, other)
        .await
        .refused(422, "CLAVE_REUTILIZADA");
    // Whoever the other body names: the key is looked at first.
    let nobody = json!({"usuario_id": uuid::Uuid::from_u128(9), "cantidad": 2});
    bed.post_with(&path, key, nobody)
        .await
        .refused(422, "CLAVE_REUTILIZADA");
}
