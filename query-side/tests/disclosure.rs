//! Who looks at whose data, and that it is written down before it is shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use axum::{body::Body, http::Request};
use contract::{
    Event, Role, SessionId, StreamKind, StreamName, Timestamp, UserId,
    events::{Disclosure, ForgetReason, LoginFailed, RolesChanged, UserForgotten},
};
use http_body_util::BodyExt;
use ports::{EventLog, Vault};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;
use web::access::{Caller, Reach};
use world::{RESERVATION, SHOW, USER, World};

const ADMIN: UserId = UserId(Uuid::from_u128(0xad));

fn caller(user: UserId, role: Role, reach: Reach) -> Caller {
    Caller::logged_in(user, SessionId(Uuid::from_u128(0x5e)), [role].into(), reach)
}

fn admin() -> Caller {
    caller(ADMIN, Role::Admin, Reach::All)
}

async fn get(world: &World, caller: &Caller, path: &str) -> (u16, Value) {
    let request = Request::get(path)
        .extension(caller.clone())
        .body(Body::empty())
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// What was disclosed of a person, and to whom.
async fn disclosed(world: &World, of: UserId) -> Vec<(Disclosure, String)> {
    let stream = StreamName::of(StreamKind::Access, of.0);
    let events = world.log.read(&stream, 0, 1_000).await.unwrap();
    let told = |recorded: &std::sync::Arc<contract::Recorded>| {
        let decoded = recorded.decode().unwrap();
        match &decoded.0 {
            Event::DataDisclosed(disclosed) => Some((disclosed.what, decoded.1.actor.to_string())),
            _ => None,
        }
    };
    events.iter().filter_map(told).collect()
}

async fn with_a_person() -> World {
    let world = World::new();
    world.register().await;
    world.schedule(SHOW, |_| {}).await;
    world.buy(RESERVATION, 0).await;
    world.project().await;
    world
}

#[tokio::test]
async fn whoever_looks_at_somebody_elses_profile_is_written_down_and_whoever_looks_at_their_own_is_not() {
    let world = with_a_person().await;
    let path = format!("/api/usuarios/{USER}");
    let own = caller(USER, Role::Customer, Reach::Own);
    assert_eq!(get(&world, &own, &path).await.0, 200);
    assert_eq!(get(&world, &Caller::operator(), &path).await.0, 200);
    assert_eq!(disclosed(&world, USER).await, []);
    for moment in 0..3 {
        world.clock.set(1_000_000_000_000 + moment);
        assert_eq!(get(&world, &admin(), &path).await.0, 200);
    }
    let once = (Disclosure::Profile, ADMIN.to_string());
    assert_eq!(disclosed(&world, USER).await, vec![once; 3]);
    let nobody = format!("/api/usuarios/{}", Uuid::from_u128(99));
    assert_eq!(get(&world, &admin(), &nobody).await.0, 404);
    assert_eq!(disclosed(&world, UserId(Uuid::from_u128(99))).await, []);
}

#[tokio::test]
async fn nobody_reaches_anothers_data_with_the_role_of_a_customer() {
    let world = with_a_person().await;
    let other = caller(UserId(Uuid::from_u128(8)), Role::Customer, Reach::Own);
    for path in ["", "/compras", "/datos"] {
        let (status, body) = get(&world, &other, &format!("/api/usuarios/{USER}{path}")).await;
        assert_eq!(
            (status, body["codigo"].as_str()),
            (403, Some("SIN_PERMISO")),
            "{path}"
        );
    }
    assert_eq!(disclosed(&world, USER).await, []);
}

#[tokio::test]
async fn people_are_told_everything_that_is_held_about_them_and_who_looked_at_it() {
    let world = with_a_person().await;
    let changed = RolesChanged {
        roles: [Role::Customer, Role::Organiser].into(),
        at_ms: Timestamp(7_000),
    };
    let account = StreamName::of(StreamKind::Account, USER.0);
    world.append(&account, USER.0, vec![changed.into()]).await;
    let access = StreamName::of(StreamKind::Access, USER.0);
    let failed = LoginFailed {
        at_ms: Timestamp(8_000),
    };
    world.append(&access, USER.0, vec![failed.into()]).await;
    let path = format!("/api/usuarios/{USER}/datos");
    let (status, _) = get(&world, &admin(), &path).await;
    assert_eq!(status, 200);

    let own = caller(USER, Role::Customer, Reach::Own);
    let (status, datos) = get(&world, &own, &path).await;
    assert_eq!(status, 200, "{datos}");
    assert_eq!(datos["usuario"]["nro_documento"], "12.345.678");
    assert_eq!(datos["usuario"]["historial_compras"].as_array().unwrap().len(), 1);
    assert_eq!(datos["hay_mas_compras"], false);
    assert_eq!(datos["reservas"][0]["reserva_id"], json!(RESERVATION));
    assert_eq!(datos["reservas"][0]["estado"], "confirmada");
    assert_eq!(datos["roles"], json!(["cliente", "organizador"]));
    assert_eq!(datos["cambios_de_roles"][0]["por"], "admin");
    let kinds: Vec<_> = datos["accesos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["tipo"].clone())
        .collect();
    assert_eq!(kinds, ["ingreso_fallido", "consulta_de_todo"]);
    assert_eq!(datos["accesos"][1]["por"], json!(ADMIN.to_string()));
    assert!(!datos["conservacion"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_forgotten_is_gone_for_readers_before_and_after_the_read_models_hear_of_it() {
    let world = with_a_person().await;
    world.vault.destroy(USER).await.unwrap();
    let paths = ["", "/compras", "/datos"].map(|path| format!("/api/usuarios/{USER}{path}"));
    for _ in 0..2 {
        for path in &paths {
            let (status, body) = get(&world, &admin(), path).await;
            assert_eq!(
                (status, body["codigo"].as_str()),
                (410, Some("USUARIO_OLVIDADO")),
                "{path}"
            );
        }
        let forgotten = UserForgotten {
            reason: ForgetReason::Asked,
            at_ms: Timestamp(9_000),
        };
        world
            .append(&StreamName::user(USER), USER.0, vec![forgotten.into()])
            .await;
        world.project().await;
    }
    assert_eq!(disclosed(&world, USER).await, [], "nothing was shown");
}
