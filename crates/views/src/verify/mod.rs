//! An independent proof that the log keeps its promises: it knows the events and nothing of the code that
//! decided them, and keeps its own account of every ticket and every payment.
//!
//! Events are judged by their stored bytes alone, one after another in the log's order, so a log of any length is
//! proved in one pass. Memory grows with streams and reservations (some 150 bytes each), not with events.

mod findings;
mod purchases;
mod seats;
#[cfg(test)]
mod tests;
mod tickets;

pub use findings::{MAX_VIOLATIONS, Rule, Violation};

use crate::project;
use contract::{
    Digest, Event, Meta, Position, Recorded, ReservationId, Revision, ShowId, StreamKind, UserId,
};
use findings::Findings;
use purchases::Purchases;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickets::Tickets;
use uuid::Uuid;

/// What whoever stores the log knows about it from elsewhere. Without these, nobody can tell that whole streams
/// were cut out, or the end cut off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expectations {
    /// The position of the first event that ever was.
    pub first: Option<Position>,
    /// The position that must follow this event's, for logs whose positions have no gaps.
    pub next: Option<fn(&Recorded) -> Position>,
    /// The position of the last event.
    pub head: Option<Position>,
    /// How many events there are.
    pub events: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Events that were looked at, foreign ones too.
    pub events: u64,
    /// Of these, events of streams that are not this platform's: counted, not judged.
    pub foreign_events: u64,
    /// This platform's streams.
    pub streams: u64,
    /// Shows.
    pub shows: u64,
    /// Reservations.
    pub reservations: u64,
    /// Of these, confirmed.
    pub confirmed: u64,
    /// Of these, still at work when the log ended. No violation.
    pub open: u64,
    /// How many violations there are.
    pub violations_total: u64,
    /// The first of them in the log's order, [`MAX_VIOLATIONS`] at the most.
    pub violations: Vec<Violation>,
}

impl Report {
    /// True when the log keeps all its promises.
    pub fn is_clean(&self) -> bool {
        self.violations_total == 0
    }
}

/// Looks at one event after another, in the log's order.
#[derive(Debug, Default)]
pub struct Verifier {
    expectations: Expectations,
    events: u64,
    foreign_events: u64,
    last: Option<Position>,
    /// The position that the next event must have.
    due: Option<Position>,
    links: BTreeMap<(StreamKind, Uuid), Link>,
    tickets: Tickets,
    purchases: Purchases,
    found: Findings,
}

/// The end of a stream. Half a digest is kept: 128 bits cannot be forged either, and there are many streams.
#[derive(Debug, Default)]
struct Link {
    next: u32,
    /// `None` behind an event whose metadata could not be read.
    last: Option<[u8; 16]>,
}

impl Verifier {
    /// A verifier that expects nothing but the log to be consistent in itself.
    pub fn new() -> Self {
        Self::expecting(Expectations::default())
    }

    /// A verifier that knows how the log must begin, go on and end.
    pub fn expecting(expectations: Expectations) -> Self {
        Self {
            due: expectations.first,
            expectations,
            ..Self::default()
        }
    }

    /// Looks at the next event of the log.
    pub fn check(&mut self, recorded: &Recorded) {
        self.events += 1;
        self.found
            .at(recorded.position, &recorded.stream, recorded.revision);
        self.check_position(recorded);
        let Some((kind, id)) = recorded.stream.parts() else {
            self.foreign_events += 1;
            return;
        };
        let meta = self.check_link(recorded, kind, id);
        let event = match recorded.event() {
            Ok(event) => event,
            Err(error) => return self.found.add(Rule::Readable, error.to_string()),
        };
        if let Err(misplaced) = project::targets(&event, &recorded.stream) {
            return self.found.add(Rule::Readable, misplaced.to_string());
        }
        // Without metadata there is no time to judge deadlines by; that is a violation already.
        if let Some(meta) = meta {
            self.account(&event, &meta, id, recorded.revision);
        }
    }

    /// Judges what only the whole log can show, and reports.
    pub fn finish(mut self) -> Report {
        if let Some(head) = self.expectations.head
            && self.last.is_none_or(|last| last < head)
        {
            let last = self
                .last
                .map_or_else(|| "nothing".to_owned(), |last| format!("position {last}"));
            self.found.add(
                Rule::Complete,
                format!("the log ends with {last}, its head is {head}"),
            );
        }
        if let Some(events) = self.expectations.events
            && events != self.events
        {
            self.found.add(
                Rule::Complete,
                format!("{} events where {events} are expected", self.events),
            );
        }
        self.purchases.finish(&self.tickets, &mut self.found);
        let (violations_total, violations) = self.found.finish();
        Report {
            events: self.events,
            foreign_events: self.foreign_events,
            streams: self.links.len() as u64,
            shows: self.tickets.shows(),
            reservations: self.purchases.reservations(),
            confirmed: self.purchases.confirmed(),
            open: self.purchases.open(),
            violations_total,
            violations,
        }
    }

    fn check_position(&mut self, recorded: &Recorded) {
        let position = recorded.position;
        if self.last.is_some_and(|last| position <= last) {
            self.found.add(
                Rule::Complete,
                format!("position {position} does not follow the one before it"),
            );
        } else if let Some(due) = self.due.filter(|due| *due != position) {
            self.found
                .add(Rule::Complete, format!("position {due} is missing"));
        }
        self.due = self.expectations.next.map(|next| next(recorded));
        self.last = Some(position);
    }

    /// Revision, chain and digest. Gives the metadata when they can be read.
    fn check_link(&mut self, recorded: &Recorded, kind: StreamKind, id: Uuid) -> Option<Meta> {
        let link = self.links.entry((kind, id)).or_insert_with(|| Link {
            next: 0,
            last: Some(half(Digest::ZERO)),
        });
        let expected = Revision::from(link.next);
        link.next = u32::try_from(recorded.revision.saturating_add(1)).unwrap_or(u32::MAX);
        let meta = match recorded.meta() {
            Ok(meta) => meta,
            Err(error) => {
                link.last = None;
                self.found.add(Rule::Readable, format!("metadata: {error}"));
                return None;
            }
        };
        let last = link.last.replace(half(meta.hash));
        if recorded.revision != expected {
            self.found.add(
                Rule::Gapless,
                format!("revision {} where {expected} is due", recorded.revision),
            );
        } else if last.is_some_and(|last| last != half(meta.prev)) {
            self.found.add(
                Rule::Chained,
                "does not link to the event before it in its stream".to_owned(),
            );
        }
        let digest = meta.digest(
            recorded.stream.as_str(),
            recorded.revision,
            recorded.id,
            &recorded.kind,
            &recorded.data,
        );
        if digest != meta.hash {
            self.found.add(
                Rule::Unaltered,
                "its content does not have the digest that it had when written".into(),
            );
        } else if serde_json::to_vec(&meta).ok().as_deref() != Some(&recorded.meta[..]) {
            // The digest covers what the metadata say; this covers how they say it, to the byte.
            self.found.add(
                Rule::Unaltered,
                "its metadata are not as they were written".to_owned(),
            );
        }
        Some(meta)
    }

    /// Enters the event into the accounts.
    fn account(&mut self, event: &Event, meta: &Meta, id: Uuid, revision: Revision) {
        let found = &mut self.found;
        match project::home(event) {
            StreamKind::Show => {
                if let Event::TicketsSold(sold) = event
                    && !self.purchases.knows(sold.reservation_id)
                {
                    found.add(
                        Rule::Sold,
                        format!("sold to {}, which is not in the log", sold.reservation_id),
                    );
                }
                self.tickets.enter(ShowId(id), event, meta.at_ms, found);
            }
            StreamKind::Reservation => {
                self.purchases
                    .enter(ReservationId(id), event, revision, &self.tickets, found);
            }
            StreamKind::Payment => self.purchases.pay(ReservationId(id), event, found),
            StreamKind::User => self.purchases.record(UserId(id), event, found),
            StreamKind::Email
            | StreamKind::Key
            | StreamKind::Account
            | StreamKind::Session
            | StreamKind::Access => {}
        }
    }
}

fn half(digest: Digest) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest.0[..16]);
    half
}
