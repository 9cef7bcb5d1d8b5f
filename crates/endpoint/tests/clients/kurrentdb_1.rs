//! The `kurrentdb` crate, version 1.

#[path = "stories/mod.rs"]
mod stories;

use kurrentdb as driver;
use kurrentdb::{AppendToStreamOptions, StreamState, SubscriptionEvent};

pub fn client(url: &str) -> driver::Client {
    driver::Client::new(url.parse().unwrap()).unwrap()
}

pub const NO_STREAM: StreamState = StreamState::NoStream;
pub const ANY: StreamState = StreamState::Any;
pub const EXISTS: StreamState = StreamState::StreamExists;
pub fn exactly(revision: u64) -> StreamState {
    StreamState::StreamRevision(revision)
}

pub fn expecting(expected: StreamState) -> AppendToStreamOptions {
    AppendToStreamOptions::default().stream_state(expected)
}

/// Whether this says that the subscription has caught up, and with which position.
pub fn caught_up(event: &SubscriptionEvent) -> Option<Option<u64>> {
    match event {
        SubscriptionEvent::CaughtUp(reached) => {
            let reached = reached.as_ref().expect("a time");
            Some(reached.position.map(|position| position.commit))
        }
        _ => None,
    }
}

/// The name of the event's stream.
pub fn stream_of(event: &driver::RecordedEvent) -> String {
    event.stream_id().to_string()
}
