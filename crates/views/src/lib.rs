//! What a reader sees: documents, and the pure projections that make them.
//!
//! One file per document, each with the same two things: the document's type and `evolve`, which takes the
//! document as it was, one event and the event's revision, and gives the document as it is. Projections *set*
//! what events carry and never count, and an event that is in the document already changes nothing: applying
//! twice is applying once. [`project`] tells which documents an event touches.
//!
//! Personal data stays [`contract::Sealed`] here; only who holds a vault can open it.
//!
//! [`anonymous`] makes of people and purchases what may be given away.
//!
//! [`verify`] stands apart: it proves from the log alone that the rest kept its promises.

pub mod anonymous;
pub mod parked;
pub mod project;
pub mod purchase;
pub mod recent;
pub mod reservation;
pub mod revocation;
pub mod search;
pub mod seat_changes;
pub mod seat_map;
pub mod show;
pub mod user;
pub mod verify;
