//! Ids in paths. A malformed id names nothing: 404 of the kind that is looked for, never a 400 or a 500.

use crate::{codes::Code, problem::Problem};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use contract::{HoldId, ReservationId, ShowId, UserId};
use uuid::Uuid;

/// An id that stands in a path.
pub trait PathId: Sized {
    /// The path parameter's name.
    const PARAM: &'static str;
    /// What is answered when there is no such thing.
    const NOT_FOUND: Code;
    /// The id.
    fn from_uuid(id: Uuid) -> Self;
}

macro_rules! path_ids {
    ($($name:ident $param:literal $code:ident;)+) => {$(
        impl PathId for $name {
            const PARAM: &'static str = $param;
            const NOT_FOUND: Code = Code::$code;
            fn from_uuid(id: Uuid) -> Self { $name(id) }
        }
    )+};
}

path_ids! {
    UserId "usuario_id" UserNotFound;
    ShowId "evento_id" ShowNotFound;
    HoldId "bloqueo_id" HoldNotFound;
    ReservationId "reserva_id" ReservationNotFound;
}

/// The id of this type from the path: `Id(show_id): Id<ShowId>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<T>(pub T);

/// Reads the one spelling that this API writes: 36 characters with dashes, in either case.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

impl<S: Send + Sync, T: PathId> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(T::NOT_FOUND);
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| missing())?;
        let text = params
            .iter()
            .find(|(name, _)| *name == T::PARAM)
            .map(|(_, value)| value);
        text.and_then(parse_uuid)
            .map(|id| Id(T::from_uuid(id)))
            .ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_spelling_is_an_id() {
        assert!(parse_uuid("018f4c3e-7b7a-7cc0-8000-000000000001").is_some());
        assert!(parse_uuid("018F4C3E-7B7A-7CC0-8000-000000000001").is_some());
        assert!(parse_uuid("018f4c3e7b7a7cc08000000000000001").is_none());
        assert!(parse_uuid("{018f4c3e-7b7a-7cc0-8000-000000000001}").is_none());
        assert!(parse_uuid("ñ18f4c3e-7b7a-7cc0-8000-00000000000").is_none());
        assert!(parse_uuid("").is_none());
    }
}
