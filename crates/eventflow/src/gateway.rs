//! `gateway`: the simulated payment provider as a process of its own, for several command-side nodes. The protocol
//! stands in [`servers::payments::wire`].
//!
//! It stands for somebody else's system, so it speaks English and knows nothing of EventFlow's surface. Over HTTP the
//! test tokens do what they do in one process: who is never answered has an open connection and no byte on it, until
//! he hangs up or [`SILENCE`] has passed; then it is closed, still without an answer.

use crate::{ProgramError, signals::Signals};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{Currency, Money, ReservationId};
use futures_util::stream;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ports::{
    Charge, PaymentError, Payments,
    embedded::{DataFolder, GatewayOptions, SimulatedGateway},
};
use servers::payments::wire::{
    ChargeAnswer, ChargeRequest, IDEMPOTENCY_KEY, LedgerAnswer, MAX_BODY_BYTES, PROBLEM_JSON, Problem,
    UNKNOWN_PAYMENT,
};
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};
use web::server::Limits;

/// How long a caller may be left without an answer.
pub const SILENCE: Duration = Duration::from_secs(60);
/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long requests in flight have at the end: enough for a slow answer, not for those that are never given.
const GRACE: Duration = Duration::from_secs(4);
/// How many connections there are at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4_096;

/// Serves a provider that remembers in `data`, until SIGTERM or SIGINT. The first line that it prints is
/// `listening on http://…`. It asks nobody who they are: `listen` must be an address that only EventFlow reaches.
///
/// # Errors
/// When it cannot start: the folder is somebody else's, the file is no gateway's, or the address is taken.
pub fn run(listen: SocketAddr, data: PathBuf, currency: Currency) -> Result<(), ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = DataFolder::open(&data)?;
    let gateway = SimulatedGateway::open(
        &folder.gateway(),
        GatewayOptions {
            currency,
            ..GatewayOptions::default()
        },
    )?;
    let cut_off = runtime.block_on(serve(listen, &folder, router(gateway)))?;
    if cut_off > 0 {
        tracing::info!(connections = cut_off, "some callers were still without an answer");
    }
    // What is in flight holds the file: tasks first, then the folder's lock.
    drop(runtime);
    drop(folder);
    tracing::info!("stopped");
    Ok(())
}

async fn serve(listen: SocketAddr, folder: &DataFolder, router: Router) -> Result<usize, ProgramError> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| ProgramError::Refused(format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr()?;
    folder.announce(&address.to_string())?;
    // Before anybody can know that we are here: whoever has read the first line may stop us.
    let signals = Signals::listen()?;
    let mut out = io::stdout();
    writeln!(out, "listening on http://{address}")?;
    out.flush()?;
    let limits = Limits {
        max_connections: MAX_CONNECTIONS,
        shutdown_grace: GRACE,
        ..Limits::default()
    };
    Ok(web::server::serve(listener, router, limits, signals.told_to_stop()).await)
}

/// The protocol over any payments.
pub fn router(payments: Arc<dyn Payments>) -> Router {
    routes(payments, SILENCE)
}

fn routes(payments: Arc<dyn Payments>, silence: Duration) -> Router {
    Router::new()
        .route("/charges", post(charge))
        .route("/charges/{reservation_id}", get(find))
        .route("/voids/{reservation_id}", post(void))
        .route("/refunds/{reservation_id}", post(refund))
        .route(
            "/salud/viva",
            get(async || Json(serde_json::json!({"status": "alive"}))),
        )
        .fallback(async || Refused::new(StatusCode::NOT_FOUND, "no_such_path", "there is nothing here"))
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Refused::new(status, "method_not_allowed", "this path has another method")
        })
        .layer(from_fn(move |request: Request, next: Next| async move {
            timeout(silence, next.run(request))
                .await
                .unwrap_or_else(|_| without_an_answer())
        }))
        .with_state(payments)
}

/// Closes the connection in the place of an answer. A body that breaks off at once does that: hyper has not sent the
/// head by then. (If it had, the answer would be an incomplete one, which tells the caller as little.)
fn without_an_answer() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted))]);
    Response::new(Body::from_stream(broken))
}

type Provider = State<Arc<dyn Payments>>;
type Id = Result<Path<ReservationId>, PathRejection>;

async fn charge(State(payments): Provider, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let charge = read_charge(&parts.headers, body).await?;
    let reservation_id = charge.reservation_id;
    Ok(match payments.charge(charge).await {
        Ok(outcome) => Json(ChargeAnswer {
            reservation_id,
            outcome: outcome.into(),
        })
        .into_response(),
        Err(error) => failed(error),
    })
}

async fn void(State(payments): Provider, id: Id) -> Result<Response, Refused> {
    Ok(done(payments.void(reservation(id)?).await))
}

async fn refund(State(payments): Provider, id: Id) -> Result<Response, Refused> {
    Ok(done(payments.refund(reservation(id)?).await))
}

async fn find(State(payments): Provider, id: Id) -> Result<Response, Refused> {
    let reservation_id = reservation(id)?;
    match payments.find(reservation_id).await {
        Ok(Some(ledger)) => Ok(Json(LedgerAnswer::new(reservation_id, ledger)).into_response()),
        Ok(None) => Err(Refused::new(
            StatusCode::NOT_FOUND,
            UNKNOWN_PAYMENT,
            "there is no payment for this reservation",
        )),
        Err(error) => Ok(failed(error)),
    }
}

fn done(outcome: Result<(), PaymentError>) -> Response {
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failed(error),
    }
}

/// What did not happen is said to be so; what is unknown here stays unknown to the caller.
fn failed(error: PaymentError) -> Response {
    match error {
        PaymentError::NoAnswer => without_an_answer(),
        PaymentError::Unavailable(why) => {
            tracing::error!(why, "a payment could not be written");
            let detail = "nothing was done; try again later";
            let refused = Refused::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
            ([(header::RETRY_AFTER, "1")], refused).into_response()
        }
    }
}

fn reservation(id: Id) -> Result<ReservationId, Refused> {
    id.map(|Path(id)| id).map_err(|_| {
        let detail = "the path does not end in a UUID";
        Refused::new(StatusCode::BAD_REQUEST, "invalid_reservation_id", detail)
    })
}

async fn read_charge(headers: &HeaderMap, body: Body) -> Result<Charge, Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let media_type = text(header::CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json")) {
        let (status, detail) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "a charge is application/json");
        return Err(Refused::new(status, "unsupported_media_type", detail));
    }
    let key = text(IDEMPOTENCY_KEY).ok_or_else(|| {
        let detail = "a charge needs an Idempotency-Key: its reservation's id";
        Refused::new(StatusCode::BAD_REQUEST, "idempotency_key_required", detail)
    })?;
    let request = parse(&read(body).await?)?;
    let unprocessable = |code, detail| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
    if key.parse() != Ok(request.reservation_id) {
        let detail = "the Idempotency-Key is not the reservation_id of the charge";
        return Err(unprocessable("idempotency_key_mismatch", detail));
    }
    if request.amount_minor < 0 {
        return Err(unprocessable("invalid_charge", "amount_minor is negative"));
    }
    Ok(Charge {
        reservation_id: request.reservation_id,
        amount: Money::new(request.amount_minor, request.currency),
        token: request.token,
    })
}

async fn read(body: Body) -> Result<Bytes, Refused> {
    match timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("a body may have {MAX_BODY_BYTES} bytes");
            Err(Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                detail,
            ))
        }
        Ok(Err(_)) => {
            let detail = "the body did not arrive whole";
            Err(Refused::new(StatusCode::BAD_REQUEST, "malformed_body", detail))
        }
        Err(_) => {
            let detail = "the body took too long";
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail))
        }
    }
}

/// The reason names a place and never what stands there: it could be a card's token.
fn parse(bytes: &[u8]) -> Result<ChargeRequest, Refused> {
    serde_json::from_slice(bytes).map_err(|error: serde_json::Error| {
        let place = format!("at line {}, column {}", error.line(), error.column());
        if error.is_data() {
            let detail = format!(
                "not a charge {place}: it is an object with reservation_id (a UUID), amount_minor (a whole number), \
                 currency (an ISO 4217 code) and token (a text)"
            );
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_charge", detail)
        } else {
            let detail = format!("the body stops being JSON {place}");
            Refused::new(StatusCode::BAD_REQUEST, "malformed_body", detail)
        }
    })
}

/// A problem document. Whatever is refused was not done, and says so.
struct Refused {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            carried_out: Some(false),
        };
        let mut response = (self.status, Json(problem)).into_response();
        let media_type = HeaderValue::from_static(PROBLEM_JSON);
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response
    }
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
mod tests;
