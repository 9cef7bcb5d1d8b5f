//! What was found, bounded.

use contract::{Position, Revision, StreamName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How many violations a report names.
pub const MAX_VIOLATIONS: usize = 100;

/// A promise of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every event is of a known kind, well-formed, and in a stream where it belongs.
    Readable,
    /// Nothing is missing from the log, and it is in order.
    Complete,
    /// A stream's revisions are 0, 1, 2 …
    Gapless,
    /// Every event links to the one before it in its stream.
    Chained,
    /// Every event is, to the byte, as it was written.
    Unaltered,
    /// Streams begin with their first event and their ids are those that their events name.
    Ordered,
    /// No show ever has more tickets held and sold than it has.
    NeverOversold,
    /// No seat has two owners.
    SeatOnce,
    /// Sold + held + free = capacity at every revision, as the events say.
    Tally,
    /// Only what is held is adopted, released or sold, and only what is sold is returned.
    Hold,
    /// Nothing is sold at or behind its hold's deadline, nothing expires before it.
    Deadline,
    /// Nobody has more tickets of a show than one person may.
    Limit,
    /// Tickets cost what their show asks.
    Price,
    /// What is confirmed is sold to that reservation, and what is undone has no tickets.
    Sold,
    /// What is confirmed is paid exactly once, and what is undone not at all or refunded.
    Paid,
    /// What is confirmed is in the buyer's history, and what is undone is not.
    Recorded,
    /// A reservation has one outcome, unless it is cancelled after it was confirmed.
    Outcome,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Readable => "every event can be read",
            Rule::Complete => "nothing is missing from the log",
            Rule::Gapless => "revisions have no gaps",
            Rule::Chained => "events link to their predecessors",
            Rule::Unaltered => "events are as they were written",
            Rule::Ordered => "streams begin at their beginning",
            Rule::NeverOversold => "never oversold",
            Rule::SeatOnce => "no seat twice",
            Rule::Tally => "sold + held + free = capacity",
            Rule::Hold => "only what is held is sold",
            Rule::Deadline => "deadlines are kept",
            Rule::Limit => "limit per person",
            Rule::Price => "tickets cost their price",
            Rule::Sold => "confirmed means sold, undone means free",
            Rule::Paid => "confirmed means paid once, undone means refunded",
            Rule::Recorded => "confirmed means in the history, undone means not",
            Rule::Outcome => "one outcome",
        })
    }
}

/// A broken promise and the event that broke it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where in the log.
    pub position: Position,
    /// In which stream.
    pub stream: StreamName,
    /// Which of its events.
    pub revision: Revision,
    /// The promise.
    pub rule: Rule,
    /// What is wrong, without personal data.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            stream,
            revision,
            rule,
            detail,
        } = self;
        write!(
            f,
            "position {position}, {stream} revision {revision}: broken: {rule}: {detail}"
        )
    }
}

/// Collects violations: counts all, keeps the first by position.
#[derive(Debug, Default)]
pub(super) struct Findings {
    place: Option<(Position, StreamName, Revision)>,
    total: u64,
    first: BTreeMap<(Position, u64), Violation>,
}

impl Findings {
    /// What is added from here on is about this event.
    pub fn at(&mut self, position: Position, stream: &StreamName, revision: Revision) {
        self.place = Some((position, stream.clone(), revision));
    }

    /// The position of the event that is looked at.
    pub fn position(&self) -> Position {
        self.place.as_ref().map_or(Position(0), |place| place.0)
    }

    pub fn add(&mut self, rule: Rule, detail: String) {
        let (position, stream, revision) = self
            .place
            .clone()
            .unwrap_or_else(|| (Position(0), StreamName::new(""), 0));
        self.total += 1;
        self.first.insert(
            (position, self.total),
            Violation {
                position,
                stream,
                revision,
                rule,
                detail,
            },
        );
        if self.first.len() > MAX_VIOLATIONS {
            self.first.pop_last();
        }
    }

    pub fn finish(self) -> (u64, Vec<Violation>) {
        (self.total, self.first.into_values().collect())
    }
}
