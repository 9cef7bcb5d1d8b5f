#![allow(clippy::unwrap_used)]
use super::*;
use crate::{
    access::{Peer, RoleSet, caller::role_word},
    headers::Access,
    telemetry::instrument,
};
use axum::{
    body::Body,
    http::StatusCode,
    routing::{get, post},
};
use contract::{Role, SessionId};
use http_body_util::BodyExt;
use std::sync::Mutex;
use tower::ServiceExt;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const ANA: UserId = UserId(Uuid::from_u128(1));
const SESSION: SessionId = SessionId(Uuid::from_u128(2));

#[derive(Default)]
struct Known(Mutex<Vec<(Uuid, Timestamp)>>);

#[async_trait]
impl Revocations for Known {
    async fn until(&self, id: Uuid) -> Option<Timestamp> {
        let known = self.0.lock().unwrap();
        known
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, until)| *until)
    }
}

struct Bed {
    tokens: Arc<Tokens>,
    known: Arc<Known>,
    router: Router,
}

/// Says who came, and how far they reach.
async fn seen(Access(caller): Access) -> String {
    let roles: Vec<_> = caller.roles().iter().map(|role| role_word(*role)).collect();
    let reach = if caller.reaches_all() { "all" } else { "own" };
    format!("{} {} {reach}", caller.actor(), roles.join("+"))
}

fn bed(required: bool, per_second: u32) -> Bed {
    let tokens = Arc::new(Tokens::new(Arc::new(|epoch| [epoch as u8; 32]), Arc::new(|| NOW)));
    let known = Arc::new(Known::default());
    let routes = Router::new()
        .route("/api/events", get(seen).post(seen))
        .route("/api/usuarios/{usuario_id}", get(seen))
        .route("/api/auth/yo", get(seen))
        .route("/api/auth/refresh", post(seen))
        .route("/api/auditoria/verificar", get(seen))
        .route("/salud/viva", get(seen))
        .route("/api/sin_fila", get(seen));
    let guarded = guard(
        routes,
        Guard {
            tokens: tokens.clone(),
            revocations: known.clone(),
            required,
            rate: RateLimit { per_second },
            proxies: Vec::new(),
        },
    );
    let router = instrument(guarded, 100);
    Bed {
        tokens,
        known,
        router,
    }
}

impl Bed {
    fn token(&self, roles: &[Role]) -> String {
        let roles: RoleSet = roles.iter().copied().collect();
        format!("Bearer {}", self.tokens.issue(ANA, SESSION, &roles, NOW, 900))
    }

    async fn call(&self, method: &str, path: &str, authorization: &[&str]) -> (u16, HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(path);
        for value in authorization {
            request = request.header(header::AUTHORIZATION, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request
            .extensions_mut()
            .insert(Peer("192.0.2.1:5".parse().unwrap()));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (
            parts.status.as_u16(),
            parts.headers,
            String::from_utf8(body).unwrap(),
        )
    }

    async fn get(&self, path: &str, authorization: &[&str]) -> (u16, String) {
        let (status, _, body) = self.call("GET", path, authorization).await;
        (status, body)
    }
}

const USER: &str = "/api/usuarios/00000000-0000-0000-0000-000000000001";

#[tokio::test]
async fn where_a_token_is_needed_nobody_passes_without_one() {
    let bed = bed(true, 0);
    for path in [USER, "/api/auth/yo", "/api/auditoria/verificar"] {
        let (status, headers, body) = bed.call("GET", path, &[]).await;
        assert_eq!(status, 401, "{path}");
        assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
        assert!(body.contains("NO_AUTENTICADO"));
    }
    assert_eq!(bed.get("/api/events", &[]).await, (200, "anonymous  own".into()));
    assert_eq!(bed.call("POST", "/api/events", &[]).await.0, 401);
}

#[tokio::test]
async fn a_token_opens_what_its_roles_may_and_nothing_else() {
    let bed = bed(true, 0);
    let customer = bed.token(&[]);
    let own = format!("{ANA} cliente own");
    assert_eq!(bed.get(USER, &[&customer]).await, (200, own.clone()));
    assert_eq!(bed.get("/api/auth/yo", &[&customer]).await, (200, own.clone()));
    assert_eq!(bed.get("/api/events", &[&customer]).await, (200, own));
    assert_eq!(bed.get("/api/auditoria/verificar", &[&customer]).await.0, 403);
    assert_eq!(bed.call("POST", "/api/events", &[&customer]).await.0, 403);
    let admin = bed.token(&[Role::Admin]);
    assert_eq!(
        bed.get(USER, &[&admin]).await,
        (200, format!("{ANA} cliente+admin all"))
    );
    let lower = customer.replace("Bearer", "bearer");
    assert_eq!(
        bed.get(USER, &[&lower]).await.0,
        200,
        "schemes are compared without case"
    );
}

#[tokio::test]
async fn a_bad_token_is_refused_also_where_none_is_needed() {
    let bed = bed(true, 0);
    let good = bed.token(&[]);
    let altered = format!("{}x", bed.token(&[]));
    let long = format!("Bearer {}", "x".repeat(5_000));
    let bad: [&[&str]; 7] = [
        &[&altered],
        &["Bearer "],
        &["Bearer"],
        &["Basic YTpi"],
        &[""],
        &[&long],
        &[&good, &good],
    ];
    for sent in bad {
        for path in ["/api/events", USER, "/salud/viva"] {
            let (status, headers, _) = bed.call("GET", path, sent).await;
            assert_eq!(status, 401, "{path} {sent:?}");
            assert_eq!(
                headers[header::WWW_AUTHENTICATE],
                "Bearer error=\"invalid_token\""
            );
        }
    }
}

#[tokio::test]
async fn whoever_comes_to_renew_a_token_may_still_carry_the_old_one() {
    let bed = bed(true, 0);
    let (status, _, body) = bed.call("POST", "/api/auth/refresh", &["Bearer old"]).await;
    assert_eq!((status, body.as_str()), (200, "anonymous  own"));
}

#[tokio::test]
async fn a_route_without_a_row_is_closed_and_what_is_not_there_stays_not_found() {
    let bed = bed(true, 0);
    for sent in [&[][..], &[&*bed.token(&[Role::Admin])]] {
        assert_eq!(bed.get("/api/sin_fila", sent).await.0, 403);
        assert_eq!(bed.get("/api/nada", sent).await.0, 404);
        assert_eq!(bed.call("OPTIONS", "/api/events", sent).await.0, 405);
        assert_eq!(bed.call("DELETE", "/api/events", sent).await.0, 405);
    }
    assert_eq!(bed.call("HEAD", "/api/events", &[]).await.0, 200);
    assert_eq!(bed.call("HEAD", USER, &[]).await.0, 401);
}

#[tokio::test]
async fn where_none_is_needed_whoever_sends_none_is_the_operator_and_a_token_counts() {
    let bed = bed(false, 0);
    assert_eq!(bed.get(USER, &[]).await, (200, "admin admin all".into()));
    let customer = bed.token(&[]);
    assert_eq!(bed.get("/api/auditoria/verificar", &[&customer]).await.0, 403);
    assert_eq!(bed.get(USER, &["Bearer nonsense"]).await.0, 401);
}

#[tokio::test]
async fn a_revoked_token_is_refused_whether_the_person_or_the_session_was() {
    for id in [ANA.0, SESSION.0] {
        let bed = bed(true, 0);
        let token = bed.token(&[]);
        bed.known.0.lock().unwrap().push((id, Timestamp(NOW.0 - 1)));
        assert_eq!(bed.get(USER, &[&token]).await.0, 200, "issued afterwards");
        bed.known.0.lock().unwrap()[0].1 = NOW;
        assert_eq!(bed.get(USER, &[&token]).await.0, 401);
    }
    let bed = bed(true, 0);
    let token = bed.token(&[]);
    bed.tokens.revoke(SESSION.0, NOW);
    assert_eq!(
        bed.get(USER, &[&token]).await.0,
        401,
        "this process knows before the read model does"
    );
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_and_others_are_not() {
    let bed = bed(true, 1);
    for _ in 0..5 {
        assert_eq!(bed.get("/api/events", &[]).await.0, 200);
    }
    let (status, headers, body) = bed.call("GET", "/api/events", &[]).await;
    assert_eq!(
        (status, &headers[header::RETRY_AFTER]),
        (429, &HeaderValue::from_static("1"))
    );
    assert!(body.contains("DEMASIADAS_SOLICITUDES"));
    assert_eq!(bed.get("/salud/viva", &[]).await.0, 200, "health is always told");
    assert_eq!(
        bed.get("/api/events", &[&bed.token(&[])]).await.0,
        200,
        "a person is counted apart"
    );
}

#[tokio::test]
async fn every_answer_leaves_with_the_headers_that_keep_browsers_out_of_trouble() {
    let bed = bed(true, 0);
    for (method, path) in [
        ("GET", "/api/events"),
        ("GET", USER),
        ("GET", "/api/nada"),
        ("OPTIONS", "/api/events"),
    ] {
        let (_, headers, _) = bed.call(method, path, &[]).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers[name], value, "{method} {path}");
        }
        assert!(
            !headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-"))
        );
    }
}

#[tokio::test]
async fn a_token_is_not_printed_with_the_headers() {
    let routes = Router::new().route(
        "/api/eventos",
        get(async |headers: HeaderMap| format!("{headers:?}")),
    );
    let Bed { tokens, known, .. } = bed(true, 0);
    let post = Guard {
        tokens: tokens.clone(),
        revocations: known,
        required: true,
        rate: RateLimit::default(),
        proxies: Vec::new(),
    };
    let token = tokens.issue(ANA, SESSION, &RoleSet::new(), NOW, 900);
    let request = Request::get("/api/eventos").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = guard(routes, post)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let said = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&said).contains(&token[..20]));
}
