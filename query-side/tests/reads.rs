//! What all reads have in common, users, reservations and payments. Shows: `shows.rs`.
#![allow(clippy::unwrap_used)]

mod world;

use contract::{ReservationId, Role, SessionId, UserId, events::*};
use ports::{Charge, Payments, Vault};
use serde_json::{Value, json};
use uuid::Uuid;
use web::access::{Caller, Reach};
use world::{RESERVATION, SHOW, USER, World, usd};

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.register().await;
    world.buy(RESERVATION, 0).await;
    world.project().await;
    for path in [
        format!("/api/eventos/{SHOW}"),
        "/api/eventos".to_owned(),
        format!("/api/eventos/{SHOW}/asientos"),
        format!("/api/usuarios/{USER}"),
        format!("/api/usuarios/{USER}/compras"),
        format!("/api/reservar/{RESERVATION}"),
        format!("/api/pagos/{RESERVATION}"),
        format!("/api/auditoria/streams/show-{SHOW}"),
        format!("/api/auditoria/reservas/{RESERVATION}"),
        format!("/api/auditoria/eventos/{SHOW}"),
        "/api/auditoria/verificar".to_owned(),
    ] {
        let first = world.get(&path).await;
        let tag = first.header("etag").to_owned();
        assert_eq!(first.status, 200, "{path}");
        assert!(tag.starts_with('"'), "{path}: a strong tag");
        for named in [tag.as_str(), "*", &format!("\"x\", W/{tag}")] {
            let again = world.get_with(&path, &[("if-none-match", named)]).await;
            assert_eq!(
                (again.status, again.header("etag"), &again.body),
                (304, tag.as_str(), &Value::Null),
                "{path}"
            );
        }
        assert_eq!(
            world.get_with(&path, &[("if-none-match", "\"x\"")]).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn nothing_is_found_under_unknown_or_malformed_ids() {
    let world = World::new();
    let unknown = Uuid::from_u128(99).to_string();
    for id in [
        unknown.as_str(),
        "x",
        "00000000000000000000000000000063",
        "%00",
        "..%2F",
    ] {
        for (path, codigo) in [
            (format!("/api/eventos/{id}"), "EVENTO_NO_ENCONTRADO"),
            (format!("/api/eventos/{id}/asientos"), "EVENTO_NO_ENCONTRADO"),
            (format!("/api/usuarios/{id}"), "USUARIO_NO_ENCONTRADO"),
            (format!("/api/users/{id}/compras"), "USUARIO_NO_ENCONTRADO"),
            (format!("/api/reservar/{id}"), "RESERVA_NO_ENCONTRADA"),
            (format!("/api/reservas/{id}/cambios"), "RESERVA_NO_ENCONTRADA"),
            (format!("/api/pagos/{id}"), "RESERVA_NO_ENCONTRADA"),
            (format!("/api/auditoria/reservas/{id}"), "RESERVA_NO_ENCONTRADA"),
            (format!("/api/auditoria/eventos/{id}"), "EVENTO_NO_ENCONTRADO"),
            (format!("/api/auditoria/streams/{id}"), "NO_ENCONTRADO"),
        ] {
            let answer = world.get(&path).await;
            assert_eq!((answer.status, answer.codigo()), (404, codigo), "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
}

/// The same read, as this caller.
async fn status_as(world: &World, caller: &Caller, path: &str) -> u16 {
    let mut request = axum::http::Request::get(path)
        .body(axum::body::Body::empty())
        .unwrap();
    request.extensions_mut().insert(caller.clone());
    let answer = tower::ServiceExt::oneshot(world.router.clone(), request);
    answer.await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_customer_sees_what_is_their_own_and_is_refused_what_is_anothers() {
    let world = World::new();
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    let choice = Choice::Quantity {
        quantity: 1,
        section: None,
    };
    world.request(RESERVATION, choice).await;
    world.project().await;
    let customer = |user| {
        let session = SessionId(Uuid::from_u128(9));
        Caller::logged_in(user, session, [Role::Customer].into(), Reach::Own)
    };
    let (own, other) = (customer(USER), customer(UserId(Uuid::from_u128(0xbad))));
    for path in [
        format!("/api/usuarios/{USER}"),
        format!("/api/users/{USER}/compras"),
        format!("/api/reservar/{RESERVATION}"),
        format!("/api/reservas/{RESERVATION}/cambios"),
    ] {
        assert_eq!(status_as(&world, &own, &path).await, 200, "{path}");
        assert_eq!(status_as(&world, &other, &path).await, 403, "{path}");
        assert_eq!(
            status_as(&world, &Caller::anonymous(), &path).await,
            401,
            "{path}"
        );
    }
    let nobody = Uuid::from_u128(0xdead);
    let unknown = format!("/api/usuarios/{nobody}");
    assert_eq!(
        status_as(&world, &own, &unknown).await,
        403,
        "not even whether they exist"
    );
    let unknown = format!("/api/reservar/{nobody}");
    assert_eq!(status_as(&world, &own, &unknown).await, 404);
}

#[tokio::test]
async fn whoever_operates_the_program_is_told_so() {
    let answer = World::new().get("/api/auth/yo").await;
    assert_eq!(answer.body, json!({"usuario_id": null, "roles": ["admin"]}));
}

#[tokio::test]
async fn a_reader_of_their_own_write_waits_for_it() {
    let world = World::new();
    let position = world.schedule(SHOW, |_| {}).await;
    let path = format!("/api/eventos/{SHOW}?posicion={position}");
    let mut reading = Box::pin(world.get(&path));
    assert!(
        futures_util::poll!(&mut reading).is_pending(),
        "not projected yet"
    );
    world.project().await;
    assert_eq!(reading.await.status, 200);
}

#[tokio::test]
async fn a_projection_that_stays_behind_is_a_503_after_the_wait() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let path = format!("/api/eventos/{SHOW}?posicion=999999999");
    let mut reading = Box::pin(world.get(&path));
    assert!(futures_util::poll!(&mut reading).is_pending());
    world.clock.set(1_000_000_000_000 + 2_000);
    let answer = reading.await;
    assert_eq!(
        (answer.status, answer.codigo(), answer.header("retry-after")),
        (503, "LECTURA_ATRASADA", "1")
    );
    let answer = world.get("/api/eventos?posicion=ayer").await;
    assert_eq!((answer.status, answer.codigo()), (400, "PARAMETRO_INVALIDO"));
}

#[tokio::test]
async fn a_user_is_read_in_the_clear_with_their_latest_purchases_and_pages_through_all() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.register().await;
    for n in 0..4_u32 {
        world
            .buy(ReservationId(Uuid::from_u128(0x400 + u128::from(n))), n * 2)
            .await;
    }
    world.project().await;
    let answer = world.get(&format!("/api/usuarios/{USER}")).await;
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(
        (
            &answer.body["nombre"],
            &answer.body["email"],
            &answer.body["nro_documento"]
        ),
        (&json!("Ana"), &json!("ana@ejemplo.org"), &json!("12.345.678"))
    );
    assert_eq!(answer.body["tipo_documento"], "DNI");
    let history = answer.body["historial_compras"].as_array().unwrap();
    assert_eq!(history.len(), 4);
    assert_eq!(
        history[0]["reserva_id"],
        json!(Uuid::from_u128(0x403)),
        "newest first"
    );
    assert_eq!(history[0]["monto"], 99.8);

    let first = world
        .get(&format!("/api/usuarios/{USER}/compras?limite=3"))
        .await
        .body;
    let cursor = first["cursor"].as_str().unwrap();
    let second = world
        .get(&format!("/api/usuarios/{USER}/compras?limite=3&cursor={cursor}"))
        .await
        .body;
    assert_eq!(second["compras"].as_array().unwrap().len(), 1);
    assert_eq!(second["compras"][0]["reserva_id"], json!(Uuid::from_u128(0x400)));
    assert_eq!(second["cursor"], Value::Null);
    assert_eq!(
        world
            .get(&format!("/api/usuarios/{USER}/compras?limite=101"))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_forgotten_user_is_gone() {
    let world = World::new();
    world.register().await;
    world.project().await;
    world.vault.destroy(USER).await.unwrap();
    for path in [
        format!("/api/usuarios/{USER}"),
        format!("/api/usuarios/{USER}/compras"),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(
            (answer.status, answer.codigo()),
            (410, "USUARIO_OLVIDADO"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_reservation_is_found_before_it_is_projected() {
    let world = World::new();
    world
        .request(
            RESERVATION,
            Choice::Quantity {
                quantity: 2,
                section: None,
            },
        )
        .await;
    let path = format!("/api/reservar/{RESERVATION}");
    let from_log = world.get(&path).await;
    assert_eq!(
        (from_log.status, &from_log.body["estado"]),
        (200, &json!("pendiente"))
    );
    world.project().await;
    assert_eq!(world.get(&path).await.body, from_log.body);
}

#[tokio::test]
async fn a_confirmed_reservation_shows_when() {
    let world = World::new();
    world.buy(RESERVATION, 0).await;
    world.project().await;
    let body = world.get(&format!("/api/reservar/{RESERVATION}")).await.body;
    assert_eq!(
        (&body["estado"], &body["confirmada_en"]),
        (&json!("confirmada"), &json!("1970-01-01T00:00:06.000Z"))
    );
    assert!(
        body["pasos"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["estado"] == "hecho")
    );
}

#[tokio::test]
async fn what_the_gateway_holds_can_be_asked() {
    let world = World::new();
    world
        .request(
            RESERVATION,
            Choice::Quantity {
                quantity: 2,
                section: None,
            },
        )
        .await;
    let path = format!("/api/pagos/{RESERVATION}");
    let nothing = json!({"autorizado": 0, "capturado": 0, "reembolsado": 0, "moneda": "USD"});
    assert_eq!(world.get(&path).await.body, nothing);
    let charge = Charge {
        reservation_id: RESERVATION,
        amount: usd(9_980),
        token: "tok_ok".into(),
    };
    world.gateway.charge(charge).await.unwrap();
    world.gateway.refund(RESERVATION).await.unwrap();
    let refunded = json!({"autorizado": 99.8, "capturado": 99.8, "reembolsado": 99.8, "moneda": "USD"});
    assert_eq!(world.get(&path).await.body, refunded);
}

#[tokio::test]
async fn every_operation_of_the_document_is_routed() {
    let world = World::new();
    let document = serde_json::to_value(query_side::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 17);
    for path in paths.keys() {
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let address = parts.collect::<Vec<_>>().join("/");
        let request = axum::http::Request::post(&address)
            .body(axum::body::Body::empty())
            .unwrap();
        let response = tower::ServiceExt::oneshot(world.router.clone(), request)
            .await
            .unwrap();
        assert_eq!(response.status(), 405, "{path} exists, but only for GET");
        assert_eq!(response.headers()["allow"], "GET,HEAD");
    }
}
