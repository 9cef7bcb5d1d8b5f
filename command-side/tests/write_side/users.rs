//! `POST /api/usuarios`

use crate::bed::{Bed, person, user_stream};
use contract::{Cause, CommandId, Event, StreamKind, UserId, events::EmailClaimed};
use futures_util::future::join_all;
use ports::Expected;
use serde_json::{Value, json};
use uuid::Uuid;

/// A person, with these fields changed.
fn changed(number: u32, fields: Value) -> Value {
    let mut body = person(number);
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_registered_person_gets_what_the_contract_says() {
    let bed = Bed::new().await;
    let mut body = person(1);
    body["tipo_documento"] = "dni".into();
    body["password"] = "correct horse".into();
    let reply = bed.post("/api/users", body).await.expect(201);
    let id = reply.id("usuario_id");
    assert_eq!(reply.header("location"), format!("/api/usuarios/{id}"));
    assert!(reply.header("x-posicion").parse::<u64>().is_ok());
    assert_eq!(
        reply.body,
        json!({
            "usuario_id": id, "tipo_documento": "DNI", "nro_documento": "30.000.001", "nombre": "Ana",
            "apellido": "Pérez", "email": "ana1@example.com",
            "fecha_registro": reply.body["fecha_registro"], "historial_compras": [],
        })
    );
}

#[tokio::test]
async fn nothing_personal_stands_in_the_log_in_the_clear() {
    let bed = Bed::new().await;
    bed.post("/api/usuarios", changed(1, json!({"password": "correct horse"})))
        .await
        .expect(201);
    for recorded in bed.app.log.read_all(None, 100).await.unwrap() {
        let text = format!("{:?} {:?} {}", recorded.data, recorded.meta, recorded.stream);
        for secret in [
            "30.000.001",
            "30000001",
            "Ana",
            "rez",
            "ana1",
            "example.com",
            "correct horse",
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let owner = UserId(bed.user(2).await);
    let events = bed.events(user_stream(owner.0)).await;
    let [Event::UserRegistered(registered)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        bed.app
            .vault
            .open(owner, "given_name", &registered.given_name)
            .await
            .unwrap(),
        "Ana"
    );
}

#[tokio::test]
async fn the_same_document_in_any_spelling_is_registered_once() {
    let bed = Bed::new().await;
    bed.user(1).await;
    let again = changed(2, json!({"nro_documento": "30-000-001"}));
    bed.post("/api/usuarios", again)
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    let another_kind = changed(
        3,
        json!({"nro_documento": "30.000.001", "tipo_documento": "Pasaporte"}),
    );
    bed.post("/api/usuarios", another_kind).await.expect(201);
}

#[tokio::test]
async fn the_same_address_in_any_case_is_registered_once() {
    let bed = Bed::new().await;
    bed.user(1).await;
    let again = changed(2, json!({"email": " ANA1@Example.com "}));
    bed.post("/api/usuarios", again)
        .await
        .refused(409, "EMAIL_REGISTRADO");
}

#[tokio::test]
async fn a_registration_that_is_refused_gives_its_address_back() {
    let bed = Bed::new().await;
    bed.user(1).await;
    let other_address = changed(1, json!({"email": "nueva@example.com"}));
    bed.post("/api/usuarios", other_address)
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    // The same person with their own address: theirs stays theirs.
    bed.post("/api/usuarios", person(1))
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    bed.post("/api/usuarios", changed(2, json!({"email": "nueva@example.com"})))
        .await
        .expect(201);
    bed.post("/api/usuarios", changed(3, json!({"email": "ana1@example.com"})))
        .await
        .refused(409, "EMAIL_REGISTRADO");
}

#[tokio::test]
async fn an_address_whose_registration_never_came_is_free_after_a_minute() {
    let bed = Bed::new().await;
    bed.user(1).await;
    let body = changed(2, json!({"email": "perdida@example.com"}));
    bed.post(
        "/api/usuarios",
        changed(1, json!({"email": "perdida@example.com"})),
    )
    .await
    .expect(409);
    // A crash between claim and registration leaves the claim of somebody who does not exist.
    let log = bed.app.log.read_all(None, 100).await.unwrap();
    let released = log
        .iter()
        .rfind(|recorded| matches!(recorded.stream.parts(), Some((StreamKind::Email, _))));
    let released = released.unwrap();
    let (mut end, expected) = (released.end().unwrap(), Expected::Exactly(released.revision));
    let claimed = EmailClaimed {
        user_id: UserId(Uuid::from_u128(1)),
        at_ms: bed.app.clock.now(),
    };
    let cause = Cause {
        correlation: Uuid::nil(),
        actor: "admin".into(),
        trace: None,
    };
    let events = end.link(
        &released.stream,
        CommandId(Uuid::new_v4()),
        &cause,
        claimed.at_ms,
        [claimed.into()],
    );
    bed.app
        .append(&released.stream, expected, events.unwrap())
        .await
        .unwrap()
        .unwrap();

    bed.post("/api/usuarios", body.clone())
        .await
        .refused(409, "EMAIL_REGISTRADO");
    bed.clock.pass(60_001);
    bed.post("/api/usuarios", body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_one_document_or_one_address_exactly_one_is_registered() {
    let bed = Bed::new().await;
    let same_document = (0..8).map(|n| changed(n, json!({"nro_documento": "99.999.999"})));
    let replies = join_all(same_document.map(|body| bed.post("/api/usuarios", body))).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(created, 1, "{replies:#?}");
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 201 || reply.body["codigo"] == "DOCUMENTO_REGISTRADO")
    );

    let same_address = (20..28).map(|n| changed(n, json!({"email": "una@example.com"})));
    let replies = join_all(same_address.map(|body| bed.post("/api/usuarios", body))).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(created, 1, "{replies:#?}");
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 201 || reply.body["codigo"] == "EMAIL_REGISTRADO")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_body_give_the_same_answer() {
    let bed = Bed::new().await;
    let key = ("idempotency-key", "k-1");
    let replies = join_all((0..4).map(|_| bed.post_with("/api/usuarios", key, person(1)))).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (201, &replies[0].body));
    }
    bed.clock.pass(1_000);
    let later = bed.post_with("/api/usuarios", key, person(1)).await.expect(201);
    assert_eq!(later.body, replies[0].body);
    let other = bed.post_with("/api/usuarios", key, person(2)).await;
    other.refused(422, "CLAVE_REUTILIZADA");
    // The same body under another key is another request.
    let second = bed
        .post_with("/api/usuarios", ("idempotency-key", "k-2"), person(1))
        .await;
    second.refused(409, "DOCUMENTO_REGISTRADO");
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let bed = Bed::new().await;
    let empty = bed
        .post("/api/usuarios", json!({}))
        .await
        .refused(422, "DATOS_INVALIDOS");
    assert_eq!(
        empty.fields(),
        ["tipo_documento", "nro_documento", "nombre", "apellido", "email"]
    );
    for (field, bad) in [
        ("tipo_documento", json!("INE")),
        ("nro_documento", json!("12")),
        ("nro_documento", json!("...")),
        ("nro_documento", json!("12 345")),
        ("nro_documento", json!("1".repeat(33))),
        ("nombre", json!("  ")),
        ("nombre", json!("x".repeat(101))),
        ("apellido", json!(7)),
        ("email", json!("sin-arroba")),
        ("email", json!("a@b")),
        ("email", json!("a@b@c.com")),
        ("email", json!("a b@c.com")),
        ("email", json!("a@-b.com")),
        ("email", json!("a@b..com")),
        ("email", json!(format!("{}@b.com", "a".repeat(65)))),
        ("password", json!("corta")),
        ("password", json!("x".repeat(129))),
    ] {
        let reply = bed
            .post("/api/usuarios", changed(1, json!({field: bad.clone()})))
            .await;
        assert_eq!(reply.refused(422, "DATOS_INVALIDOS").fields(), [field], "{bad}");
    }
}
