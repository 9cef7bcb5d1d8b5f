//! What happened to a show since a version that a caller has seen. It comes from the log: documents only say how
//! things are. So it can be told by any node, also by one that was not there.

use super::standing::Standing;
use contract::{Revision, StreamName};
use ports::EventLog;
use std::collections::BTreeSet;
use views::seat_changes::{self, Place};

/// What the caller has missed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// These places may be otherwise.
    Places(Vec<Place>),
    /// Nothing: the caller has seen more than the read models have here.
    Ahead,
    /// It cannot be told as changes.
    Everything,
}

/// What happened between the version `seen` and how the show stands now, if it was not more than `max_events`.
pub(super) async fn since(
    log: &dyn EventLog,
    standing: &Standing,
    seen: Revision,
    max_events: usize,
) -> Missed {
    let version = standing.version();
    if seen == version {
        return Missed::Places(Vec::new());
    }
    let stream = StreamName::show(standing.show.show_id);
    let ahead = seen > version;
    // Revisions have no gaps, so this is how many events are between.
    let count = usize::try_from(version.saturating_sub(seen)).unwrap_or(usize::MAX);
    if count > max_events {
        return Missed::Everything;
    }
    // From the event that was seen on: it must be there. It is not when the log was restored to an earlier state, or
    // when this caller invents versions.
    let events = match log.read(&stream, seen, count.saturating_add(1)).await {
        Ok(events) => events,
        Err(error) => return untold(&error),
    };
    if events.first().is_none_or(|first| first.revision != seen) {
        return Missed::Everything;
    }
    if ahead {
        return Missed::Ahead;
    }
    if events.last().is_none_or(|last| last.revision < version) {
        return Missed::Everything;
    }
    let mut places = BTreeSet::new();
    for recorded in events.iter().skip(1) {
        let event = match recorded.event() {
            Ok(event) => event,
            Err(error) => return untold(&error),
        };
        let names = seat_changes::touched(&event).iter();
        // How they are now says the map; what they were in between nobody needs.
        places.extend(
            standing
                .map
                .iter()
                .flat_map(|map| names.clone().filter_map(|name| seat_changes::place(map, name))),
        );
    }
    Missed::Places(places.into_iter().collect())
}

fn untold(error: &dyn std::fmt::Display) -> Missed {
    tracing::debug!(%error, "what a follower missed cannot be read; they are told everything");
    Missed::Everything
}
