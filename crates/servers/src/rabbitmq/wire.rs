//! What travels: asks, replies and events as JSON. An event's data and metadata are in it byte for byte, because
//! the hash chain is over those bytes.

use super::names;
use bytes::Bytes;
use contract::{Ask, EventId, Position, Recorded, Reply, StreamKind, StreamName};
use ports::embedded::lane_of;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

/// The `type` of a message that carries an ask.
pub(super) const ASK: &str = "ask";
/// … events, one or more …
pub(super) const EVENTS: &str = "events";
/// … a reply.
pub(super) const REPLY: &str = "reply";

/// How many bytes of events go into one message, unless one alone is larger.
const MESSAGE_BYTES: usize = 256 * 1024;

pub(super) fn ask_to_bytes(ask: &Ask) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(ask).map(Bytes::from)
}

pub(super) fn ask_from_bytes(body: &[u8]) -> Result<Ask, serde_json::Error> {
    serde_json::from_slice(body)
}

pub(super) fn reply_to_bytes(reply: &Reply) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(reply)
}

pub(super) fn reply_from_bytes(body: &[u8]) -> Result<Reply, serde_json::Error> {
    serde_json::from_slice(body)
}

/// One event. Of `data` and `data_bytes` there is one, and of `meta` and `meta_bytes`.
#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    position: u64,
    stream: &'a str,
    revision: u64,
    id: Uuid,
    kind: &'a str,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_bytes: Option<Vec<u8>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meta_bytes: Option<Vec<u8>>,
}

/// Bytes as they are when they are JSON, which ours always are; else as a list of numbers.
fn raw(bytes: &[u8]) -> (Option<&RawValue>, Option<Vec<u8>>) {
    match serde_json::from_slice::<&RawValue>(bytes) {
        // Space around a value is not part of it and would be lost, and null would be nothing.
        Ok(json) if json.get().len() == bytes.len() && json.get() != "null" => (Some(json), None),
        _ => (None, Some(bytes.to_vec())),
    }
}

/// The bytes again; they share the message's memory where they can.
fn unraw(message: &Bytes, json: Option<&RawValue>, bytes: Option<Vec<u8>>) -> Bytes {
    match json {
        Some(json) => message.slice_ref(json.get().as_bytes()),
        None => bytes.unwrap_or_default().into(),
    }
}

/// Events of one kind of stream and one slot, in one message.
#[derive(Debug)]
pub(super) struct Batch {
    /// The routing keys, one per kind of event that is in it; never none.
    pub keys: Vec<String>,
    /// The id of the first.
    pub id: Uuid,
    /// The JSON array.
    pub body: Vec<u8>,
    /// How many.
    pub events: usize,
    place: (StreamKind, usize),
}

impl Batch {
    fn new(place: (StreamKind, usize), id: Uuid) -> Self {
        Self {
            keys: Vec::with_capacity(1),
            id,
            body: vec![b'['],
            events: 0,
            place,
        }
    }

    fn push(&mut self, event: &Recorded) -> Result<(), serde_json::Error> {
        if self.events > 0 {
            self.body.push(b',');
        }
        let (data, data_bytes) = raw(&event.data);
        let (meta, meta_bytes) = raw(&event.meta);
        let envelope = Envelope {
            position: event.position.0,
            stream: event.stream.as_str(),
            revision: event.revision,
            id: event.id.0,
            kind: &event.kind,
            data,
            data_bytes,
            meta,
            meta_bytes,
        };
        serde_json::to_writer(&mut self.body, &envelope)?;
        let key = names::event_key(self.place.0, self.place.1, &event.kind);
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
        self.events += 1;
        Ok(())
    }

    fn is_full(&self, most: usize) -> bool {
        self.events >= most || self.body.len() >= MESSAGE_BYTES
    }

    fn end(mut self) -> Self {
        self.body.push(b']');
        self
    }
}

/// Events as messages: a stream's are in one slot, so in their order. Those of streams that are not this
/// platform's nobody can want; they are left out.
pub(super) fn batches(
    events: &[Arc<Recorded>],
    slots: usize,
    most: usize,
) -> Result<Vec<Batch>, serde_json::Error> {
    let mut open: Vec<Batch> = Vec::new();
    let mut full = Vec::new();
    for event in events {
        let Some((kind, id)) = event.stream.parts() else {
            continue;
        };
        let place = (kind, lane_of(id, slots));
        let index = match open.iter().position(|batch| batch.place == place) {
            Some(index) => index,
            None => {
                open.push(Batch::new(place, event.id.0));
                open.len() - 1
            }
        };
        if let Some(batch) = open.get_mut(index) {
            batch.push(event)?;
            if batch.is_full(most) {
                full.push(open.swap_remove(index).end());
            }
        }
    }
    full.extend(open.into_iter().map(Batch::end));
    Ok(full)
}

/// The events of a message.
pub(super) fn events_from_bytes(message: Bytes) -> Result<Vec<Recorded>, serde_json::Error> {
    let envelopes: Vec<Envelope<'_>> = serde_json::from_slice(&message)?;
    let recorded = |envelope: Envelope<'_>| Recorded {
        position: Position(envelope.position),
        stream: StreamName::new(envelope.stream),
        revision: envelope.revision,
        id: EventId(envelope.id),
        kind: envelope.kind.into(),
        data: unraw(&message, envelope.data, envelope.data_bytes),
        meta: unraw(&message, envelope.meta, envelope.meta_bytes),
        decoded: None,
    };
    Ok(envelopes.into_iter().map(recorded).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event(stream: StreamName, revision: u64, kind: &str, data: &'static str) -> Arc<Recorded> {
        Arc::new(Recorded {
            position: Position(revision + 7),
            stream,
            revision,
            id: EventId(Uuid::from_u128(u128::from(revision) + 1)),
            kind: kind.into(),
            data: Bytes::from_static(data.as_bytes()),
            meta: Bytes::from_static(br#"{"a": "\u00e9"}"#),
            decoded: None,
        })
    }

    #[test]
    fn events_come_out_byte_for_byte() {
        let show = StreamName::of(StreamKind::Show, Uuid::from_u128(5));
        for data in [
            r#"{ "b" :1.50, "a":[ ] }"#,
            "null",
            " {} ",
            "not JSON",
            "",
            "[1,2]",
        ] {
            let event = event(show.clone(), 3, "odd.v1", data);
            let batch = batches(std::slice::from_ref(&event), 4, 8)
                .unwrap()
                .pop()
                .unwrap();
            let found = events_from_bytes(batch.body.into()).unwrap().pop().unwrap();
            assert_eq!(found.data, event.data);
            assert_eq!(found.meta, event.meta);
            assert_eq!(found.position, event.position);
            assert_eq!(found.stream, event.stream);
            assert_eq!(
                (found.revision, found.id, found.kind),
                (event.revision, event.id, event.kind.clone())
            );
        }
    }

    #[test]
    fn a_message_has_the_keys_of_all_that_is_in_it_and_the_order_of_each_stream() {
        let streams: Vec<_> = (0..8)
            .map(|id| StreamName::of(StreamKind::Show, Uuid::from_u128(id)))
            .collect();
        let events: Vec<_> = (0..200)
            .map(|n| {
                event(
                    streams[n % 8].clone(),
                    n as u64,
                    if n % 3 == 0 { "a.v1" } else { "b.v1" },
                    "{}",
                )
            })
            .collect();
        let messages = batches(&events, 3, 16).unwrap();
        let found: Vec<_> = messages
            .into_iter()
            .inspect(|message| assert!(message.events <= 16 && message.keys.len() <= 2))
            .flat_map(|message| events_from_bytes(message.body.into()).unwrap())
            .collect();
        assert_eq!(found.len(), 200);
        for stream in streams {
            let revisions: Vec<_> = found
                .iter()
                .filter(|e| e.stream == stream)
                .map(|e| e.revision)
                .collect();
            assert!(revisions.is_sorted());
        }
    }

    #[test]
    fn streams_of_others_are_left_out() {
        let foreign = event(StreamName::new("somebody-elses"), 0, "a.v1", "{}");
        assert!(batches(&[foreign], 3, 16).unwrap().is_empty());
    }
}
