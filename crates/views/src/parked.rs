//! A stream that could not be projected any further: visible to operators, and retried at the next start.

use contract::{Position, Revision, StreamName, Timestamp};
use serde::{Deserialize, Serialize};

/// A document of [`contract::collections::PARKED`], under the stream's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The stream.
    pub stream: StreamName,
    /// The first of its events that is in no document.
    pub revision: Revision,
    /// That event's position.
    pub position: Position,
    /// What is wrong with it, without any of its content.
    pub error: String,
    /// When it was parked.
    pub at_ms: Timestamp,
}
