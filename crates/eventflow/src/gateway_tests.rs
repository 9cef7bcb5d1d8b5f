#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use async_trait::async_trait;
use ports::{ChargeOutcome, Ledger};
use std::{future, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Never answers a charge, has lost the answer to a void, is unavailable for a refund.
struct Silent;

#[async_trait]
impl Payments for Silent {
    async fn charge(&self, _: Charge) -> Result<ChargeOutcome, PaymentError> {
        future::pending().await
    }
    async fn void(&self, _: ReservationId) -> Result<(), PaymentError> {
        Err(PaymentError::NoAnswer)
    }
    async fn refund(&self, _: ReservationId) -> Result<(), PaymentError> {
        Err(PaymentError::Unavailable("disk full".into()))
    }
    async fn find(&self, _: ReservationId) -> Result<Option<Ledger>, PaymentError> {
        Ok(None)
    }
}

/// All that comes back over one connection until it is closed.
async fn answer(silence: Duration, request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = routes(Arc::new(Silent), silence);
    let server = tokio::spawn(web::server::serve(
        listener,
        router,
        Limits::default(),
        future::pending(),
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    server.abort();
    String::from_utf8(bytes).unwrap()
}

const ID: &str = "00000000-0000-0000-0000-000000000007";

#[tokio::test]
async fn whoever_is_never_answered_is_hung_up_on_in_the_end_without_a_byte() {
    let body = format!(r#"{{"reservation_id":"{ID}","amount_minor":1,"currency":"USD","token":"t"}}"#);
    let request = format!(
        "POST /charges HTTP/1.1\r\nhost: x\r\nidempotency-key: {ID}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let begun = Instant::now();
    assert_eq!(answer(Duration::from_millis(80), &request).await, "");
    assert!(
        begun.elapsed() >= Duration::from_millis(80),
        "it hung up before its time"
    );
}

#[tokio::test]
async fn what_is_unknown_to_the_provider_is_no_answer_and_what_it_did_not_do_it_says() {
    let request = |path: &str| format!("POST /{path}/{ID} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(answer(SILENCE, &request("voids")).await, "");
    let refused = answer(SILENCE, &request("refunds")).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    for part in [
        "retry-after: 1\r\n",
        "application/problem+json\r\n",
        r#""carried_out":false"#,
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    assert!(
        !refused.contains("disk"),
        "what is wrong inside stays inside: {refused}"
    );
}
