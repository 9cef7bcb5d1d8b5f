//! The log as auditors read it.
#![allow(clippy::unwrap_used)]

mod world;

use contract::{HoldId, ReservationId, StreamName, Timestamp, events::*};
use serde_json::{Value, json};
use uuid::Uuid;
use world::{BEGINS, RESERVATION, SHOW, USER, World};

fn kinds(body: &Value) -> Vec<&str> {
    body.as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["tipo"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_stream_is_read_as_it_stands_in_the_log_with_personal_data_sealed() {
    let world = World::new();
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    world.buy(RESERVATION, 0).await;
    let body = world
        .get(&format!("/api/auditoria/streams/user-{USER}"))
        .await
        .body;
    assert_eq!(kinds(&body), ["user_registered.v1", "purchase_recorded.v1"]);
    assert_eq!(body[1]["revision"], 1);
    assert_eq!(body[1]["causa"]["correlacion"], json!(RESERVATION));
    assert_eq!(body[1]["causa"]["actor"], "admin");
    assert_eq!(body[1]["datos"]["amount"]["minor"], 9_980);
    assert!(!body.to_string().contains("Ana") && !body.to_string().contains("ejemplo.org"));
}

#[tokio::test]
async fn a_stream_is_read_from_a_revision_and_in_pages() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.buy(RESERVATION, 0).await;
    let path = format!("/api/auditoria/streams/show-{SHOW}");
    let page = world.get(&format!("{path}?desde=1&limite=1")).await.body;
    assert_eq!(kinds(&page), ["tickets_held.v1"]);
    let beyond = world.get(&format!("{path}?desde=9223372036854775807")).await;
    assert_eq!((beyond.status, beyond.body), (200, json!([])));
    for query in [
        "desde=-1",
        "limite=0",
        "limite=1001",
        "desde=18446744073709551615",
    ] {
        assert_eq!(world.get(&format!("{path}?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_purchase_is_told_over_all_streams_without_what_belongs_to_others() {
    let world = World::new();
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    // Another purchase of the same person and show, in the middle of this one.
    let other = ReservationId(Uuid::from_u128(0x33));
    world
        .request(
            RESERVATION,
            Choice::Quantity {
                quantity: 2,
                section: None,
            },
        )
        .await;
    world.buy(other, 0).await;
    world
        .hold(RESERVATION.own_hold(), Some(RESERVATION), RESERVATION.0, 2)
        .await;
    world.settle(RESERVATION, RESERVATION.own_hold(), 2).await;
    let body = world
        .get(&format!("/api/auditoria/reservas/{RESERVATION}"))
        .await
        .body;
    let story = [
        "reservation_requested.v1",
        "tickets_held.v1",
        "reservation_progressed.v1",
        "payment_captured.v1",
        "purchase_recorded.v1",
        "tickets_sold.v1",
        "reservation_confirmed.v1",
    ];
    assert_eq!(kinds(&body), story);
    assert!(
        body.as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["causa"]["correlacion"] == json!(RESERVATION))
    );
    let positions: Vec<u64> = body
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["posicion"].as_u64().unwrap())
        .collect();
    assert!(positions.is_sorted());
}

#[tokio::test]
async fn the_story_begins_with_the_hold_that_was_made_before_and_ends_with_the_cancellation() {
    let world = World::new();
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    let hold_id = HoldId(Uuid::from_u128(0x44));
    world.hold(hold_id, None, Uuid::from_u128(0x45), 0).await;
    world.request(RESERVATION, Choice::Hold { hold_id }).await;
    world.settle(RESERVATION, hold_id, 0).await;
    // Many sales of others lie between the purchase and its end.
    for n in 1..4_u32 {
        world
            .buy(ReservationId(Uuid::from_u128(0x50 + u128::from(n))), n * 2)
            .await;
    }
    let at_ms = Timestamp(9_000);
    let asked = CancellationRequested {
        reservation_id: RESERVATION,
        reason: CancelReason::Buyer,
        at_ms,
    };
    let reservation = StreamName::reservation(RESERVATION);
    world
        .append(&reservation, RESERVATION.0, vec![asked.into()])
        .await;
    let returned = TicketsReturned {
        hold_id,
        reservation_id: RESERVATION,
        user_id: USER,
        quantity: 2,
        seats: Vec::new(),
        tally: Tally {
            free: 4,
            held: 0,
            sold: 6,
        },
    };
    world
        .append(&StreamName::show(SHOW), RESERVATION.0, vec![returned.into()])
        .await;
    let cancelled = ReservationCancelled {
        reservation_id: RESERVATION,
        steps: Vec::new(),
        at_ms,
    };
    world
        .append(&reservation, RESERVATION.0, vec![cancelled.into()])
        .await;

    let body = world
        .get(&format!("/api/auditoria/reservas/{RESERVATION}"))
        .await
        .body;
    let told = kinds(&body);
    assert_eq!(told.len(), 10);
    assert_eq!(told[..2], ["tickets_held.v1", "reservation_requested.v1"]);
    assert_eq!(
        told[7..],
        [
            "cancellation_requested.v1",
            "tickets_returned.v1",
            "reservation_cancelled.v1"
        ]
    );
}

#[tokio::test]
async fn a_show_is_seen_as_it_stood_at_a_position_or_a_time() {
    let world = World::new();
    let scheduled = world.schedule(SHOW, |_| {}).await;
    let then = world.get(&format!("/api/auditoria/eventos/{SHOW}")).await;
    world.clock.set(1_000_000_005_000);
    world.buy(RESERVATION, 0).await;
    let path = format!("/api/auditoria/eventos/{SHOW}");
    assert_eq!(world.get(&path).await.body["entradas_vendidas"], 2);
    for hasta in [
        scheduled.to_string(),
        Timestamp(1_000_000_004_999).rfc3339(),
        "2001-09-09T04:46:44%2B03:00".into(),
    ] {
        let past = world.get(&format!("{path}?hasta={hasta}")).await;
        assert_eq!(past.status, 200, "{hasta}");
        assert_eq!(past.body["entradas_disponibles"], 10, "{hasta}");
        assert_eq!(past.body["posicion"], then.body["posicion"], "{hasta}");
    }
    let began = world.get(&format!("{path}?hasta={}", BEGINS.rfc3339())).await;
    assert_eq!(
        began.body["estado"], "finalizado",
        "judged by the time that was asked for"
    );
    for (hasta, status) in [
        ("1", 404),
        ("1999-01-01T00:00:00Z", 404),
        ("ayer", 422),
        ("-1", 422),
    ] {
        assert_eq!(
            world.get(&format!("{path}?hasta={hasta}")).await.status,
            status,
            "{hasta}"
        );
    }
}

#[tokio::test]
async fn verification_finds_a_sound_log_sound_and_names_what_is_not() {
    let world = World::new();
    let empty = world.get("/api/auditoria/verificar").await;
    assert_eq!(
        (empty.status, &empty.body["correcto"], &empty.body["posicion"]),
        (200, &json!(true), &Value::Null)
    );
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    world.buy(RESERVATION, 0).await;
    let sound = world.get("/api/auditoria/verificar").await.body;
    assert_eq!(sound["correcto"], true, "{sound}");
    assert_eq!(
        (&sound["eventos"], &sound["reservas"], &sound["confirmadas"]),
        (&json!(1), &json!(1), &json!(1))
    );
    // Sold without having been held.
    let sale = TicketsSold {
        hold_id: HoldId(Uuid::from_u128(0x77)),
        reservation_id: RESERVATION,
        user_id: USER,
        quantity: 2,
        seats: Vec::new(),
        amount: world::usd(9_980),
        tally: Tally {
            free: 6,
            held: 0,
            sold: 4,
        },
    };
    let position = world
        .append(&StreamName::show(SHOW), SHOW.0, vec![sale.into()])
        .await;
    let broken = world.get("/api/auditoria/verificar").await.body;
    assert_eq!(broken["correcto"], false);
    assert_eq!(broken["violaciones"][0]["posicion"], json!(position));
    assert_eq!(broken["violaciones"][0]["stream"], format!("show-{SHOW}"));
}
