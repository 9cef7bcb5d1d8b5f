//! Which documents an event touches, and all documents under one type: what a runner needs to load, evolve and
//! set without knowing any of them.

use crate::{
    purchase::{self, Purchase},
    recent::{self, Recent},
    reservation::{self, Reservation},
    revocation::{self, Revocation},
    seat_map::{self, SeatMap},
    show::{self, Show},
    user::{self, User},
};
use contract::{
    Event, ReservationId, Revision, ShowId, StreamKind, StreamName, UserId,
    collections::{self, Collection},
    events::Layout,
};
use uuid::Uuid;

/// One document that an event touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// In [`collections::SHOWS`].
    Show(ShowId),
    /// In [`collections::SEAT_MAPS`].
    SeatMap(ShowId),
    /// In [`collections::USERS`].
    User(UserId),
    /// In [`collections::PURCHASES`].
    Purchase {
        /// Whose.
        user_id: UserId,
        /// Which.
        reservation_id: ReservationId,
    },
    /// In [`collections::RECENT`].
    Recent(UserId),
    /// In [`collections::RESERVATIONS`].
    Reservation(ReservationId),
    /// In [`collections::REVOCATIONS`], of a session or a user.
    Revocation(Uuid),
}

/// The documents that one event touches: three at the most.
pub type Targets = [Option<Target>; 3];

/// An event stands in a stream where this platform never writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced;

impl std::fmt::Display for Misplaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event of another kind of stream")
    }
}
impl std::error::Error for Misplaced {}

/// Which documents the event touches. Streams that are not this platform's touch none.
///
/// # Errors
/// [`Misplaced`] when the event does not belong into this kind of stream.
pub fn targets(event: &Event, stream: &StreamName) -> Result<Targets, Misplaced> {
    let Some((kind, id)) = stream.parts() else {
        return Ok([None; 3]);
    };
    if home(event) != kind {
        return Err(Misplaced);
    }
    let (user_id, show_id) = (UserId(id), ShowId(id));
    Ok(match event {
        Event::UserRegistered(_) => [Some(Target::User(user_id)), Some(Target::Recent(user_id)), None],
        Event::UserForgotten(_) => [
            Some(Target::User(user_id)),
            Some(Target::Recent(user_id)),
            Some(Target::Revocation(id)),
        ],
        Event::RolesChanged(_) | Event::SessionClosed(_) => [Some(Target::Revocation(id)), None, None],
        Event::PurchaseRecorded(e) => [
            Some(Target::Purchase {
                user_id,
                reservation_id: e.reservation_id,
            }),
            Some(Target::Recent(user_id)),
            None,
        ],
        Event::PurchaseUnrecorded(e) => [
            Some(Target::Purchase {
                user_id,
                reservation_id: e.reservation_id,
            }),
            Some(Target::Recent(user_id)),
            None,
        ],
        Event::ShowScheduled(e) => show_targets(show_id, matches!(e.layout, Layout::Numbered { .. })),
        Event::TicketsHeld(e) => show_targets(show_id, !e.seats.is_empty()),
        Event::HoldReleased(e) => show_targets(show_id, !e.seats.is_empty()),
        Event::TicketsSold(e) => show_targets(show_id, !e.seats.is_empty()),
        Event::TicketsReturned(e) => show_targets(show_id, !e.seats.is_empty()),
        Event::ShowCancelled(_) => show_targets(show_id, false),
        _ if kind == StreamKind::Reservation => [Some(Target::Reservation(ReservationId(id))), None, None],
        // Claims, payments, adopted holds and what is only for auditors are nobody's document.
        _ => [None; 3],
    })
}

fn show_targets(show_id: ShowId, seats: bool) -> Targets {
    [
        Some(Target::Show(show_id)),
        seats.then_some(Target::SeatMap(show_id)),
        None,
    ]
}

/// The kind of stream an event belongs into.
pub fn home(event: &Event) -> StreamKind {
    match event {
        Event::UserRegistered(_)
        | Event::PurchaseRecorded(_)
        | Event::PurchaseUnrecorded(_)
        | Event::UserForgotten(_) => StreamKind::User,
        Event::RolesChanged(_) => StreamKind::Account,
        Event::SessionOpened(_) | Event::SessionRenewed(_) | Event::SessionClosed(_) => StreamKind::Session,
        Event::LoginFailed(_) | Event::DataDisclosed(_) => StreamKind::Access,
        Event::EmailClaimed(_) | Event::EmailReleased(_) => StreamKind::Email,
        Event::KeyClaimed(_) => StreamKind::Key,
        Event::ShowScheduled(_)
        | Event::TicketsHeld(_)
        | Event::HoldAdopted(_)
        | Event::HoldReleased(_)
        | Event::TicketsSold(_)
        | Event::TicketsReturned(_)
        | Event::ShowCancelled(_) => StreamKind::Show,
        Event::ReservationRequested(_)
        | Event::ReservationProgressed(_)
        | Event::CompensationStarted(_)
        | Event::ReservationConfirmed(_)
        | Event::ReservationRejected(_)
        | Event::CancellationRequested(_)
        | Event::ReservationCancelled(_)
        | Event::SagaStuck(_)
        | Event::SagaResumed(_) => StreamKind::Reservation,
        Event::PaymentCaptured(_)
        | Event::PaymentDeclined(_)
        | Event::PaymentVoided(_)
        | Event::PaymentRefunded(_) => StreamKind::Payment,
    }
}

impl Target {
    /// The collection it is in.
    pub fn collection(&self) -> &'static Collection {
        match self {
            Target::Show(_) => &collections::SHOWS,
            Target::SeatMap(_) => &collections::SEAT_MAPS,
            Target::User(_) => &collections::USERS,
            Target::Purchase { .. } => &collections::PURCHASES,
            Target::Recent(_) => &collections::RECENT,
            Target::Reservation(_) => &collections::RESERVATIONS,
            Target::Revocation(_) => &collections::REVOCATIONS,
        }
    }

    /// Its key there: always an id.
    pub fn key(&self) -> String {
        match self {
            Target::Show(id) | Target::SeatMap(id) => id.to_string(),
            Target::User(id) | Target::Recent(id) => id.to_string(),
            Target::Purchase {
                reservation_id: id, ..
            }
            | Target::Reservation(id) => id.to_string(),
            Target::Revocation(id) => id.to_string(),
        }
    }

    /// Reads a stored document.
    ///
    /// # Errors
    /// When the body is not this kind of document.
    pub fn read(&self, body: &[u8]) -> Result<Doc, serde_json::Error> {
        Ok(match self {
            Target::Show(_) => Doc::Show(serde_json::from_slice(body)?),
            Target::SeatMap(_) => Doc::SeatMap(serde_json::from_slice(body)?),
            Target::User(_) => Doc::User(serde_json::from_slice(body)?),
            Target::Purchase { .. } => Doc::Purchase(serde_json::from_slice(body)?),
            Target::Recent(_) => Doc::Recent(serde_json::from_slice(body)?),
            Target::Reservation(_) => Doc::Reservation(serde_json::from_slice(body)?),
            Target::Revocation(_) => Doc::Revocation(serde_json::from_slice(body)?),
        })
    }

    /// The document after an event that touches it; `None` when there is none (any more).
    pub fn evolve(&self, doc: Option<Doc>, event: &Event, revision: Revision) -> Option<Doc> {
        match self {
            Target::Show(_) => show::evolve(doc.and_then(Doc::into), event, revision).map(Doc::from),
            Target::SeatMap(_) => seat_map::evolve(doc.and_then(Doc::into), event, revision).map(Doc::from),
            Target::User(_) => user::evolve(doc.and_then(Doc::into), event, revision).map(Doc::from),
            Target::Purchase { user_id, .. } => {
                purchase::evolve(doc.and_then(Doc::into), *user_id, event, revision).map(Doc::from)
            }
            Target::Recent(user_id) => {
                recent::evolve(doc.and_then(Doc::into), *user_id, event, revision).map(Doc::from)
            }
            Target::Reservation(_) => {
                reservation::evolve(doc.and_then(Doc::into), event, revision).map(Doc::from)
            }
            Target::Revocation(_) => {
                revocation::evolve(doc.and_then(Doc::into), event, revision).map(Doc::from)
            }
        }
    }
}

/// Any document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doc {
    /// A show.
    Show(Box<Show>),
    /// A show's seats.
    SeatMap(Box<SeatMap>),
    /// A person.
    User(Box<User>),
    /// A purchase.
    Purchase(Box<Purchase>),
    /// A person's latest purchases.
    Recent(Box<Recent>),
    /// A reservation.
    Reservation(Box<Reservation>),
    /// Tokens that are no longer valid.
    Revocation(Box<Revocation>),
}

macro_rules! kinds {
    ($($name:ident),+) => {$(
        impl From<$name> for Doc {
            fn from(doc: $name) -> Doc {
                Doc::$name(Box::new(doc))
            }
        }
        impl From<Doc> for Option<$name> {
            /// `None` when it is another kind of document.
            fn from(doc: Doc) -> Self {
                if let Doc::$name(doc) = doc { Some(*doc) } else { None }
            }
        }
    )+};
}
kinds!(Show, SeatMap, User, Purchase, Recent, Reservation, Revocation);

impl Doc {
    /// The document as it is stored: a JSON object.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which no document of this crate does.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Doc::Show(doc) => serde_json::to_vec(doc),
            Doc::SeatMap(doc) => serde_json::to_vec(doc),
            Doc::User(doc) => serde_json::to_vec(doc),
            Doc::Purchase(doc) => serde_json::to_vec(doc),
            Doc::Recent(doc) => serde_json::to_vec(doc),
            Doc::Reservation(doc) => serde_json::to_vec(doc),
            Doc::Revocation(doc) => serde_json::to_vec(doc),
        }
    }
}
