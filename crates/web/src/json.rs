//! Request bodies: JSON objects of bounded size that arrive in bounded time.

use crate::{codes::Code, problem::Problem};
use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use std::time::Duration;

/// How large a body may be, in bytes. A seat map of a thousand sections fits, or one of sixty thousand places with
/// some thousand that are blocked.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// How long a body may take to arrive, so that a slow sender cannot hold a request open.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The body: always a JSON object, so that [`crate::fields::Fields`] can read it.
///
/// Refused: 415 when the type is not JSON, 413 past [`MAX_BODY_BYTES`], 408 past [`BODY_TIMEOUT`], 400 when it
/// is not JSON, 422 when it is no object.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub Value);

/// Like [`Json`], but an absent body is an empty object.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionalJson(pub Value);

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_type(request.headers())?;
        parse(&read(request.into_body()).await?).map(Json)
    }
}

impl<S: Send + Sync> FromRequest<S> for OptionalJson {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let type_check = check_type(request.headers());
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(OptionalJson(Value::Object(Map::new())));
        }
        type_check?;
        parse(&bytes).map(OptionalJson)
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        Ok(())
    } else {
        Err(Problem::new(Code::UnsupportedType))
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(Code::BodyTooLarge).detail(
            format!("El cuerpo puede tener {} KiB como máximo.", MAX_BODY_BYTES >> 10),
        )),
        Ok(Err(_)) => Err(Problem::new(Code::MalformedJson).detail("El cuerpo no llegó completo.")),
        Err(_) => Err(Problem::new(Code::RequestTimeout)),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Problem::new(Code::InvalidData).field("", "el cuerpo debe ser un objeto JSON")),
        Err(error) => Err(Problem::new(Code::MalformedJson).detail(format!(
            "El cuerpo deja de ser JSON en la línea {}, columna {}.",
            error.line(),
            error.column()
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn json(content_type: Option<&str>, body: impl Into<Body>) -> Result<Value, Code> {
        let mut request = Request::post("/");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(body.into()).unwrap();
        Json::from_request(request, &())
            .await
            .map(|json| json.0)
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_body_is_a_json_object_of_a_json_type() {
        let ok = Some("application/json; charset=utf-8");
        assert_eq!(json(ok, r#"{"a":1}"#).await.unwrap(), serde_json::json!({"a": 1}));
        assert!(json(Some("application/merge-patch+json"), "{}").await.is_ok());
        assert_eq!(json(Some("text/plain"), "{}").await, Err(Code::UnsupportedType));
        assert_eq!(json(None, "{}").await, Err(Code::UnsupportedType));
        assert_eq!(json(ok, "[]").await, Err(Code::InvalidData));
        assert_eq!(json(ok, "null").await, Err(Code::InvalidData));
        for malformed in [&b""[..], b"{", b"{\"a\":\"\xff\"}", b"{} x", b"{\"a\":1e999}"] {
            assert_eq!(
                json(ok, malformed).await,
                Err(Code::MalformedJson),
                "{malformed:?}"
            );
        }
        assert_eq!(
            json(ok, "[".repeat(60_000)).await,
            Err(Code::MalformedJson),
            "deep nesting is no crash"
        );
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_and_one_at_it_is_not() {
        let body = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
        assert!(json(Some("application/json"), body(MAX_BODY_BYTES)).await.is_ok());
        assert_eq!(
            json(Some("application/json"), body(MAX_BODY_BYTES + 1)).await,
            Err(Code::BodyTooLarge)
        );
    }

    #[tokio::test]
    async fn an_optional_body_may_be_absent_but_not_wrong() {
        let read = async |body: &'static str| {
            let request = Request::post("/").body(Body::from(body)).unwrap();
            OptionalJson::from_request(request, &())
                .await
                .map_err(|problem| problem.code())
        };
        assert_eq!(read("").await.unwrap().0, serde_json::json!({}));
        assert_eq!(read("{}").await, Err(Code::UnsupportedType));
    }

    #[test]
    fn where_the_json_ends_is_told() {
        let problem = serde_json::to_value(parse(b"{\n  \"a\": x}").unwrap_err()).unwrap();
        assert!(
            problem["detail"].as_str().unwrap().contains("línea 2"),
            "{problem}"
        );
    }
}
