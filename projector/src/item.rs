//! An event as it is projected: read once, by whoever has the time.

use contract::{Event, Meta, Recorded, Timestamp, Unreadable};
use std::sync::Arc;

/// An event of the log and what its bytes say.
#[derive(Debug)]
pub(crate) struct Item {
    pub recorded: Arc<Recorded>,
    pub content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Of a stream that is not this platform's.
    Foreign,
    /// This process wrote it and still knows it.
    Known(Arc<(Event, Meta)>),
    /// Decoded from its bytes.
    Decoded(Event),
    /// The reason, without any of the content.
    Unreadable(String),
}

impl Item {
    /// Decodes if need be.
    pub fn read(recorded: Arc<Recorded>) -> Self {
        let content = if recorded.stream.parts().is_none() {
            Content::Foreign
        } else if let Some(known) = &recorded.decoded {
            Content::Known(known.clone())
        } else {
            match recorded.event() {
                Ok(event) => Content::Decoded(event),
                Err(error) => Content::Unreadable(reason(&error)),
            }
        };
        Self { recorded, content }
    }

    pub fn read_all(events: Vec<Arc<Recorded>>) -> Vec<Self> {
        events.into_iter().map(Self::read).collect()
    }
}

/// When an event was decided, if its metadata can be read.
pub(crate) fn decided_at(recorded: &Recorded) -> Option<Timestamp> {
    match &recorded.decoded {
        Some(known) => Some(known.1.at_ms),
        None => recorded.meta().ok().map(|meta| meta.at_ms),
    }
}

/// What a JSON error says may quote the text it stumbled over; this tells only where and of what sort.
fn reason(error: &Unreadable) -> String {
    match error {
        Unreadable::UnknownKind(kind) => format!("unknown event kind {kind}"),
        Unreadable::Malformed(error) => json_reason(error),
    }
}

pub(crate) fn json_reason(error: &serde_json::Error) -> String {
    format!(
        "malformed: {:?} error at line {}, column {}",
        error.classify(),
        error.line(),
        error.column()
    )
}
