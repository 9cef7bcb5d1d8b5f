//! One request and its whole answer, and whether anything was sent when there is none.

use super::wire::{IDEMPOTENCY_KEY, MAX_BODY_BYTES, PROBLEM_JSON, Problem};
use bytes::Bytes;
use contract::ReservationId;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, CONTENT_TYPE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use ports::PaymentError;
use serde::de::DeserializeOwned;
use std::{error::Error, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// How long a connection may take to be made, and how long a call may wait for its place. Shorter than a purchase waits
/// for its payment (`payment_timeout_ms`, 4 s unless told otherwise), so that it hears that nothing was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call may take in all. Whoever pays for a purchase gives up long before; this is for callers that do not.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection is kept without use. Well below what servers and proxies allow (30 s and more), so that we
/// close it and not they, in the moment in which a charge is sent.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many unused connections are kept.
const MAX_IDLE: usize = 64;
/// How many calls are under way at once, and so how many connections there are.
const MAX_CALLS: usize = 1_024;

/// A provider's address and the connections to it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client<HttpConnector, Full<Bytes>>,
    /// What every path is appended to; without a slash at its end.
    base: String,
    places: Semaphore,
}

impl Connection {
    pub fn new(base: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        // Requests are small and complete: waiting for more to send would only delay them.
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        Self {
            client,
            base,
            places: Semaphore::new(MAX_CALLS),
        }
    }

    /// Sends a request, with a JSON body when there is one, and returns its answer when all of it came.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: ReservationId,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, PaymentError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(ACCEPT, "application/json")
            .header(IDEMPOTENCY_KEY, key.to_string());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|error| PaymentError::Unavailable(error.to_string()))?;
        let Ok(Ok(_place)) = timeout(CONNECT_TIMEOUT, self.places.acquire()).await else {
            let why = format!("{MAX_CALLS} calls wait for the provider already");
            return Err(PaymentError::Unavailable(why));
        };
        timeout(CALL_TIMEOUT, self.exchange(request))
            .await
            .unwrap_or_else(|_| Err(no_answer(path, &"it took too long")))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, PaymentError> {
        let path = request.uri().path().to_owned();
        match self.client.request(request).await {
            Ok(response) => Answer::read(response)
                .await
                .map_err(|error| no_answer(&path, &error)),
            Err(error) if unsent(&error) => Err(PaymentError::Unavailable(in_full(&error))),
            Err(error) => Err(no_answer(&path, &in_full(&error))),
        }
    }
}

/// Whether no byte of the request can have reached anybody: there was no connection, or it was closed before the request
/// was begun, which hyper calls cancelled. (The client tries the latter again by itself on another connection.)
fn unsent(error: &hyper_util::client::legacy::Error) -> bool {
    error.is_connect()
        || error
            .source()
            .and_then(|source| source.downcast_ref::<hyper::Error>())
            .is_some_and(hyper::Error::is_canceled)
}

fn no_answer(path: &str, why: &dyn std::fmt::Display) -> PaymentError {
    // The port's error has no place for the reason.
    tracing::debug!(path, %why, "the payment provider did not answer");
    PaymentError::NoAnswer
}

/// An error with its causes, outermost first.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// An answer that came whole.
pub(super) struct Answer {
    pub status: StatusCode,
    is_problem: bool,
    body: Bytes,
}

impl Answer {
    async fn read(response: Response<Incoming>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let status = response.status();
        let media_type = response.headers().get(CONTENT_TYPE);
        let is_problem = media_type
            .and_then(|value| value.to_str().ok()?.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(PROBLEM_JSON));
        let body = Limited::new(response.into_body(), MAX_BODY_BYTES)
            .collect()
            .await?;
        Ok(Self {
            status,
            is_problem,
            body: body.to_bytes(),
        })
    }

    /// The body, when it is such a thing.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body, when it is a problem document of a failure.
    pub fn problem(&self) -> Option<Problem> {
        let failed = self.status.is_client_error() || self.status.is_server_error();
        (failed && self.is_problem).then(|| self.json())?
    }
}
