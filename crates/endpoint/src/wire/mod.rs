//! The messages of EventStoreDB's protocol that this endpoint understands, as plain structs: a field's `tag` is its
//! number on the wire. What stands in a message and not here is skipped when reading, as protobuf demands.
//!
//! Two liberties, neither visible on the wire: an empty message is `()`, and a `map<string, string>` is what protobuf
//! makes of it, a list of [`Entry`].

mod append;
mod others;
mod read;

pub(crate) use append::*;
pub(crate) use others::*;
pub(crate) use read::*;

use bytes::Bytes;
use prost::{Message, Oneof};

/// An id, in one of two forms; requests may use either, responses the one that was asked for.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Uuid {
    #[prost(oneof = "UuidForm", tags = "1, 2")]
    pub form: Option<UuidForm>,
}
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum UuidForm {
    #[prost(message, tag = "1")]
    Structured(UuidHalves),
    #[prost(string, tag = "2")]
    Text(String),
}
/// The two halves of an id, the first 64 bits as a signed number and the last.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct UuidHalves {
    #[prost(int64, tag = "1")]
    pub most: i64,
    #[prost(int64, tag = "2")]
    pub least: i64,
}

impl Uuid {
    pub(crate) fn text(id: uuid::Uuid) -> Self {
        Self {
            form: Some(UuidForm::Text(id.to_string())),
        }
    }

    pub(crate) fn structured(id: uuid::Uuid) -> Self {
        let (most, least) = id.as_u64_pair();
        let (most, least) = (most.cast_signed(), least.cast_signed());
        Self {
            form: Some(UuidForm::Structured(UuidHalves { most, least })),
        }
    }

    /// The id, when there is one and it is one.
    pub(crate) fn read(&self) -> Option<uuid::Uuid> {
        match self.form.as_ref()? {
            UuidForm::Structured(UuidHalves { most, least }) => Some(uuid::Uuid::from_u64_pair(
                most.cast_unsigned(),
                least.cast_unsigned(),
            )),
            UuidForm::Text(text) => uuid::Uuid::try_parse(text).ok(),
        }
    }
}

/// The name of a stream, as bytes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamIdentifier {
    #[prost(bytes = "vec", tag = "3")]
    pub name: Vec<u8>,
}

/// A place in the whole log. Commit and prepare differ in EventStoreDB when an old kind of transaction was used; here
/// they are the same.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Position {
    #[prost(uint64, tag = "1")]
    pub commit: u64,
    #[prost(uint64, tag = "2")]
    pub prepare: u64,
}

impl From<contract::Position> for Position {
    fn from(position: contract::Position) -> Self {
        Self {
            commit: position.0,
            prepare: position.0,
        }
    }
}

/// One entry of an event's system metadata: `type`, `content-type`, `created`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// An event on its way into the log, in `Append` and `BatchAppend` alike. The bytes are copied out of the connection's
/// buffers while they are read: slices of those buffers would keep all of them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProposedMessage {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Uuid>,
    #[prost(message, repeated, tag = "2")]
    pub metadata: Vec<Entry>,
    #[prost(bytes = "vec", tag = "3")]
    pub custom_metadata: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
}

/// An event in the log.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RecordedEvent {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Uuid>,
    #[prost(message, optional, tag = "2")]
    pub stream: Option<StreamIdentifier>,
    #[prost(uint64, tag = "3")]
    pub revision: u64,
    #[prost(uint64, tag = "4")]
    pub prepare: u64,
    #[prost(uint64, tag = "5")]
    pub commit: u64,
    #[prost(message, repeated, tag = "6")]
    pub metadata: Vec<Entry>,
    #[prost(bytes = "bytes", tag = "7")]
    pub custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "8")]
    pub data: Bytes,
}
