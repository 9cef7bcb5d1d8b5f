//! The exports: what is in them, what is not, how they are written, and how many at once.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use contract::{
    Digest, Event, ReservationId, Role, SessionId, ShowId, StreamKind, StreamName, Timestamp, UserId,
    events::*,
};
use http_body_util::BodyExt;
use ports::{EventLog, Vault};
use query_side::Settings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tower::ServiceExt;
use uuid::Uuid;
use web::access::{Caller, Reach};
use world::{RESERVATION, SHOW, World, usd};

/// 2026-11-05.
const NOVEMBER: i64 = 1_793_836_800_000;

fn person(number: u128) -> UserId {
    UserId(Uuid::from_u128(0x1000 + number))
}

async fn register(world: &World, number: u128, email: &str) {
    let user_id = person(number);
    world.vault.create_key(user_id).await.unwrap();
    let seal = async |field: &str, clear: &str| world.vault.seal(user_id, field, clear).await.unwrap();
    let registered = UserRegistered {
        user_id,
        document_type: DocumentType::Dni,
        document: seal("document", &format!("7.654.{number:03}")).await,
        given_name: seal("given_name", "Ximena").await,
        family_name: seal("family_name", "Quispe").await,
        email: seal("email", email).await,
        email_pseudonym: Digest::ZERO,
        password: None,
        registered_at_ms: Timestamp(NOVEMBER),
        fingerprint: None,
    };
    world
        .append(&StreamName::user(user_id), user_id.0, vec![registered.into()])
        .await;
}

async fn buy(world: &World, number: u128, quantity: u32) {
    let recorded = PurchaseRecorded {
        reservation_id: ReservationId(Uuid::new_v4()),
        show_id: SHOW,
        show_name: "Concierto".into(),
        category: Some("rock".into()),
        quantity,
        amount: usd(4_990 * i64::from(quantity)),
        at_ms: Timestamp(NOVEMBER + 1_000 + i64::try_from(number).unwrap()),
    };
    world
        .append(
            &StreamName::user(person(number)),
            person(number).0,
            vec![recorded.into()],
        )
        .await;
}

async fn forget(world: &World, number: u128) {
    let forgotten = UserForgotten {
        reason: ForgetReason::Asked,
        at_ms: Timestamp(NOVEMBER),
    };
    world
        .append(
            &StreamName::user(person(number)),
            person(number).0,
            vec![forgotten.into()],
        )
        .await;
    world.vault.destroy(person(number)).await.unwrap();
}

/// Ten of one domain who bought the same, two of rare ones, one who was forgotten.
async fn some_people() -> World {
    let world = World::new();
    for number in 0..10 {
        register(&world, number, &format!("Ximena.{number}@Correo.example")).await;
    }
    register(&world, 10, "x@rare.example").await;
    register(&world, 11, "x@rarer.example").await;
    register(&world, 12, "gone@correo.example").await;
    forget(&world, 12).await;
    for number in 0..10 {
        buy(&world, number, 2).await;
    }
    world.project().await;
    world
}

async fn fetch(world: &World, path: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (
        parts.status.as_u16(),
        parts.headers,
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn people_are_exported_without_anything_that_is_theirs_alone() {
    let world = some_people().await;
    let (status, headers, text) = fetch(&world, "/api/usuarios/exportar").await;
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"usuarios.json\""
    );
    assert_eq!(headers["cache-control"], "no-store");
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let expected = |number: u32| {
        json!({"nombre_anonimizado": format!("Usuario_{number:06}"), "tipo_documento": "DNI",
            "dominio_email": "correo.example", "mes_registro": "2026-11", "total_compras": 1, "monto_total": 99.8,
            "moneda": "USD", "historial": [
                {"evento": "Concierto", "categoria": "rock", "mes": "2026-11", "cantidad": 2, "monto": 99.8}]})
    };
    assert_eq!(
        rows,
        (1..=10).map(expected).collect::<Vec<_>>(),
        "two and one are fewer than five"
    );
    for theirs in ["Ximena", "Quispe", "7.654", "gone", "rare", "00000000-0000", "@"] {
        assert!(!text.contains(theirs), "{theirs}");
    }
}

#[tokio::test]
async fn the_three_formats_say_the_same() {
    let world = some_people().await;
    for alias in ["usuarios", "users"] {
        let (_, _, array) = fetch(&world, &format!("/api/{alias}/exportar?formato=json")).await;
        let array: Vec<Value> = serde_json::from_str(&array).unwrap();
        let (_, headers, lines) = fetch(&world, &format!("/api/{alias}/exportar?formato=ndjson")).await;
        assert_eq!(headers["content-type"], "application/x-ndjson");
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(array, lines);
        let (_, headers, csv) = fetch(&world, &format!("/api/{alias}/exportar?formato=csv")).await;
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        let mut csv = csv.split("\r\n");
        assert_eq!(
            csv.next(),
            Some(
                "nombre_anonimizado,tipo_documento,dominio_email,mes_registro,total_compras,monto_total,moneda,historial"
            )
        );
        assert_eq!(
            csv.next(),
            Some(
                "Usuario_000001,DNI,correo.example,2026-11,1,99.8,USD,\"[{\"\"evento\"\":\"\"Concierto\"\",\"\"categoria\"\":\"\"rock\"\",\"\"mes\"\":\"\"2026-11\"\",\"\"cantidad\"\":2,\"\"monto\"\":99.8}]\""
            )
        );
        assert_eq!(csv.count(), 10, "nine more, and the end of the last line");
    }
}

#[tokio::test]
async fn one_purchase_more_changes_nothing_until_k_people_have_bought() {
    let world = some_people().await;
    let (_, _, before) = fetch(&world, "/api/usuarios/exportar").await;
    for number in 0..4 {
        let recorded = PurchaseRecorded {
            reservation_id: ReservationId(Uuid::new_v4()),
            show_id: SHOW,
            show_name: "Secreto".into(),
            category: None,
            quantity: 1,
            amount: usd(77_700),
            at_ms: Timestamp(NOVEMBER + 5_000),
        };
        world
            .append(
                &StreamName::user(person(number)),
                person(number).0,
                vec![recorded.into()],
            )
            .await;
        world.project().await;
        let (_, _, after) = fetch(&world, "/api/usuarios/exportar").await;
        assert_eq!(before, after);
    }
}

#[tokio::test]
async fn k_is_configured() {
    let world = World::with(Settings {
        export_k: 2,
        ..Settings::default()
    });
    for number in 0..2 {
        register(&world, number, "x@rare.example").await;
    }
    world.project().await;
    let (_, _, text) = fetch(&world, "/api/usuarios/exportar").await;
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["dominio_email"], "rare.example");
    assert_eq!(
        (&rows[1]["total_compras"], &rows[1]["moneda"]),
        (&json!(0), &json!("USD"))
    );
}

#[tokio::test]
async fn an_unknown_format_is_refused_and_without_anybody_there_is_an_empty_file() {
    let world = World::new();
    for path in [
        "/api/usuarios/exportar",
        "/api/eventos/exportar",
        "/api/events/exportar",
    ] {
        let answer = world.get(&format!("{path}?formato=xml")).await;
        assert_eq!((answer.status, answer.codigo()), (422, "DATOS_INVALIDOS"));
        assert_eq!(answer.body["errores"][0]["campo"], "formato");
        let (status, _, text) = fetch(&world, path).await;
        assert_eq!((status, serde_json::from_str(&text).unwrap()), (200, json!([])));
    }
}

#[tokio::test]
async fn shows_are_exported_as_they_are_shown_with_what_was_sold() {
    let world = World::new();
    world.schedule(SHOW, |show| show.name = "=Concierto".into()).await;
    let quiet = ShowId(Uuid::from_u128(0x77));
    world.schedule(quiet, |_| {}).await;
    world.register().await;
    world.buy(RESERVATION, 0).await;
    world.project().await;
    let (_, headers, text) = fetch(&world, "/api/eventos/exportar").await;
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"eventos.json\""
    );
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), 2);
    let by_id: BTreeMap<&str, &Value> = rows
        .iter()
        .map(|row| (row["evento_id"].as_str().unwrap(), row))
        .collect();
    for (id, sold) in [
        (SHOW, json!({"entradas": 2, "monto": 99.8, "moneda": "USD"})),
        (quiet, json!({"entradas": 0, "monto": 0, "moneda": "USD"})),
    ] {
        let mut row = by_id[id.to_string().as_str()].clone();
        assert_eq!(row.as_object_mut().unwrap().remove("ventas"), Some(sold));
        assert_eq!(row, world.get(&format!("/api/eventos/{id}")).await.body);
    }
    let (_, _, csv) = fetch(&world, "/api/eventos/exportar?formato=csv").await;
    assert!(csv.contains(",\"'=Concierto\","), "{csv}");
    assert!(csv.contains(",activo,10,8,0,2,false,2,99.8,USD\r\n"), "{csv}");
}

#[tokio::test]
async fn past_the_limit_an_export_is_turned_away_and_a_broken_off_one_gives_its_place_back() {
    let world = World::with(Settings {
        max_exports: 1,
        ..Settings::default()
    });
    for number in 0..5 {
        register(&world, number, "x@correo.example").await;
    }
    world.project().await;
    let request = Request::get("/api/usuarios/exportar")
        .body(Body::empty())
        .unwrap();
    let unread = world.router.clone().oneshot(request).await.unwrap();
    for path in ["/api/usuarios/exportar", "/api/eventos/exportar"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.codigo()), (503, "OCUPADO"));
        assert!(!answer.header("retry-after").is_empty());
    }
    drop(unread);
    assert_eq!(world.get("/api/usuarios/exportar").await.status, 200);
}

#[tokio::test]
async fn an_organiser_takes_their_own_shows_and_every_export_by_somebody_is_written_down_first() {
    let (world, organiser) = (World::new(), person(77));
    world.schedule(SHOW, |_| {}).await;
    let own = ShowId(Uuid::from_u128(0x78));
    world.schedule(own, |show| show.organiser = Some(organiser)).await;
    world.project().await;
    let take = async |path: &str, reach| {
        let session = SessionId(Uuid::from_u128(0x5e));
        let caller = Caller::logged_in(organiser, session, [Role::Organiser].into(), reach);
        let request = Request::get(path).extension(caller).body(Body::empty()).unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let stream = StreamName::of(StreamKind::Access, organiser.0);
        let records = world.log.read(&stream, 0, 10).await.unwrap();
        let told = records.iter().map(|recorded| match recorded.event().unwrap() {
            Event::DataDisclosed(disclosed) => disclosed.what,
            other => panic!("{other:?}"),
        });
        let told: Vec<Disclosure> = told.collect();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        (rows, told)
    };
    let (rows, told) = take("/api/eventos/exportar", Reach::Own).await;
    assert_eq!(told, [Disclosure::ShowsExport], "before the first byte was read");
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(row["evento_id"], json!(own));
    assert_eq!(take("/api/eventos/exportar", Reach::All).await.0.len(), 2);
    let (_, told) = take("/api/usuarios/exportar", Reach::All).await;
    assert_eq!(told.last(), Some(&Disclosure::PeopleExport));
}
