//! Who may call what, over HTTP: every endpoint that the program serves, with every kind of caller, against the one
//! table. The program runs here, with tokens required as in `serve`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod house;
mod table;

use common::{Folder, Server, person};
use contract::{Role, SessionId, Timestamp};
use eventflow::settings::{Settings, Sources};
use house::{House, call};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use web::access::{RoleSet, Tokens};

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_guarded_as_their_main_addresses_are() {
    let house = House::open("aliases").await;
    for (alias, method, wanted) in [
        ("/api/users/00000000-0000-4000-8000-000000000000", "GET", 401),
        (
            "/api/users/00000000-0000-4000-8000-000000000000/compras",
            "GET",
            401,
        ),
        ("/api/reservas/00000000-0000-4000-8000-000000000000", "GET", 401),
        ("/api/reservas", "POST", 401),
        ("/api/purchase", "POST", 401),
        ("/api/events", "POST", 401),
        ("/api/events", "GET", 200),
    ] {
        assert_eq!(
            call(house.address, method, alias, "", "").await.0,
            wanted,
            "{method} {alias}"
        );
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_ours_not_whole_or_not_valid_any_more_opens_nothing() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let house = House::open("tokens").await;
    let user = house.register().await;
    let roles = RoleSet::from([Role::Admin]);
    let session = SessionId(Uuid::new_v4());
    let now = house.tokens.now();
    let good = house.tokens.issue(user, session, &roles, now, 900);
    let parts: Vec<&str> = good.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let none = json!({ "alg": "none", "kid": header["kid"] }).to_string();
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(none), parts[1]);
    let strangers = Tokens::new(Arc::new(|_| [1; 32]), Arc::new(move || now));
    let foreign = strangers.issue(user, session, &roles, now, 900);
    let expired = house
        .tokens
        .issue(user, session, &roles, Timestamp(now.0 - 901_000), 900);
    for (what, token) in [
        ("alg none", unsigned),
        ("another key", foreign),
        ("expired", expired),
        (
            "altered",
            format!("{}.{}.{}", parts[0], parts[1].replacen('e', "f", 2), parts[2]),
        ),
        ("malformed", "x.y.z".to_owned()),
        ("oversize", "x".repeat(5_000)),
    ] {
        for path in ["/api/auth/yo", "/api/eventos"] {
            let answer = call(house.address, "GET", path, &format!("Bearer {token}"), "").await;
            assert_eq!(answer, (401, "NO_AUTENTICADO".into()), "{what} at {path}");
        }
    }
    let bearer = format!("Bearer {good}");
    assert_eq!(
        call(house.address, "GET", "/api/auth/yo", &bearer, "").await.0,
        200
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_roles_ends_the_tokens_that_were_given_before_at_once() {
    let house = House::open("roles").await;
    let (ana, root) = (house.register().await, house.register().await);
    let old = format!("Bearer {}", house.token(ana, &[]));
    let admin = format!("Bearer {}", house.token(root, &[Role::Admin]));
    assert_eq!(call(house.address, "GET", "/api/auth/yo", &old, "").await.0, 200);
    let path = format!("/api/usuarios/{ana}/roles");
    let changed = call(house.address, "PUT", &path, &admin, r#"{"roles":["auditor"]}"#).await;
    assert!(changed.0 < 300, "{changed:?}");
    let refused = call(house.address, "GET", "/api/auth/yo", &old, "").await;
    assert_eq!(refused, (401, "NO_AUTENTICADO".into()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_in_is_known_until_they_log_out() {
    let house = House::open("session").await;
    let mut client = house.client().await;
    let mut ana = person("ana");
    ana["password"] = json!("correcto caballo");
    let id = client
        .post("/api/usuarios", ana)
        .await
        .expect(201)
        .field("usuario_id");
    let credentials = json!({ "email": "ana@example.org", "password": "correcto caballo" });
    let session = client.post("/api/auth/login", credentials).await.expect(200);
    let bearer = format!("Authorization: Bearer {}\r\n", session.field("access_token"));
    let me = client
        .send("GET", "/api/auth/yo", &bearer, "")
        .await
        .expect(200)
        .body;
    assert_eq!(
        (me["usuario_id"].as_str(), &me["roles"]),
        (Some(id.as_str()), &json!(["cliente"]))
    );
    let own = format!("/api/usuarios/{id}");
    client.send("GET", &own, &bearer, "").await.expect(200);
    let left = client.send("POST", "/api/auth/logout", &bearer, "{}").await;
    assert!(left.status < 300, "{}", left.text);
    client
        .send("GET", &own, &bearer, "")
        .await
        .refused(401, "NO_AUTENTICADO");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_the_place_of_all_and_a_trusted_proxy_says_whose_it_is() {
    let settings = Settings {
        rate_limit: Some(1),
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::resolve(&Sources::default()).unwrap()
    };
    let house = House::open_with("limits", settings).await;
    let mut client = house.client().await;
    let mut from = async |address: &str| {
        let forwarded = format!("X-Forwarded-For: 1.1.1.1, {address}\r\n");
        client.send("GET", "/api/eventos", &forwarded, "").await
    };
    for _ in 0..5 {
        from("198.51.100.1").await.expect(200);
    }
    let mut refused = from("198.51.100.1").await;
    for _ in 0..5 {
        if refused.status == 429 {
            break;
        }
        refused = from("198.51.100.1").await;
    }
    assert!(
        refused
            .refused(429, "DEMASIADAS_SOLICITUDES")
            .retry_after
            .is_some()
    );
    from("198.51.100.2").await.expect(200);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_takes_who_sends_no_token_for_the_operator_and_believes_no_bad_one() {
    let folder = Folder::new("dev");
    let server = Server::start(&folder.data(), &[]);
    let me = server.client().await.get("/api/auth/yo").await.expect(200).body;
    assert_eq!(me, json!({ "usuario_id": null, "roles": ["admin"] }));
    let (status, _) = call(server.address, "GET", "/api/auth/yo", "Bearer x", "").await;
    assert_eq!(status, 401);
    server.stop();
}
