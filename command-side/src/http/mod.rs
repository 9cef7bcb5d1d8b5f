//! The write side's HTTP surface: what the contract calls POST and DELETE, and the look at a hold, which only
//! its show can answer.
//!
//! Handlers are thin: they read and check what came, hand it to one use case, and render what it answers. Field
//! names are Spanish here and nowhere behind.

mod accounts;
mod bodies;
mod docs;
mod forget;
mod holds;
mod operations;
mod patience;
mod reservations;
mod seat_plan;
mod shows;
mod users;

pub use docs::openapi;

use crate::{
    app::{App, Rejection},
    idempotency::{Keyed, Request},
};
use axum::{
    Json, Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{Failure, Position, ReservationId, ShowId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use web::{IdempotencyKey, Problem, RequestContext, fingerprint, headers::ResponseExtras};

/// Every endpoint of the write side, under all its addresses.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(users::routes())
        .merge(forget::routes())
        .merge(shows::routes())
        .merge(holds::routes())
        .merge(reservations::routes())
        .merge(operations::routes())
        .merge(accounts::routes())
        .with_state(app)
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Problem {
        match rejection {
            Rejection::Refused(refusal) => refusal.into(),
            Rejection::Failed(failure) => failure.into(),
        }
    }
}

/// Endpoints that take an idempotency key. The same key means different things at different endpoints; an alias
/// is the same endpoint.
#[derive(Clone, Copy, Debug)]
enum Endpoint {
    Register,
    Schedule,
    CancelShow(ShowId),
    Hold(ShowId),
    Reserve,
    Purchase,
    Resume(ReservationId),
}

impl Endpoint {
    /// Never changes: ids in the log follow from it.
    fn scope(self) -> String {
        match self {
            Self::Register => "register".into(),
            Self::Schedule => "schedule".into(),
            Self::CancelShow(show) => format!("cancel_show {show}"),
            Self::Hold(show) => format!("hold {show}"),
            Self::Reserve => "reserve".into(),
            Self::Purchase => "purchase".into(),
            Self::Resume(reservation) => format!("resume {reservation}"),
        }
    }
}

/// The request, under its key if it came with one.
fn request(
    app: &App,
    context: &RequestContext,
    endpoint: Endpoint,
    key: IdempotencyKey,
    body: &Value,
) -> Request {
    let keyed = key.0.map(|key| {
        Keyed::new(
            app,
            &endpoint.scope(),
            &context.actor,
            &key,
            &fingerprint::canonical(body),
        )
    });
    Request::new(app, keyed)
}

/// An answer with a body, and the position that the command produced.
fn answer(status: StatusCode, body: impl Serialize, position: Option<Position>) -> Response {
    (status, Json(body)).into_response().at(position)
}

/// The answer, with the address of what it is about.
fn located(mut response: Response, collection: &str, id: Uuid) -> Response {
    if let Ok(location) = HeaderValue::from_str(&format!("{collection}/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A value that a checked body must have: what was checked and what is read have come apart.
fn checked<T>(value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| {
        Failure::Unreadable {
            what: "a field that was checked is not there".into(),
        }
        .into()
    })
}
