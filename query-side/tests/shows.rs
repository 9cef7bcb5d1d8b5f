//! Reading shows: one, many, and their seats.
#![allow(clippy::unwrap_used)]

mod world;

use contract::{Role, SessionId, ShowId, Timestamp, UserId, events::*};
use serde_json::json;
use uuid::Uuid;
use web::{Caller, access::Reach};
use world::{BEGINS, RESERVATION, SHOW, World, usd};

#[tokio::test]
async fn a_show_is_read_with_its_tickets_under_both_addresses() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.register().await;
    world.buy(RESERVATION, 0).await;
    world.project().await;
    for base in ["eventos", "events"] {
        let answer = world.get(&format!("/api/{base}/{SHOW}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.body["precio"], 49.9);
        assert_eq!(answer.body["estado"], "activo");
        let tickets = [
            "aforo_total",
            "entradas_disponibles",
            "entradas_retenidas",
            "entradas_vendidas",
        ];
        assert_eq!(
            tickets.map(|field| answer.body[field].as_u64().unwrap()),
            [10, 8, 0, 2]
        );
    }
}

#[tokio::test]
async fn a_show_that_began_is_over_without_any_event() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let before = world.get(&format!("/api/eventos/{SHOW}")).await;
    world.clock.set(BEGINS.0);
    let after = world
        .get_with(
            &format!("/api/eventos/{SHOW}"),
            &[("if-none-match", before.header("etag"))],
        )
        .await;
    assert_eq!(before.body["estado"], "activo");
    assert_eq!(
        after.body["estado"], "finalizado",
        "neither the cache nor the tag hides it"
    );
}

#[tokio::test]
async fn the_tag_changes_with_the_show() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let path = format!("/api/eventos/{SHOW}");
    let before = world.get(&path).await;
    world.hold(RESERVATION.own_hold(), None, SHOW.0, 0).await;
    world.project().await;
    let after = world
        .get_with(&path, &[("if-none-match", before.header("etag"))])
        .await;
    assert_eq!(
        (after.status, &after.body["entradas_retenidas"]),
        (200, &json!(2))
    );
}

#[tokio::test]
async fn shows_are_listed_soonest_first_in_pages_without_gaps_or_repetitions() {
    let world = World::new();
    for n in 0..7_i64 {
        let id = ShowId(Uuid::from_u128(0x100 + u128::from(n.unsigned_abs())));
        // Two at a time begin together: the key decides between them.
        world
            .schedule(id, |show| show.starts_at_ms = Timestamp(BEGINS.0 + (6 - n) / 2))
            .await;
    }
    world.project().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("/api/eventos?limite=2&cursor={cursor}"))
            .await
            .body;
        let shows = page["eventos"].as_array().unwrap();
        assert!(shows.len() <= 2);
        seen.extend(
            shows
                .iter()
                .map(|show| (show["fecha"].to_string(), show["evento_id"].to_string())),
        );
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen.len(), 7);
    assert_eq!(seen, sorted);
}

#[tokio::test]
async fn shows_are_found_by_text_category_and_time() {
    let world = World::new();
    world.schedule(SHOW, |_| {}).await;
    let other = ShowId(Uuid::from_u128(0x200));
    world
        .schedule(other, |show| {
            show.name = "Évora 100%".into();
            show.category = Some("fado".into());
            show.starts_at_ms = Timestamp(BEGINS.0 + 1_000);
        })
        .await;
    world.project().await;
    let found = async |query: &str| {
        let body = world.get(&format!("/api/eventos?{query}")).await.body;
        let ids = body["eventos"]
            .as_array()
            .unwrap()
            .iter()
            .map(|show| show["evento_id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let (rock, fado) = (vec![SHOW.to_string()], vec![other.to_string()]);
    assert_eq!(found("q=EVORA").await, fado);
    assert_eq!(
        found("q=colon").await.len(),
        2,
        "the venue counts, accents do not"
    );
    assert_eq!(found("q=100%25").await, fado, "no wildcard");
    assert_eq!(found("q=_").await.len(), 0, "no wildcard either");
    assert_eq!(found("categoria=rock").await, rock);
    assert_eq!(
        found(&format!("desde={}", Timestamp(BEGINS.0 + 1).rfc3339())).await,
        fado
    );
    assert_eq!(
        found(&format!("hasta={}", Timestamp(BEGINS.0 + 1_000).rfc3339())).await,
        rock
    );
    assert_eq!(found("q=%20").await.len(), 2);
}

#[tokio::test]
async fn parameters_out_of_range_are_named() {
    let world = World::new();
    for (query, campo) in [
        ("limite=0", "limite"),
        ("limite=101", "limite"),
        ("limite=x", "limite"),
        ("cursor=x", "cursor"),
        ("desde=ayer", "desde"),
        ("hasta=2026-13-01T00:00:00Z", "hasta"),
        ("q=%00", "q"),
    ] {
        let answer = world.get(&format!("/api/eventos?{query}")).await;
        assert_eq!(
            (answer.status, answer.codigo()),
            (422, "DATOS_INVALIDOS"),
            "{query}"
        );
        assert_eq!(answer.body["errores"][0]["campo"], campo, "{query}");
    }
}

#[tokio::test]
async fn seats_are_read_seat_by_seat_and_general_admission_has_none() {
    let world = World::new();
    let numbered = ShowId(Uuid::from_u128(0x300));
    let section = Section {
        name: "Platea".into(),
        rows: 1,
        seats_per_row: 2,
        price: Some(usd(6_000)),
        ..Section::default()
    };
    world
        .schedule(numbered, |show| {
            show.layout = Layout::Numbered {
                sections: vec![section],
            }
        })
        .await;
    world.schedule(SHOW, |_| {}).await;
    world.project().await;
    let answer = world.get(&format!("/api/eventos/{numbered}/asientos")).await;
    assert_eq!(answer.body["secciones"][0]["precio"], 60);
    assert_eq!(
        answer.body["secciones"][0]["filas"],
        json!([{"fila": "A", "asientos": [
            {"asiento": "Platea-A-1", "estado": "libre"}, {"asiento": "Platea-A-2", "estado": "libre"}]}])
    );
    assert!(answer.body["secciones"][0].get("pasillos").is_none());
    assert_eq!(
        world.get(&format!("/api/eventos/{SHOW}/asientos")).await.body["secciones"],
        json!([])
    );
}

#[tokio::test]
async fn aisles_are_told_and_blocked_places_are_no_seats() {
    let world = World::new();
    let section = Section {
        name: "Platea".into(),
        rows: 1,
        seats_per_row: 4,
        aisles: vec![1],
        blocked: vec!["A-2".parse().unwrap(), "A-4".parse().unwrap()],
        ..Section::default()
    };
    world
        .schedule(SHOW, |show| {
            show.layout = Layout::Numbered {
                sections: vec![section],
            }
        })
        .await;
    world.project().await;
    let seats = world.get(&format!("/api/eventos/{SHOW}/asientos")).await.body;
    assert_eq!(seats["secciones"][0]["pasillos"], json!([1]));
    assert_eq!(
        seats["secciones"][0]["filas"],
        json!([{"fila": "A", "asientos": [
            {"asiento": "Platea-A-1", "estado": "libre"}, {"asiento": "Platea-A-3", "estado": "libre"}]}])
    );
    // The read model and the show as it stood then, folded from its stream, count alike.
    for path in ["/api/eventos", "/api/auditoria/eventos"] {
        let show = world.get(&format!("{path}/{SHOW}")).await.body;
        assert_eq!(
            (&show["aforo_total"], &show["entradas_disponibles"]),
            (&json!(2), &json!(2)),
            "{path}"
        );
    }
}

/// An organiser as the guard lets them into a public endpoint.
fn organiser(number: u128) -> Caller {
    let session = SessionId(Uuid::from_u128(0x5e));
    Caller::logged_in(
        UserId(Uuid::from_u128(number)),
        session,
        [Role::Organiser].into(),
        Reach::Own,
    )
}

#[tokio::test]
async fn an_organiser_finds_their_own_shows_page_by_page_and_nobody_elses() {
    let world = World::new();
    for n in 0..9_u128 {
        // Every third is theirs; the others are another organiser's, and nobody's.
        let owner = [
            Some(UserId(Uuid::from_u128(0xa))),
            Some(UserId(Uuid::from_u128(0xb))),
            None,
        ];
        world
            .schedule(ShowId(Uuid::from_u128(0x100 + n)), |show| {
                show.organiser = owner[n as usize % 3];
                show.category = Some(if n < 6 { "rock" } else { "fado" }.into());
                // The later ones begin sooner, two at a time together.
                show.starts_at_ms = Timestamp(BEGINS.0 - n as i64 / 2);
            })
            .await;
    }
    world.project().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..4 {
        let path = format!("/api/eventos?mios=true&limite=1&cursor={cursor}");
        let page = world.get_as(&organiser(0xa), &path).await;
        assert_eq!(page.status, 200);
        for show in page.body["eventos"].as_array().unwrap() {
            seen.push(show["evento_id"].as_str().unwrap().to_owned());
        }
        match page.body["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let id = |number: u128| ShowId(Uuid::from_u128(number)).to_string();
    assert_eq!(seen, [id(0x106), id(0x103), id(0x100)], "soonest first");
    let fado = world
        .get_as(&organiser(0xa), "/api/eventos?mios=true&categoria=fado")
        .await;
    assert_eq!(fado.body["eventos"].as_array().unwrap().len(), 1);
    assert_eq!(fado.body["eventos"][0]["evento_id"], id(0x106));
    let none = world.get_as(&organiser(0xc), "/api/eventos?mios=true").await;
    assert_eq!(none.body["eventos"], json!([]));
}

#[tokio::test]
async fn ones_own_shows_are_for_whoever_is_logged_in_and_kept_by_nobody() {
    let world = World::new();
    world
        .schedule(SHOW, |show| show.organiser = Some(UserId(Uuid::from_u128(0xa))))
        .await;
    world.project().await;
    let own = world.get_as(&organiser(0xa), "/api/eventos?mios=true").await;
    assert_eq!(own.header("cache-control"), "private, no-store");
    let refused = world.get_as(&Caller::anonymous(), "/api/eventos?mios=true").await;
    assert_eq!((refused.status, refused.codigo()), (401, "NO_AUTENTICADO"));
    for caller in [Caller::anonymous(), organiser(0xb)] {
        for path in ["/api/eventos", "/api/eventos?mios=false"] {
            let all = world.get_as(&caller, path).await;
            assert_eq!(all.body["eventos"].as_array().unwrap().len(), 1, "{path}");
            assert_eq!(all.header("cache-control"), "no-cache");
        }
    }
    let admin = Caller::logged_in(
        UserId(Uuid::from_u128(0xd)),
        SessionId(Uuid::from_u128(0x5e)),
        [Role::Admin].into(),
        Reach::All,
    );
    for caller in [Caller::operator(), admin] {
        let all = world.get_as(&caller, "/api/events?mios=true").await;
        assert_eq!(
            all.body["eventos"].as_array().unwrap().len(),
            1,
            "they see everybody's"
        );
        assert_eq!(all.header("cache-control"), "private, no-store");
    }
    let malformed = world.get_as(&organiser(0xa), "/api/eventos?mios=1").await;
    assert_eq!(
        (malformed.status, malformed.codigo()),
        (400, "PARAMETRO_INVALIDO")
    );
}
