//! The simulated payment provider over the wire, and the adapter in front of it: together they keep what a gateway in
//! the same process keeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use async_trait::async_trait;
use common::Folder;
use contract::{Currency, Money, ReservationId, refusal::DeclineReason};
use eventflow::{
    client::{Connection, request},
    gateway,
};
use ports::{
    Charge, ChargeOutcome, Ledger, PaymentError, Payments,
    conformance::{self, Failed, Fixture},
    embedded::{GatewayOptions, SimulatedGateway},
};
use serde_json::{Value, json};
use servers::payments::HttpPayments;
use std::{
    future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;
use web::server::Limits;

/// A provider with a runtime of its own: when that goes, all that it was doing stops where it is, as in a crash.
struct Provider {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Provider {
    fn start(folder: &Path, address: &str) -> Self {
        let gateway = SimulatedGateway::open(&folder.join("gateway.db"), GatewayOptions::default()).unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            web::server::serve(
                listener,
                gateway::router(gateway),
                Limits::default(),
                future::pending(),
            )
            .await
        });
        Self {
            runtime: Some(runtime),
            address,
        }
    }

    fn payments(&self) -> Arc<HttpPayments> {
        HttpPayments::connect(&format!("http://{}", self.address)).unwrap()
    }

    /// Ends it and everything it has in hand.
    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(10)))
                .join()
                .unwrap();
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.kill();
    }
}

struct OverTheWire {
    folder: Folder,
    current: Mutex<Option<(PathBuf, Provider)>>,
}

#[async_trait]
impl Fixture<dyn Payments> for OverTheWire {
    async fn fresh(&self) -> Result<Arc<dyn Payments>, Failed> {
        let path = self.folder.0.join(Uuid::new_v4().to_string());
        std::fs::create_dir_all(&path)?;
        let provider = Provider::start(&path, "127.0.0.1:0");
        let payments = provider.payments();
        *self.current.lock().unwrap() = Some((path, provider));
        Ok(payments)
    }

    async fn reopen(&self, port: Arc<dyn Payments>) -> Result<Arc<dyn Payments>, Failed> {
        drop(port);
        let mut current = self.current.lock().unwrap();
        let (path, provider) = current.take().expect("there was a fresh one");
        drop(provider);
        let provider = Provider::start(&path, "127.0.0.1:0");
        let payments = provider.payments();
        *current = Some((path, provider));
        Ok(payments)
    }
}

fn charge(token: &str) -> Charge {
    Charge {
        reservation_id: ReservationId(Uuid::new_v4()),
        amount: Money::new(4_990, Currency::USD),
        token: token.into(),
    }
}

fn in_background(
    payments: &Arc<HttpPayments>,
    charge: &Charge,
) -> tokio::task::JoinHandle<Result<ChargeOutcome, PaymentError>> {
    let (payments, charge) = (payments.clone(), charge.clone());
    tokio::spawn(async move { payments.charge(charge).await })
}

/// The ledger as soon as something is captured.
async fn captured(payments: &HttpPayments, id: ReservationId) -> Ledger {
    let begun = Instant::now();
    loop {
        match payments.find(id).await.unwrap() {
            Some(ledger) if ledger.captured.minor > 0 => return ledger,
            _ => assert!(begun.elapsed() < common::PATIENCE, "it was never captured"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_behind_http_keeps_what_a_gateway_promises() {
    let fixture = OverTheWire {
        folder: Folder::new("gateway-conformance"),
        current: Mutex::new(None),
    };
    let report = conformance::payments(&fixture).await;
    println!("{report}");
    assert!(report.passed_all(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_comes_after_three_seconds_and_nobody_else_waits_for_it() {
    let folder = Folder::new("gateway-slow");
    let provider = Provider::start(&folder.0, "127.0.0.1:0");
    let (payments, slow) = (provider.payments(), charge("tok_lenta"));
    let begun = Instant::now();
    let answer = in_background(&payments, &slow);
    assert_eq!(
        captured(&payments, slow.reservation_id).await.captured,
        slow.amount
    );
    for _ in 0..20 {
        assert_eq!(
            payments.charge(charge("tok_ok")).await.unwrap(),
            ChargeOutcome::Captured
        );
    }
    assert!(!answer.is_finished(), "the slow one answered first");
    assert_eq!(answer.await.unwrap().unwrap(), ChargeOutcome::Captured);
    assert!(
        begun.elapsed() >= Duration::from_millis(2_900),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_dies_with_a_charge_in_hand_gave_no_answer_and_tells_afterwards() {
    for (token, sum) in [("tok_cobra_y_calla", 4_990), ("tok_sin_respuesta", 0)] {
        let folder = Folder::new("gateway-killed");
        let mut provider = Provider::start(&folder.0, "127.0.0.1:0");
        let (payments, charge) = (provider.payments(), charge(token));
        // So that the pool has a connection that dies unused, too.
        assert_eq!(payments.find(charge.reservation_id).await.unwrap(), None);
        let answer = in_background(&payments, &charge);
        if sum > 0 {
            captured(&payments, charge.reservation_id).await;
        } else {
            // It is on its way once somebody else's call, begun later, is done.
            payments.void(ReservationId(Uuid::new_v4())).await.unwrap();
        }
        provider.kill();
        let answer = answer.await.unwrap();
        let not_even_sent = matches!(answer, Err(PaymentError::Unavailable(_)));
        assert!(
            matches!(answer, Err(PaymentError::NoAnswer)) || (sum == 0 && not_even_sent),
            "{token}: {answer:?}"
        );
        let away = payments.find(charge.reservation_id).await;
        assert!(
            matches!(away, Err(PaymentError::Unavailable(_))),
            "{token}: {away:?}"
        );

        let _again = Provider::start(&folder.0, &provider.address.to_string());
        payments.void(charge.reservation_id).await.unwrap();
        let ledger = payments.find(charge.reservation_id).await.unwrap().unwrap();
        assert_eq!(
            (ledger.captured.minor, ledger.refunded.minor),
            (sum, 0),
            "{token}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_charge_one_reservation_once() {
    let folder = Folder::new("gateway-nodes");
    let provider = Provider::start(&folder.0, "127.0.0.1:0");
    let charge = charge("tok_ok");
    let nodes: Vec<_> = (0..3).map(|_| provider.payments()).collect();
    let answers: Vec<_> = (0..96)
        .map(|n| in_background(&nodes[n % nodes.len()], &charge))
        .collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap(), ChargeOutcome::Captured);
    }
    nodes[0].refund(charge.reservation_id).await.unwrap();
    let ledger = nodes[1].find(charge.reservation_id).await.unwrap().unwrap();
    assert_eq!((ledger.captured.minor, ledger.refunded.minor), (4_990, 4_990));
    assert_eq!(
        nodes[2].charge(charge).await.unwrap(),
        ChargeOutcome::Declined(DeclineReason::Voided)
    );
}

/// Status, media type and body of an answer.
async fn call(
    connection: &mut Connection,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String, Value) {
    let mut bytes = Vec::new();
    request(&mut bytes, method, path, headers, body);
    let sent = connection.send(&bytes).await;
    let response = sent.unwrap_or_else(|error| panic!("{method} {path} {headers:?}: {error}"));
    let media_type = response.header("content-type").unwrap_or_default().to_owned();
    (response.status, media_type, response.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_form_is_as_documented() {
    let folder = Folder::new("gateway-wire");
    let provider = Provider::start(&folder.0, "127.0.0.1:0");
    let mut connection = Connection::open(provider.address).await.unwrap();
    let id = Uuid::new_v4().to_string();
    let key = format!("Idempotency-Key: {id}\r\n");
    let mut body = json!({"reservation_id": id, "amount_minor": 500, "currency": "JPY", "token": "tok_ok"});
    let json = "application/json".to_owned();

    let (status, _, alive) = call(&mut connection, "GET", "/salud/viva", "", b"").await;
    assert_eq!((status, alive), (200, json!({"status": "alive"})));
    let sent = body.to_string();
    assert_eq!(
        call(&mut connection, "POST", "/charges", &key, sent.as_bytes()).await,
        (
            200,
            json.clone(),
            json!({"reservation_id": id, "outcome": "captured"})
        )
    );
    let path = format!("/refunds/{id}");
    assert_eq!(call(&mut connection, "POST", &path, "", b"").await.0, 204);
    let path = format!("/voids/{id}");
    assert_eq!(call(&mut connection, "POST", &path, "", b"").await.0, 204);
    let ledger = json!({
        "reservation_id": id, "currency": "JPY", "authorised_minor": 500, "captured_minor": 500,
        "refunded_minor": 500, "closed": true,
    });
    let path = format!("/charges/{id}");
    assert_eq!(
        call(&mut connection, "GET", &path, "", b"").await,
        (200, json.clone(), ledger)
    );
    let other = Uuid::new_v4().to_string();
    body["reservation_id"] = other.clone().into();
    body["token"] = "tok_sin_fondos".into();
    let key = format!("Idempotency-Key: {other}\r\n");
    assert_eq!(
        call(
            &mut connection,
            "POST",
            "/charges",
            &key,
            body.to_string().as_bytes()
        )
        .await,
        (
            200,
            json,
            json!({"reservation_id": other, "outcome": "declined", "reason": "insufficient_funds"})
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_a_request_is_refused_with_a_problem_that_says_that_nothing_was_done() {
    let folder = Folder::new("gateway-refusals");
    let provider = Provider::start(&folder.0, "127.0.0.1:0");
    let id = Uuid::new_v4().to_string();
    let key = format!("Idempotency-Key: {id}\r\n");
    let charge = json!({"reservation_id": id, "amount_minor": 500, "currency": "USD", "token": "tok_secret"});
    let with = |field: &str, value: Value| {
        let mut charge = charge.clone();
        charge[field] = value;
        charge.to_string()
    };
    let (good, padded) = (charge.to_string(), with("token", "x".repeat(16 << 10).into()));
    let (nobody, path) = (
        "Idempotency-Key: 00000000-0000-0000-0000-000000000000\r\n",
        format!("/charges/{id}"),
    );
    let post = |headers: &str, body: &str, status: u16, code: &'static str| {
        let (headers, body) = (headers.to_owned(), body.as_bytes().to_vec());
        ("POST", "/charges".to_owned(), headers, body, status, code)
    };
    let empty =
        |method, path: &str, status, code| (method, path.to_owned(), String::new(), Vec::new(), status, code);
    for (method, path, headers, body, status, code) in [
        post("", &good, 400, "idempotency_key_required"),
        post(nobody, &good, 422, "idempotency_key_mismatch"),
        post("Idempotency-Key: tok\r\n", &good, 422, "idempotency_key_mismatch"),
        post(&key, "{\"token\":\"tok_secret\"", 400, "malformed_body"),
        post(&key, "[", 400, "malformed_body"),
        post(
            &key,
            &format!("{{\"x\":{}", "[".repeat(16_000)),
            400,
            "malformed_body",
        ),
        post(&key, "[\"tok_secret\"]", 422, "invalid_charge"),
        post(&key, "{}", 422, "invalid_charge"),
        post(&key, &with("amount_minor", json!(-1)), 422, "invalid_charge"),
        post(&key, &with("amount_minor", json!(1.5)), 422, "invalid_charge"),
        post(
            &key,
            &with("amount_minor", json!(u64::MAX)),
            422,
            "invalid_charge",
        ),
        post(
            &key,
            &with("currency", json!("tok_secret")),
            422,
            "invalid_charge",
        ),
        post(&key, &with("currency", json!("usd")), 422, "invalid_charge"),
        post(&key, &with("reservation_id", json!(7)), 422, "invalid_charge"),
        post(&key, &with("token", json!(null)), 422, "invalid_charge"),
        post(&key, &padded, 413, "body_too_large"),
        empty("POST", "/charges", 415, "unsupported_media_type"),
        empty("POST", "/voids/7", 400, "invalid_reservation_id"),
        empty("POST", "/refunds/%ff", 400, "invalid_reservation_id"),
        empty("GET", "/charges/tok_secret", 400, "invalid_reservation_id"),
        empty("GET", &path, 404, "unknown_payment"),
        empty("DELETE", &path, 405, "method_not_allowed"),
        empty("GET", "/", 404, "no_such_path"),
        empty("POST", "/voids/", 404, "no_such_path"),
    ] {
        let mut connection = Connection::open(provider.address).await.unwrap();
        let (found, media_type, problem) = call(&mut connection, method, &path, &headers, &body).await;
        let start = &body[..body.len().min(80)];
        let asked = format!("{method} {path} {headers:?} {}", String::from_utf8_lossy(start));
        assert_eq!(found, status, "{asked}");
        assert_eq!(media_type, "application/problem+json", "{asked}");
        assert_eq!(
            (
                &problem["code"],
                &problem["status"],
                &problem["carried_out"],
                &problem["type"]
            ),
            (&json!(code), &json!(status), &json!(false), &json!("about:blank")),
            "{asked}"
        );
        assert!(
            !problem.to_string().contains("secret"),
            "{asked} is repeated: {problem}"
        );
    }
    let found = provider.payments().find(id.parse().unwrap()).await.unwrap();
    assert_eq!(found, None, "none of them charged");
}
