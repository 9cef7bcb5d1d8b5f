//! The envelope: what stands around an event in the log, and the hash chain that ties a stream together.

use crate::{
    events::Event,
    ids::{CommandId, EventId},
    stream::StreamName,
    time::Timestamp,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt, sync::Arc};
use uuid::Uuid;

/// A place in the whole log. Later events have greater positions; they are not consecutive numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An event's number in its stream: 0, 1, 2 …
pub type Revision = u64;

/// 32 bytes of SHA-256 or HMAC-SHA-256. In JSON: unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest before the first event of a stream.
    pub const ZERO: Digest = Digest([0; 32]);
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [0; 43];
        match URL_SAFE_NO_PAD.encode_slice(self.0, &mut buffer) {
            Ok(_) => serializer.serialize_str(std::str::from_utf8(&buffer).unwrap_or_default()),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice_unchecked(text.as_bytes(), &mut bytes) {
            Ok(32) if text.len() == 43 => Ok(Self(bytes)),
            _ => Err(D::Error::custom("not a digest of 32 bytes")),
        }
    }
}

/// Who made something happen: `admin`, `user:{id}`, `saga`, `timer`. Never a name.
pub type Actor = Cow<'static, str>;

/// Why something happens: passed along from request to command to event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What it belongs to: for a purchase, its reservation's id, over all streams.
    pub correlation: Uuid,
    /// Who.
    pub actor: Actor,
    /// The W3C `traceparent` of the request, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// What is stored beside an event's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// What it belongs to.
    pub correlation: Uuid,
    /// The command that decided it.
    pub causation: Uuid,
    /// Who.
    pub actor: Actor,
    /// When it was decided. The log's own time may be coarser or later.
    pub at_ms: Timestamp,
    /// The W3C `traceparent` of the request, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The `hash` of the event before it in the same stream; [`Digest::ZERO`] for the first.
    pub prev: Digest,
    /// SHA-256 over this event: see [`Meta::digest`].
    pub hash: Digest,
}

impl Meta {
    /// The digest of an event: everything that is stored of it except the digest itself, each part with its
    /// length before it, so that no two different events have the same input.
    pub fn digest(&self, stream: &str, revision: Revision, id: EventId, kind: &str, data: &[u8]) -> Digest {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(&self.prev.0);
        part(stream.as_bytes());
        part(&revision.to_be_bytes());
        part(id.0.as_bytes());
        part(kind.as_bytes());
        part(self.correlation.as_bytes());
        part(self.causation.as_bytes());
        part(self.actor.as_bytes());
        part(&self.at_ms.0.to_be_bytes());
        part(self.trace.as_deref().unwrap_or_default().as_bytes());
        part(data);
        Digest(hasher.finalize().into())
    }
}

/// An event on its way into the log.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Deterministic, so that a repeated append can be recognised.
    pub id: EventId,
    /// Name and version.
    pub kind: Arc<str>,
    /// The event as JSON.
    pub data: Bytes,
    /// The metadata as JSON.
    pub meta: Bytes,
    /// What the bytes say, when whoever made them knows; saves the readers in this process from decoding.
    pub decoded: Option<Arc<(Event, Meta)>>,
}

/// The end of a stream as a writer knows it: what the next event is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The revision of the next event; 0 for a stream that does not exist.
    pub next: Revision,
    /// The digest of the last event.
    pub last: Digest,
}

impl StreamEnd {
    /// The end of a stream that does not exist yet.
    pub const NEW: StreamEnd = StreamEnd {
        next: 0,
        last: Digest::ZERO,
    };

    /// Envelopes the events that one command decided and links them to the stream's end, which moves behind
    /// them. `first` is the place of the first in the command's whole decision.
    ///
    /// # Errors
    /// When an event cannot be written as JSON, which no event of this platform does.
    pub fn link(
        &mut self,
        stream: &StreamName,
        command: CommandId,
        cause: &Cause,
        at: Timestamp,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Vec<NewEvent>, serde_json::Error> {
        let mut linked = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            let data = serde_json::to_vec(&event)?;
            let id = command.event(index, &data);
            let mut meta = Meta {
                correlation: cause.correlation,
                causation: command.0,
                actor: cause.actor.clone(),
                at_ms: at,
                trace: cause.trace.clone(),
                prev: self.last,
                hash: Digest::ZERO,
            };
            meta.hash = meta.digest(stream.as_str(), self.next, id, event.kind(), &data);
            *self = StreamEnd {
                next: self.next + 1,
                last: meta.hash,
            };
            linked.push(NewEvent {
                id,
                kind: event.kind().into(),
                data: data.into(),
                meta: serde_json::to_vec(&meta)?.into(),
                decoded: Some(Arc::new((event, meta))),
            });
        }
        Ok(linked)
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where in the whole log.
    pub position: Position,
    /// In which stream.
    pub stream: StreamName,
    /// Which number in the stream.
    pub revision: Revision,
    /// Its id.
    pub id: EventId,
    /// Name and version.
    pub kind: Arc<str>,
    /// The event as JSON, byte for byte as written.
    pub data: Bytes,
    /// The metadata as JSON.
    pub meta: Bytes,
    /// What the bytes say, when this process wrote them.
    pub decoded: Option<Arc<(Event, Meta)>>,
}

/// What is stored cannot be understood: altered, or written by a later version of this program.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// No event of this platform has this kind.
    #[error("unknown event kind {0}")]
    UnknownKind(String),
    /// The data or metadata are not what the kind says.
    #[error("cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl Recorded {
    /// Event and metadata, decoded if need be.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes cannot be understood.
    pub fn decode(&self) -> Result<Arc<(Event, Meta)>, Unreadable> {
        if let Some(decoded) = &self.decoded {
            return Ok(decoded.clone());
        }
        Ok(Arc::new((self.event()?, self.meta()?)))
    }

    /// The event alone, decoded from its bytes.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes cannot be understood.
    pub fn event(&self) -> Result<Event, Unreadable> {
        match Event::decode(&self.kind, &self.data) {
            Some(event) => Ok(event?),
            None => Err(Unreadable::UnknownKind(self.kind.to_string())),
        }
    }

    /// The metadata alone, decoded from its bytes.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes cannot be understood.
    pub fn meta(&self) -> Result<Meta, Unreadable> {
        Ok(serde_json::from_slice(&self.meta)?)
    }

    /// The end of the stream behind this event, when its metadata can be read.
    pub fn end(&self) -> Result<StreamEnd, Unreadable> {
        let last = match &self.decoded {
            Some(decoded) => decoded.1.hash,
            None => self.meta()?.hash,
        };
        Ok(StreamEnd {
            next: self.revision + 1,
            last,
        })
    }
}
