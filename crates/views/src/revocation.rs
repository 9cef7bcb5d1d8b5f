//! Tokens that are no longer valid before they expire: those of a session that ended, and those of a person whose
//! roles changed or who was forgotten.

use contract::{Event, Revision, Timestamp};
use serde::{Deserialize, Serialize};

/// A document of [`contract::collections::REVOCATIONS`], under the id of the session or the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Tokens that were issued before this, or at this moment, are not valid.
    pub until_ms: Timestamp,
    /// The revision of the last event that is in here. Two streams of a person (`user`, `account`) come here, so it
    /// says nothing about the order of their events; times do.
    pub revision: Revision,
}

/// The revocation after an event that is one. The later one counts, in whatever order they come.
pub fn evolve(doc: Option<Revocation>, event: &Event, revision: Revision) -> Option<Revocation> {
    let until_ms = match event {
        Event::SessionClosed(closed) => closed.at_ms,
        Event::RolesChanged(changed) => changed.at_ms,
        Event::UserForgotten(forgotten) => forgotten.at_ms,
        _ => return doc,
    };
    match doc {
        Some(known) if known.until_ms >= until_ms => Some(known),
        _ => Some(Revocation { until_ms, revision }),
    }
}
