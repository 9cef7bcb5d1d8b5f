//! The `eventstore` crate, version 4.

#[path = "stories/mod.rs"]
mod stories;

use eventstore as driver;
use eventstore::{AppendToStreamOptions, ExpectedRevision, SubscriptionEvent};

pub fn client(url: &str) -> driver::Client {
    driver::Client::new(url.parse().unwrap()).unwrap()
}

pub const NO_STREAM: ExpectedRevision = ExpectedRevision::NoStream;
pub const ANY: ExpectedRevision = ExpectedRevision::Any;
pub const EXISTS: ExpectedRevision = ExpectedRevision::StreamExists;
pub fn exactly(revision: u64) -> ExpectedRevision {
    ExpectedRevision::Exact(revision)
}

pub fn expecting(expected: ExpectedRevision) -> AppendToStreamOptions {
    AppendToStreamOptions::default().expected_revision(expected)
}

/// Whether this says that the subscription has caught up; where, this client does not tell.
pub fn caught_up(event: &SubscriptionEvent) -> Option<Option<u64>> {
    matches!(event, SubscriptionEvent::CaughtUp).then_some(None)
}

/// The name of the event's stream.
pub fn stream_of(event: &driver::RecordedEvent) -> String {
    event.stream_id.clone()
}
