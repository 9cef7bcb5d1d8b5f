//! Stream names: one stream per aggregate, named by its kind and id. Never anything personal.

use crate::ids::{HoldId, ReservationId, ShowId, UserId};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};
use uuid::Uuid;

/// The kinds of stream this platform writes. Other clients of the log may have streams of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamKind {
    /// `user-{id}`: a person and their purchases.
    User,
    /// `email-{id}`: who uses an address; the id is version 5 of the address's keyed HMAC.
    Email,
    /// `key-{id}`: an idempotency key that was used; the id is version 5 of scope and key.
    Key,
    /// `show-{id}`: a show and all its tickets.
    Show,
    /// `reservation-{id}`: a reservation and its saga.
    Reservation,
    /// `payment-{id}`: what was charged and given back for a reservation.
    Payment,
    /// `account-{id}`: what a user may do; under the user's id.
    Account,
    /// `session-{id}`: from a log-in to its end.
    Session,
    /// `access-{id}`: who looked at a person's data and who failed to log in as them, under the user's id; whole
    /// exports under the id of whoever took them.
    Access,
}

impl StreamKind {
    /// All kinds.
    pub const ALL: [StreamKind; 9] = [
        Self::User,
        Self::Email,
        Self::Key,
        Self::Show,
        Self::Reservation,
        Self::Payment,
        Self::Account,
        Self::Session,
        Self::Access,
    ];

    /// What stands before the dash.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Email => "email",
            Self::Key => "key",
            Self::Show => "show",
            Self::Reservation => "reservation",
            Self::Payment => "payment",
            Self::Account => "account",
            Self::Session => "session",
            Self::Access => "access",
        }
    }
}

/// The name of a stream. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Any name, such as another client of the log may use.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The stream of the aggregate of this kind and id.
    pub fn of(kind: StreamKind, id: Uuid) -> Self {
        let mut buffer = [0; 36];
        let id = id.hyphenated().encode_lower(&mut buffer);
        let mut name = String::with_capacity(kind.prefix().len() + 37);
        name.push_str(kind.prefix());
        name.push('-');
        name.push_str(id);
        Self(name.into())
    }

    /// `user-{id}`
    pub fn user(id: UserId) -> Self {
        Self::of(StreamKind::User, id.0)
    }

    /// `show-{id}`
    pub fn show(id: ShowId) -> Self {
        Self::of(StreamKind::Show, id.0)
    }

    /// `reservation-{id}`
    pub fn reservation(id: ReservationId) -> Self {
        Self::of(StreamKind::Reservation, id.0)
    }

    /// `payment-{id}`, under the id of the reservation that it pays for.
    pub fn payment(id: ReservationId) -> Self {
        Self::of(StreamKind::Payment, id.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Kind and id, when this platform made the name.
    pub fn parts(&self) -> Option<(StreamKind, Uuid)> {
        let (prefix, id) = self.0.split_once('-')?;
        let kind = StreamKind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
        Some((kind, Uuid::try_parse(id).ok()?))
    }
}

impl From<HoldId> for ReservationId {
    /// The reservation that owns a hold of its own; see [`ReservationId::own_hold`].
    fn from(hold: HoldId) -> Self {
        ReservationId(hold.0)
    }
}
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
