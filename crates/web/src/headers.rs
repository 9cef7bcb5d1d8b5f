//! Request and response headers with a meaning of their own.

use crate::{access::Caller, codes::Code, problem::Problem};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    response::Response,
};
use contract::{Actor, Cause, Position};
use uuid::Uuid;

/// `X-Request-Id`
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `X-Posicion`
pub const POSITION: HeaderName = HeaderName::from_static("x-posicion");
/// `Idempotency-Key`
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `Prefer` (RFC 7240)
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// `Preference-Applied` (RFC 7240)
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// `traceparent` (W3C Trace Context)
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `Last-Event-ID` of a resumed event stream
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The longest wait that a caller can ask for, in seconds.
pub const MAX_WAIT_S: u8 = 30;

/// The caller's `Idempotency-Key`, when there is one: 1–255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let refuse = |why| Err(Problem::new(Code::InvalidHeader).field("Idempotency-Key", why));
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        if values.next().is_some() {
            return refuse("solo puede enviarse una vez");
        }
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(text.to_owned())))
            }
            _ => refuse("debe tener de 1 a 255 caracteres visibles (ASCII)"),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// What the caller would like (RFC 7240). What cannot be understood is ignored, as the RFC asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `wait=N`: how long to wait for the outcome, in seconds, [`MAX_WAIT_S`] at the most.
    pub wait_s: Option<u8>,
    /// `respond-async`: answer at once.
    pub respond_async: bool,
}

impl Prefer {
    /// Reads every `Prefer` header; of a preference that is said twice, the first counts.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut prefer = Prefer::default();
        let values = headers
            .get_all(PREFER)
            .iter()
            .filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            // Parameters behind `;` have no meaning for these two.
            let token = preference.split(';').next().unwrap_or_default().trim();
            let (name, value) = token
                .split_once('=')
                .map_or((token, None), |(n, v)| (n.trim(), Some(v.trim())));
            if name.eq_ignore_ascii_case("respond-async") {
                prefer.respond_async = true;
            } else if name.eq_ignore_ascii_case("wait") && prefer.wait_s.is_none() {
                let seconds = value.map(|v| v.trim_matches('"')).filter(|v| is_number(v));
                prefer.wait_s = seconds.map(|v| v.parse::<u8>().unwrap_or(MAX_WAIT_S).min(MAX_WAIT_S));
            }
        }
        prefer
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

/// From whom a request comes: what a handler asks for that needs nothing else of [`RequestContext`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(caller(parts)))
    }
}

/// As [`crate::access::guard`] found; without a guard, in a side's own tests, whoever runs the program.
fn caller(parts: &Parts) -> Caller {
    let found = parts.extensions.get::<Caller>().cloned();
    found.unwrap_or_else(Caller::operator)
}

/// Who asks, and what the request is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext {
    /// From whom it comes, and how far they reach here.
    pub caller: Caller,
    /// Who it was, for the log: [`Caller::actor`].
    pub actor: Actor,
    /// The W3C `traceparent`, when it is well-formed.
    pub trace: Option<String>,
    /// The request's id, as it is returned in `X-Request-Id`.
    pub request_id: String,
}

impl RequestContext {
    /// The cause of what this request makes happen; `correlation` is what it belongs to.
    pub fn cause(&self, correlation: Uuid) -> Cause {
        Cause {
            correlation,
            actor: self.actor.clone(),
            trace: self.trace.clone(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let caller = caller(parts);
        let headers = &parts.headers;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Self {
            actor: caller.actor(),
            caller,
            trace: text(TRACEPARENT)
                .filter(|trace| is_traceparent(trace))
                .map(str::to_owned),
            request_id: text(REQUEST_ID).unwrap_or_default().to_owned(),
        })
    }
}

/// Is this a W3C `traceparent` of version 00 with ids that are not zero?
pub fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else {
        return false;
    };
    *version == "00"
        && (trace.len(), span.len(), flags.len()) == (32, 16, 2)
        && [trace, span, flags].into_iter().all(|part| hex(part))
        && [trace, span].into_iter().all(|id| id.bytes().any(|b| b != b'0'))
}

/// The response with `X-Posicion`: the log position that the command produced.
pub fn with_position(mut response: Response, position: Position) -> Response {
    response
        .headers_mut()
        .insert(POSITION, HeaderValue::from(position.0));
    response
}

/// [`with_position`] as a method.
pub trait ResponseExtras {
    /// Adds `X-Posicion` when there is a position.
    #[must_use]
    fn at(self, position: Option<Position>) -> Self;
}

impl ResponseExtras for Response {
    fn at(self, position: Option<Position>) -> Self {
        match position {
            Some(position) => with_position(self, position),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn an_idempotency_key_is_1_to_255_visible_characters() {
        let read = |value: &str| IdempotencyKey::read(&headers(&[("idempotency-key", value)]));
        assert_eq!(read("abc-1").unwrap().0.unwrap(), "abc-1");
        assert!(read(&"x".repeat(255)).is_ok());
        for bad in ["", "a b", "ñ", &"x".repeat(256)] {
            assert_eq!(read(bad).unwrap_err().code(), Code::InvalidHeader, "{bad:?}");
        }
        assert_eq!(IdempotencyKey::read(&HeaderMap::new()).unwrap().0, None);
        assert!(
            IdempotencyKey::read(&headers(&[("idempotency-key", "a"), ("idempotency-key", "b")])).is_err()
        );
    }

    #[test]
    fn preferences_are_read_and_nonsense_is_ignored() {
        let read = |value: &str| Prefer::read(&headers(&[("prefer", value)]));
        assert_eq!(
            read("wait=10"),
            Prefer {
                wait_s: Some(10),
                respond_async: false
            }
        );
        assert_eq!(
            read("respond-async, Wait=0"),
            Prefer {
                wait_s: Some(0),
                respond_async: true
            }
        );
        assert_eq!(
            read("wait=\"3\"; x=y"),
            Prefer {
                wait_s: Some(3),
                respond_async: false
            }
        );
        assert_eq!(
            read("wait=9999999"),
            Prefer {
                wait_s: Some(30),
                respond_async: false
            }
        );
        for nonsense in ["wait=-1", "wait=abc", "wait", "wait=", ",,;", "return=minimal"] {
            assert_eq!(read(nonsense), Prefer::default(), "{nonsense}");
        }
    }

    #[test]
    fn only_a_well_formed_traceparent_is_kept() {
        assert!(is_traceparent(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        ));
        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}
