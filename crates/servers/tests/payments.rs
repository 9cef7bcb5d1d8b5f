//! What a charge is taken for when the provider does not answer as it should. That a good provider's answers are
//! understood is proven on a real one, in `crates/eventflow/tests/gateway.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contract::{Currency, Money, ReservationId, refusal::DeclineReason};
use ports::{Charge, ChargeOutcome, PaymentError, Payments};
use servers::payments::{Error, HttpPayments};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use uuid::Uuid;

fn id() -> ReservationId {
    ReservationId(Uuid::from_u128(7))
}

fn charge() -> Charge {
    Charge {
        reservation_id: id(),
        amount: Money::new(4_990, Currency::USD),
        token: "tok_ok".into(),
    }
}

/// A provider that sends these bytes in answer to every request, and then hangs up.
struct Fake {
    address: SocketAddr,
    /// The requests that reached it whole.
    requests: mpsc::UnboundedReceiver<String>,
}

impl Fake {
    async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, requests) = mpsc::unbounded_channel();
        let bytes = bytes.into();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    continue;
                }
                // The test may be over.
                let _ = heard.send(request);
                let _ = stream.write_all(&bytes).await;
            }
        });
        Self { address, requests }
    }

    fn payments(&self) -> Arc<HttpPayments> {
        HttpPayments::connect(&format!("http://{}", self.address)).unwrap()
    }

    fn requests(mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }
}

/// A head and as much of a body as it promises; empty when the caller hung up.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return String::new();
        }
    }
}

fn answer(status: &str, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn captured(reservation_id: ReservationId) -> String {
    format!(r#"{{"reservation_id":"{reservation_id}","outcome":"captured"}}"#)
}

fn no_answer<T: std::fmt::Debug>(result: Result<T, PaymentError>) -> bool {
    matches!(result, Err(PaymentError::NoAnswer))
}

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn an_address_is_plain_http_and_names_a_host() {
    for good in [
        "http://127.0.0.1:9090",
        "http://payments",
        "http://[::1]:9090/v1/",
        " http://a.b:1\n",
    ] {
        assert!(HttpPayments::connect(good).is_ok(), "{good}");
    }
    for malformed in [
        "",
        "payments:9090",
        "/payments",
        "http://",
        "http:///x",
        "http://ana:secret@host",
        "http://host?key=secret",
    ] {
        let error = HttpPayments::connect(malformed).unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{malformed}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = HttpPayments::connect("https://payments:9090").unwrap_err();
    assert_eq!(error, Error::Scheme("https".into()));
    assert!(
        error.to_string().contains("over plain http only, not https"),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_happened() {
    let payments = HttpPayments::connect(&format!("http://{}", nowhere().await)).unwrap();
    let Err(PaymentError::Unavailable(why)) = payments.charge(charge()).await else {
        panic!("it was not unavailable");
    };
    assert!(why.to_lowercase().contains("refused"), "{why}");
    assert!(matches!(
        payments.void(id()).await,
        Err(PaymentError::Unavailable(_))
    ));
    assert!(matches!(
        payments.refund(id()).await,
        Err(PaymentError::Unavailable(_))
    ));
    assert!(matches!(
        payments.find(id()).await,
        Err(PaymentError::Unavailable(_))
    ));
}

#[tokio::test]
async fn an_answer_is_understood_and_the_request_is_as_the_protocol_says() {
    let mut fake = Fake::answering(answer(
        "200 OK",
        "application/json; charset=utf-8",
        &captured(id()),
    ))
    .await;
    assert_eq!(
        fake.payments().charge(charge()).await.unwrap(),
        ChargeOutcome::Captured
    );
    let request = fake.requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("post /charges http/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nidempotency-key: {}\r\n", id())),
        "{head}"
    );
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(body).unwrap(),
        serde_json::json!({
            "reservation_id": id(), "amount_minor": 4_990, "currency": "usd", "token": "tok_ok",
        }),
        "(in lower case as a whole)"
    );

    let declined = format!(
        r#"{{"reservation_id":"{}","outcome":"declined","reason":"insufficient_funds","new":1}}"#,
        id()
    );
    let fake = Fake::answering(answer("200 OK", "application/json", &declined)).await;
    assert_eq!(
        fake.payments().charge(charge()).await.unwrap(),
        ChargeOutcome::Declined(DeclineReason::InsufficientFunds)
    );
}

#[tokio::test]
async fn a_path_in_the_address_comes_before_the_protocols_paths() {
    let mut fake = Fake::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let payments = HttpPayments::connect(&format!("http://{}/v1/", fake.address)).unwrap();
    payments.void(id()).await.unwrap();
    let request = fake.requests.recv().await.unwrap();
    assert!(
        request.starts_with(&format!("post /v1/voids/{} http/1.1\r\n", id())),
        "{request}"
    );
}

#[tokio::test]
async fn whatever_is_not_the_whole_answer_leaves_a_charge_unknown() {
    let whole = answer("200 OK", "application/json", &captured(id()));
    let half = whole[..whole.len() - 5].to_owned();
    let other = answer(
        "200 OK",
        "application/json",
        &captured(ReservationId(Uuid::from_u128(8))),
    );
    let long = answer("200 OK", "application/json", &" ".repeat(17 << 10));
    let endless = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "ff\r\n".repeat(9)
    );
    let headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(2_000));
    let open = r#"{"code":"unknown","detail":"?"}"#;
    let silent_on_it = answer("503 Service Unavailable", "application/problem+json", open);
    let done = r#"{"code":"late","carried_out":true}"#;
    for (what, bytes) in [
        ("it hangs up", Vec::new()),
        ("no HTTP", b"\x16\x03\x01 hello\r\n\r\n".to_vec()),
        ("another protocol's version", b"HTTP/9.9 200 OK\r\n\r\n".to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("half a body", half.into_bytes()),
        ("about another reservation", other.into_bytes()),
        ("too long", long.into_bytes()),
        ("chunks without sense", endless.into_bytes()),
        ("headers without end", headers.into_bytes()),
        (
            "a status that is none",
            b"HTTP/1.1 999999 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ),
        (
            "a length that is none",
            b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_vec(),
        ),
        ("an empty body", answer("200 OK", "application/json", "").into()),
        (
            "no JSON",
            answer("200 OK", "text/html", "<h1>It works!</h1>").into(),
        ),
        (
            "not UTF-8",
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\"\xff\"".to_vec(),
        ),
        (
            "deep",
            answer("200 OK", "application/json", &"[".repeat(9_000)).into(),
        ),
        (
            "an unheard-of outcome",
            answer(
                "200 OK",
                "application/json",
                &captured(id()).replace("captured", "pending"),
            )
            .into(),
        ),
        (
            "a decline without a reason",
            answer(
                "200 OK",
                "application/json",
                &captured(id()).replace("captured", "declined"),
            )
            .into(),
        ),
        (
            "accepted, perhaps",
            answer("202 Accepted", "application/json", &captured(id())).into(),
        ),
        (
            "a redirection",
            b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ),
        (
            "a proxy's 502",
            answer("502 Bad Gateway", "text/html", "<h1>502</h1>").into(),
        ),
        (
            "a proxy's 404",
            answer("404 Not Found", "text/html", "<h1>404</h1>").into(),
        ),
        ("a problem that leaves it open", silent_on_it.into()),
        (
            "a problem that was carried out",
            answer("500 Internal Server Error", "application/problem+json", done).into(),
        ),
        (
            "a promise that is no problem document",
            answer(
                "503 Service Unavailable",
                "application/json",
                r#"{"code":"x","carried_out":false}"#,
            )
            .into(),
        ),
        (
            "a success that denies itself",
            answer(
                "200 OK",
                "application/problem+json",
                r#"{"code":"x","carried_out":false}"#,
            )
            .into(),
        ),
    ] {
        let fake = Fake::answering(bytes).await;
        let payments = fake.payments();
        let result = tokio::time::timeout(Duration::from_secs(5), payments.charge(charge())).await;
        let result = result.unwrap_or_else(|_| panic!("{what}: it hangs"));
        assert!(no_answer(result), "{what}");
        assert!(no_answer(payments.void(id()).await), "{what}: void");
        assert!(no_answer(payments.refund(id()).await), "{what}: refund");
        assert!(no_answer(payments.find(id()).await), "{what}: find");
        assert_eq!(fake.requests(), 4, "{what}: nothing that was sent is sent again");
    }
}

#[tokio::test]
async fn a_problem_that_says_that_nothing_was_done_is_believed() {
    let problem = r#"{"code":"busy","detail":"come back","carried_out":false}"#;
    for status in [
        "400 Bad Request",
        "429 Too Many Requests",
        "503 Service Unavailable",
    ] {
        let fake = Fake::answering(answer(status, "application/problem+json", problem)).await;
        let Err(PaymentError::Unavailable(why)) = fake.payments().charge(charge()).await else {
            panic!("{status} was not believed");
        };
        assert!(
            why.contains(&status[..3]) && why.contains("busy") && why.contains("come back"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn only_the_providers_own_word_says_that_a_payment_is_unknown() {
    let own = r#"{"code":"unknown_payment","carried_out":false}"#;
    let fake = Fake::answering(answer("404 Not Found", "application/problem+json", own)).await;
    assert_eq!(fake.payments().find(id()).await.unwrap(), None);
    let path = r#"{"code":"no_such_path","carried_out":false}"#;
    let fake = Fake::answering(answer("404 Not Found", "application/problem+json", path)).await;
    assert!(matches!(
        fake.payments().find(id()).await,
        Err(PaymentError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_call_that_is_given_up_frees_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let payments = HttpPayments::connect(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let unanswered = tokio::spawn(async move { payments.charge(charge()).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    assert!(!read_request(&mut stream).await.is_empty());
    unanswered.abort();
    let end = stream.read(&mut [0; 1]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "the connection is still open");
}
