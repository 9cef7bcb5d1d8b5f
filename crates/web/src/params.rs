//! Query parameters, checked like the fields of a body: every fault at once.

use crate::{
    codes::Code,
    fields::{check_text, parse_time},
    problem::{FieldError, Problem},
};
use axum::{
    extract::{FromRequestParts, Query},
    http::{Uri, request::Parts},
};
use contract::{Position, Timestamp};
use std::{borrow::Cow, ops::RangeInclusive};

/// The parameters of a request's query. A parameter that is empty counts as absent; of one that is sent twice,
/// the first counts; unknown ones are ignored.
#[derive(Debug, Default)]
#[must_use = "what was read counts only after `finish`"]
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Params {
    /// The parameters of an address.
    ///
    /// # Errors
    /// `DATOS_INVALIDOS` when the query cannot be taken apart.
    pub fn of(uri: &Uri) -> Result<Self, Problem> {
        if uri.query().is_none_or(str::is_empty) {
            return Ok(Self::default());
        }
        match Query::try_from_uri(uri) {
            Ok(Query(pairs)) => Ok(Self {
                pairs,
                errors: Vec::new(),
            }),
            Err(_) => {
                Err(Problem::new(Code::InvalidData).field("", "la consulta de la dirección no se entiende"))
            }
        }
    }

    /// Yes, or one problem with every fault that was found.
    ///
    /// # Errors
    /// `DATOS_INVALIDOS` when at least one parameter was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Code::InvalidData).fields(self.errors))
    }

    /// Remembers a fault.
    pub fn error(&mut self, name: &'static str, message: impl Into<Cow<'static, str>>) {
        self.errors.push(FieldError {
            campo: name.into(),
            mensaje: message.into(),
        });
    }

    /// The parameter as it was sent.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let pair = self
            .pairs
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())?;
        Some(&pair.1)
    }

    /// A text: its length in characters after trimming; no control characters. Blank is absent.
    pub fn text(&mut self, name: &'static str, length: RangeInclusive<usize>) -> Option<String> {
        self.read(name, |text| {
            if text.trim().is_empty() {
                Ok(None)
            } else {
                check_text(text, &length).map(Some)
            }
        })
        .flatten()
    }

    /// A whole number; `default` when it is absent.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let number = self.read(name, |text| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let number = if digits { text.parse().ok() } else { None };
            let in_range = number.filter(|number| range.contains(number));
            in_range.ok_or_else(|| {
                format!(
                    "debe ser un número entero entre {} y {}",
                    range.start(),
                    range.end()
                )
                .into()
            })
        });
        number.unwrap_or(default)
    }

    /// A time in RFC 3339.
    pub fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        self.read(name, |text| {
            parse_time(text)
                .ok_or_else(|| "debe ser una fecha y hora RFC 3339, como 2026-11-21T20:00:00Z".into())
        })
    }

    /// `posicion`: a log position that the answer must have seen.
    ///
    /// # Errors
    /// 400 when it is not a position: such a text never came from this API.
    pub fn position(&self) -> Result<Option<Position>, Problem> {
        let told = "`posicion` debe ser el valor de una cabecera X-Posicion.";
        self.handed_out("posicion", told)
            .map(|number| number.map(Position))
    }

    /// `desde`: the version of a document that the caller has.
    ///
    /// # Errors
    /// 400 when it is not a version: such a text never came from this API.
    pub fn version(&self) -> Result<Option<u64>, Problem> {
        self.handed_out("desde", "`desde` debe ser una `version` que se recibió.")
    }

    /// A number that only this API hands out.
    fn handed_out(&self, name: &'static str, told: &'static str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.raw(name) else {
            return Ok(None);
        };
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Some(number)),
            _ => Err(Problem::new(Code::InvalidParameter)
                .detail(told)
                .field(name, "debe ser un número entero")),
        }
    }

    /// A yes or no; no when it is absent.
    ///
    /// # Errors
    /// 400 when it is neither `true` nor `false`.
    pub fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        match self.raw(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::new(Code::InvalidParameter)
                .detail(format!("`{name}` debe ser `true` o `false`."))
                .field(name, "debe ser true o false")),
        }
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Cow<'static, str>>,
    ) -> Option<T> {
        match read(self.raw(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(name, message);
                None
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn params(query: &str) -> Params {
        Params::of(&format!("/x?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn parameters_are_decoded_bounded_and_defaulted() {
        let mut found = params("q=%C3%B1and%C3%BA+azul&limite=7&desde=1970-01-01T00:00:01Z&vacio=");
        assert_eq!(found.text("q", 1..=50).unwrap(), "ñandú azul");
        assert_eq!(found.integer("limite", 1..=100, 20), 7);
        assert_eq!(found.integer("otro", 1..=100, 20), 20);
        assert_eq!(found.integer("vacio", 1..=100, 20), 20);
        assert_eq!(found.time("desde"), Some(Timestamp(1_000)));
        found.finish().unwrap();
    }

    #[test]
    fn wrong_parameters_are_all_named() {
        let mut found = params("limite=0&desde=ayer&q=%00");
        found.integer("limite", 1..=100, 20);
        found.time("desde");
        found.text("q", 1..=5);
        let problem = found.finish().unwrap_err();
        let names: Vec<_> = problem
            .errors()
            .iter()
            .map(|error| error.campo.as_ref())
            .collect();
        assert_eq!(names, ["limite", "desde", "q"]);
    }

    #[test]
    fn a_flag_is_true_or_false_or_a_bad_request() {
        for (query, wanted) in [("", false), ("a=", false), ("a=false", false), ("a=true", true)] {
            assert_eq!(params(query).flag("a").unwrap(), wanted, "{query}");
        }
        for bad in ["a=1", "a=TRUE", "a=si", "a=%20true"] {
            let refused = params(bad).flag("a").unwrap_err();
            assert_eq!(
                (refused.code(), refused.errors()[0].campo.as_ref()),
                (Code::InvalidParameter, "a"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_position_is_a_number_or_a_bad_request() {
        assert_eq!(params("posicion=12").position().unwrap(), Some(Position(12)));
        assert_eq!(params("desde=12").version().unwrap(), Some(12));
        assert_eq!(params("").position().unwrap(), None);
        for bad in ["x", "-1", "%2B1", "99999999999999999999"] {
            assert_eq!(
                params(&format!("posicion={bad}"))
                    .position()
                    .unwrap_err()
                    .code()
                    .status(),
                400,
                "{bad}"
            );
        }
    }
}
