//! Identifiers. Each is a UUID with a type of its own, so that a show can never be passed for a user.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// A person. Version 5 of the keyed HMAC of their document, so that the same document is the same person.
    UserId,
    /// What people attend.
    ShowId,
    /// A claim on tickets with a deadline. A reservation without an earlier hold uses its own id as its hold's.
    HoldId,
    /// What a buyer follows from request to outcome; also the id of its saga and of its payment.
    ReservationId,
    /// From a log-in to its end: what a refresh token stands for.
    SessionId,
    /// One event in the log. Version 5 of the command's id, the event's place in its decision and its data, so that
    /// the same decision, appended twice, is known for what it is.
    EventId,
    /// One command or ask. The same at every retry.
    CommandId,
}

impl ReservationId {
    /// The hold that a reservation asks for when the buyer brought none.
    pub fn own_hold(self) -> HoldId {
        HoldId(self.0)
    }
}

impl CommandId {
    /// The id of the `index`-th event that this command decides, whose data are these bytes. The bytes are part of
    /// it because a log takes an append whose ids it knows for a repetition: the same command decided anew, at
    /// another time or on another state, must meet a conflict instead and be decided on what is there.
    pub fn event(self, index: usize, data: &[u8]) -> EventId {
        let mut name = Vec::with_capacity(8 + data.len());
        name.extend_from_slice(&(index as u64).to_be_bytes());
        name.extend_from_slice(data);
        EventId(Uuid::new_v5(&self.0, &name))
    }

    /// A command that follows from this one, told apart by `name`: the same for every repetition.
    pub fn derived(self, name: &str) -> CommandId {
        CommandId(Uuid::new_v5(&self.0, name.as_bytes()))
    }
}
