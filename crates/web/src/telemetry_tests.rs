#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use axum::{body::Body, routing::get};
use http_body_util::BodyExt;
use std::future::pending;
use tower::ServiceExt;

fn app(max_in_flight: usize) -> Router {
    let router = Router::new()
        .route("/bien", get(async || "bien"))
        .route("/salud/viva", get(async || "viva"))
        .route("/espera", get(pending::<()>))
        .route(
            "/eco",
            get(async |headers: HeaderMap| headers[REQUEST_ID].to_str().unwrap().to_owned()),
        )
        .route(
            "/roto",
            get(async || -> &'static str { panic!("broken on purpose") }),
        );
    instrument(router, max_in_flight)
}

async fn send(app: &Router, request: Request) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

fn to(method: &str, path: &str) -> Request {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap()
}

async fn codigo(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice::<serde_json::Value>(&body).unwrap()["codigo"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let app = app(10);
    let response = send(&app, to("GET", "/nada")).await;
    assert_eq!(response.status(), 404);
    assert_eq!(codigo(response).await, "NO_ENCONTRADO");
    let response = send(&app, to("POST", "/bien")).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
    assert_eq!(codigo(response).await, "METODO_NO_PERMITIDO");
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_next_request_is_answered() {
    let app = app(1);
    let response = send(&app, to("GET", "/roto")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(codigo(response).await, "ERROR_INTERNO");
    assert_eq!(send(&app, to("GET", "/bien")).await.status(), 200);
}

#[tokio::test]
async fn past_the_limit_callers_are_told_to_come_back_but_health_is_answered() {
    let app = app(1);
    let mut waiting = Box::pin(send(&app, to("GET", "/espera")));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let response = send(&app, to("GET", "/bien")).await;
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(codigo(response).await, "OCUPADO");
    assert_eq!(send(&app, to("GET", "/salud/viva")).await.status(), 200);
    drop(waiting);
    assert_eq!(
        send(&app, to("GET", "/bien")).await.status(),
        200,
        "who hangs up gives the place back"
    );
}

#[tokio::test]
async fn the_request_id_is_the_callers_when_harmless_and_fresh_otherwise() {
    let app = app(10);
    let ask = async |id: &'static str| {
        let mut request = to("GET", "/eco");
        request
            .headers_mut()
            .insert(REQUEST_ID, HeaderValue::from_static(id));
        let response = send(&app, request).await;
        let returned = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let seen = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(seen, returned, "the handler sees the id that the caller gets");
        returned
    };
    assert_eq!(ask("abc-1").await, "abc-1");
    let (first, second) = (ask("a b").await, ask("<script>").await);
    assert!(first != "a b" && second != "<script>" && first != second);
}

#[tokio::test]
async fn every_answer_forbids_guessing_its_type() {
    let response = send(&app(10), to("GET", "/nada")).await;
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}
