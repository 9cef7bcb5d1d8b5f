//! Problem documents (RFC 9457): how every refusal and every failure reaches a caller.

use crate::codes::Code;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use std::borrow::Cow;

/// One field that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's path: `mapa_asientos.secciones[0].filas`.
    pub campo: Cow<'static, str>,
    /// What is wrong with it, in Spanish, without repeating what was sent.
    pub mensaje: Cow<'static, str>,
}

/// A problem document. Texts are for the caller: no stack traces, no driver messages, no personal data.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    code: Code,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    extensions: Vec<(&'static str, Value)>,
    retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem with the code's own status and title. 429 and 503 say `Retry-After: 1` unless told otherwise.
    pub fn new(code: Code) -> Self {
        let retries = matches!(code.status().as_u16(), 429 | 503);
        Self(Box::new(Parts {
            code,
            detail: None,
            errors: Vec::new(),
            extensions: Vec::new(),
            retry_after_s: retries.then_some(1),
        }))
    }

    /// What happened this time, in Spanish.
    #[must_use]
    pub fn detail(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(text.into());
        self
    }

    /// A field that is wrong (`errores`), and why, in Spanish.
    #[must_use]
    pub fn field(
        mut self,
        campo: impl Into<Cow<'static, str>>,
        mensaje: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.0.errors.push(FieldError {
            campo: campo.into(),
            mensaje: mensaje.into(),
        });
        self
    }

    /// Several fields that are wrong.
    #[must_use]
    pub fn fields(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    /// An extension member, such as `asientos` or `reserva`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.extensions.push((name, value));
        self
    }

    /// When to try again, in seconds from now; at least 1.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The fields that are wrong.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// An internal error: logged here, once, with its cause; the caller learns only that it happened.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed for an internal reason");
        Problem::new(Code::Internal)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = &*self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", parts.code.page_address())?;
        map.serialize_entry("title", parts.code.title())?;
        map.serialize_entry("status", &parts.code.status().as_u16())?;
        // Always there, as the contract says: without anything to add, the title says it all.
        map.serialize_entry("detail", parts.detail.as_deref().unwrap_or(parts.code.title()))?;
        map.serialize_entry("codigo", parts.code.text())?;
        if !parts.errors.is_empty() {
            map.serialize_entry("errores", &parts.errors)?;
        }
        for (name, value) in &parts.extensions {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Only strings, numbers and JSON values are in it: writing it cannot fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.0.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_has_the_members_of_rfc_9457_and_ours() {
        let problem = Problem::new(Code::SeatsTaken)
            .detail("Dos asientos están ocupados.")
            .field("asientos", "ocupados")
            .with("asientos", json!(["A-1"]));
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            json!({
                "type": "/docs/errors/ASIENTOS_OCUPADOS",
                "title": "Algunos asientos están ocupados",
                "status": 409,
                "detail": "Dos asientos están ocupados.",
                "codigo": "ASIENTOS_OCUPADOS",
                "errores": [{"campo": "asientos", "mensaje": "ocupados"}],
                "asientos": ["A-1"],
            })
        );
    }

    #[test]
    fn whoever_must_come_back_later_is_told_when() {
        let retry = |problem: Problem| {
            problem
                .into_response()
                .headers()
                .get(header::RETRY_AFTER)
                .cloned()
        };
        assert_eq!(retry(Problem::new(Code::Busy)).unwrap(), "1");
        assert_eq!(retry(Problem::new(Code::ReadLag).retry_after(7)).unwrap(), "7");
        assert_eq!(retry(Problem::new(Code::SoldOut)), None);
    }

    #[test]
    fn a_401_says_how_to_authenticate() {
        let response = Problem::new(Code::Unauthenticated).into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
