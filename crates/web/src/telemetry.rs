//! What every request passes through: an id, metrics, the limit on requests in flight, and a net under panics.
//! Every answer leaves with the headers that keep browsers from doing harm with it.
//! Cheap: about a microsecond, most of it the boxed future of the middleware.

use crate::{codes::Code, headers::REQUEST_ID, problem::Problem};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use metrics::{Counter, Histogram};
use std::{
    collections::HashMap,
    fmt::Write as _,
    hash::{BuildHasher, RandomState},
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

/// Wraps the whole router: call it last, when every route is there. `max_in_flight` bounds the requests that are
/// being answered at once; past it callers get `OCUPADO` with `Retry-After`, except for health and metrics.
pub fn instrument(router: Router, max_in_flight: usize) -> Router {
    let gate = Arc::new(Gate {
        in_flight: AtomicUsize::new(0),
        max_in_flight,
        series: RwLock::default(),
    });
    router
        .fallback(async || Problem::new(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .layer(from_fn_with_state(gate, observe))
}

async fn observe(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("none", MatchedPath::as_str);
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());

    let exempt = route.starts_with("/salud") || route == "/metrics";
    let mut response = match gate.enter(exempt) {
        None => Problem::new(Code::Busy).into_response(),
        Some(_inside) => match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            // The panic hook has told where; the caller learns only that it happened.
            Err(_) => Problem::internal(&"a handler panicked").into_response(),
        },
    };

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    secure(headers);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    gate.count(route, method, status, took.as_secs_f64());
    tracing::debug!(
        method,
        route,
        status,
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        request_id = id.to_str().unwrap_or_default(),
        "answered"
    );
    response
}

/// What a browser must not do with an answer: guess its type, show it in a frame, run anything in it, say where it was
/// found, keep it. Pages that need more, and answers that may be kept, say so themselves. That a connection must be
/// encrypted says the proxy that does it, and no other origin is let in: there are no CORS headers.
fn secure(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The metrics of one method and status of a route.
#[derive(Clone)]
struct Series {
    requests: Counter,
    duration: Histogram,
}

type SeriesOfRoute = HashMap<(&'static str, u16), Series>;

/// Shared by all requests: how many there are, and their metrics' handles, kept because making one costs more
/// than answering. Bounded: routes, methods and statuses come from the program, not from callers.
struct Gate {
    in_flight: AtomicUsize,
    max_in_flight: usize,
    series: RwLock<HashMap<Box<str>, SeriesOfRoute>>,
}

/// A place among the requests in flight; gives it back when dropped, also by a caller who hangs up.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    fn enter(&self, exempt: bool) -> Option<Inside<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(&self.in_flight);
        (exempt || before < self.max_in_flight).then_some(inside)
    }

    fn count(&self, route: &str, method: &'static str, status: u16, seconds: f64) {
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(route).and_then(|series| series.get(&(method, status))) {
            series.requests.increment(1);
            series.duration.record(seconds);
            return;
        }
        drop(known);
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        let series = Series {
            requests: metrics::counter!("eventflow_http_requests_total", &labels),
            duration: metrics::histogram!("eventflow_http_request_duration_seconds", &labels[..2]),
        };
        series.requests.increment(1);
        series.duration.record(seconds);
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(route.into())
            .or_default()
            .insert((method, status), series);
    }
}

/// The methods that have a meaning here; callers can invent others, metrics must not grow with them.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The caller's id when it is a harmless one, else a fresh one: unique in this process and, by a random prefix,
/// very likely beyond it. Only for finding a request in logs; nothing is decided by it.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    static PREFIX: LazyLock<u32> = LazyLock::new(|| (RandomState::new().hash_one("request") >> 32) as u32);
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let harmless = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    if let Some(given) = headers.get(REQUEST_ID)
        && (1..=128).contains(&given.len())
        && given.as_bytes().iter().all(harmless)
    {
        return given.clone();
    }
    let mut id = String::with_capacity(24);
    // Writing into a string cannot fail, and hexadecimal digits are a valid header value.
    let _ = write!(id, "{:08x}-{:x}", *PREFIX, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
#[path = "telemetry_tests.rs"]
mod tests;
