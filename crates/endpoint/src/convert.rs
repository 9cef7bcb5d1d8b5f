//! Between the messages of the wire and the values of the log.

use crate::wire;
use bytes::Bytes;
use contract::{EventId, NewEvent, StreamName, Timestamp};
use ports::{LogError, embedded::Dated};
use tonic::Status;

/// How long the name of a stream or the type of an event may be, in bytes.
const MAX_NAME: usize = 1_024;
const JSON: &str = "application/json";
const BINARY: &str = "application/octet-stream";

/// The form of the ids in the responses of one call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdForm {
    Text,
    Structured,
}

pub(crate) fn invalid(what: impl Into<String>) -> Status {
    Status::invalid_argument(what)
}

/// The name of a stream that a client wants to read or write.
pub(crate) fn stream_name(stream: Option<&wire::StreamIdentifier>) -> Result<StreamName, Status> {
    let name = stream.map(|stream| stream.name.as_slice()).unwrap_or_default();
    match std::str::from_utf8(name) {
        Ok("") => Err(invalid("a stream needs a name")),
        Ok(name) if name.len() <= MAX_NAME => Ok(StreamName::new(name)),
        Ok(_) => Err(invalid(format!(
            "the stream's name is longer than {MAX_NAME} bytes"
        ))),
        Err(_) => Err(invalid("the stream's name is not UTF-8")),
    }
}

/// The name of a stream that a client wants to write.
pub(crate) fn writable_stream(stream: Option<&wire::StreamIdentifier>) -> Result<StreamName, Status> {
    let name = stream_name(stream)?;
    if name.as_str().starts_with('$') {
        // EventStoreDB keeps its own business there, the retention of streams above all. Taking it and not obeying
        // it would be worse than refusing it.
        return Err(invalid("streams whose names begin with $ cannot be written"));
    }
    Ok(name)
}

/// An event that a client wants to append.
pub(crate) fn new_event(message: wire::ProposedMessage) -> Result<NewEvent, Status> {
    let id = message.id.as_ref().and_then(wire::Uuid::read);
    let id = id.ok_or_else(|| invalid("an event needs an id"))?;
    let kind = message.metadata.iter().find(|entry| entry.key == "type");
    let kind = kind.map(|entry| entry.value.as_str()).unwrap_or_default();
    if kind.is_empty() || kind.len() > MAX_NAME {
        return Err(invalid(format!("an event needs a type of 1 to {MAX_NAME} bytes")));
    }
    Ok(NewEvent {
        id: EventId(id),
        kind: kind.into(),
        data: text(message.data, "data")?,
        meta: text(message.custom_metadata, "metadata")?,
        decoded: None,
    })
}

/// The log keeps text, so that any SQLite tool shows it.
fn text(bytes: Vec<u8>, what: &str) -> Result<Bytes, Status> {
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(Bytes::from(text)),
        _ => Err(invalid(format!(
            "the {what} of an event must be UTF-8 without NUL, best JSON: this log keeps text"
        ))),
    }
}

/// An event as clients read it.
pub(crate) fn read_event(dated: &Dated, ids: IdForm) -> wire::ReadResp {
    let event = &dated.event;
    let entry = |key: &str, value: String| wire::Entry {
        key: key.into(),
        value,
    };
    let recorded = wire::RecordedEvent {
        id: Some(match ids {
            IdForm::Text => wire::Uuid::text(event.id.0),
            IdForm::Structured => wire::Uuid::structured(event.id.0),
        }),
        stream: Some(wire::StreamIdentifier {
            name: event.stream.as_str().into(),
        }),
        revision: event.revision,
        prepare: event.position.0,
        commit: event.position.0,
        metadata: vec![
            entry("type", event.kind.as_ref().into()),
            entry("content-type", content_type(&event.data).into()),
            entry("created", ticks(dated.created).to_string()),
        ],
        custom_metadata: event.meta.clone(),
        data: event.data.clone(),
    };
    response(wire::ReadContent::Event(wire::ReadEvent {
        event: Some(recorded),
        position: Some(wire::EventPosition::Commit(event.position.0)),
    }))
}

/// The log does not keep what a client called its data. Objects, arrays, strings, numbers, `true`, `false` and `null`
/// are told by their first byte.
fn content_type(data: &[u8]) -> &'static str {
    match data.first() {
        Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9') => JSON,
        _ if matches!(data, b"true" | b"false" | b"null") => JSON,
        _ => BINARY,
    }
}

/// 100 ns since 1970.
fn ticks(time: Timestamp) -> i64 {
    time.0.saturating_mul(10_000)
}

pub(crate) fn response(content: wire::ReadContent) -> wire::ReadResp {
    wire::ReadResp {
        content: Some(content),
    }
}

/// What a client is told when the log cannot be read. Why, is for our own log.
pub(crate) fn unreadable(error: &LogError) -> Status {
    tracing::error!(%error, "a client could not be served");
    match error {
        LogError::Unavailable(_) => Status::unavailable("the log is not available"),
        LogError::Damaged(_) => Status::data_loss("the log is damaged"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    fn proposed() -> wire::ProposedMessage {
        wire::ProposedMessage {
            id: Some(wire::Uuid::text(Uuid::from_u128(7))),
            metadata: vec![wire::Entry {
                key: "type".into(),
                value: "told.v1".into(),
            }],
            custom_metadata: Vec::new(),
            data: b"{}".to_vec(),
        }
    }

    #[test]
    fn an_id_is_the_same_in_both_forms() {
        let id = Uuid::from_u128(0xfedc_ba98_7654_3210_0123_4567_89ab_cdef);
        assert_eq!(wire::Uuid::text(id).read(), Some(id));
        assert_eq!(wire::Uuid::structured(id).read(), Some(id));
        let mut message = proposed();
        message.id = Some(wire::Uuid::structured(id));
        assert_eq!(new_event(message).unwrap().id.0, id);
    }

    #[test]
    fn an_event_without_id_or_type_or_of_other_than_text_is_refused() {
        assert!(new_event(proposed()).is_ok());
        let spoil: [fn(&mut wire::ProposedMessage); 6] = [
            |message| message.id = None,
            |message| message.id = Some(wire::Uuid { form: None }),
            |message| message.metadata.clear(),
            |message| message.metadata[0].value = "x".repeat(MAX_NAME + 1),
            |message| message.data = vec![0xff],
            |message| message.custom_metadata = vec![b'a', 0],
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let mut message = proposed();
            spoil(&mut message);
            assert!(new_event(message).is_err(), "{number}");
        }
    }

    #[test]
    fn the_content_type_is_told_from_the_data() {
        for json in [r#"{"a":1}"#, "[]", r#""a""#, "-1", "7", "true", "null"] {
            assert_eq!(content_type(json.as_bytes()), JSON, "{json}");
        }
        for other in ["", "hello", "trueish", "<a/>"] {
            assert_eq!(content_type(other.as_bytes()), BINARY, "{other}");
        }
    }

    #[test]
    fn a_stream_of_the_server_can_be_read_and_not_written() {
        let identifier = |name: &[u8]| wire::StreamIdentifier { name: name.into() };
        assert!(stream_name(Some(&identifier(b"$$s"))).is_ok());
        assert!(writable_stream(Some(&identifier(b"$$s"))).is_err());
        for bad in [b"".as_slice(), b"\xff", &[b'a'; MAX_NAME + 1]] {
            assert!(stream_name(Some(&identifier(bad))).is_err());
        }
        assert!(stream_name(None).is_err());
    }
}
