//! All that EventFlow stores or sends: events, commands, answers, ids, money, the envelope.
//!
//! Pure: no I/O, no clock, no randomness, no async. What is here is read by every other crate and, as JSON, by
//! logs written years ago, so a stored form never changes; see [`events`].

pub mod collections;
pub mod commands;
pub mod envelope;
pub mod events;
pub mod ids;
pub mod money;
pub mod refusal;
pub mod role;
pub mod sealed;
pub mod stream;
pub mod time;

pub use commands::{Answer, Ask, Command, Failure, Reply};
pub use envelope::{
    Actor, Cause, Digest, Meta, NewEvent, Position, Recorded, Revision, StreamEnd, Unreadable,
};
pub use events::Event;
pub use ids::{CommandId, EventId, HoldId, ReservationId, SessionId, ShowId, UserId};
pub use money::{Currency, Money};
pub use refusal::Refusal;
pub use role::Role;
pub use sealed::Sealed;
pub use stream::{StreamKind, StreamName};
pub use time::Timestamp;
