//! The latest events, in memory.

use super::Dated;
use contract::{Position, Recorded};
use std::collections::VecDeque;

/// What an event takes in memory beside its data and metadata, about.
const EVENT_OVERHEAD: usize = 256;

/// The end of the log without a gap: all events behind `floor`.
pub(super) struct Recent {
    events: VecDeque<Dated>,
    bytes: usize,
    floor: Option<Position>,
    max_events: usize,
    max_bytes: usize,
}

impl Recent {
    pub(super) fn new(head: Option<Position>, max_events: usize, max_bytes: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            floor: head,
            max_events,
            max_bytes,
        }
    }

    /// Adds what was committed, and lets go of the oldest past the limits.
    pub(super) fn extend(&mut self, events: impl IntoIterator<Item = Dated>) {
        for dated in events {
            self.bytes += weight(&dated.event);
            self.events.push_back(dated);
        }
        while (self.events.len() > self.max_events || self.bytes > self.max_bytes)
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= weight(&oldest.event);
            self.floor = Some(oldest.event.position);
        }
    }

    /// The events behind `after`, `max` at the most; `None` when some of them are no longer here.
    pub(super) fn behind(&self, after: Option<Position>, max: usize) -> Option<Vec<Dated>> {
        if after < self.floor {
            return None;
        }
        let start = self
            .events
            .partition_point(|dated| Some(dated.event.position) <= after);
        Some(self.events.range(start..).take(max).cloned().collect())
    }
}

/// Roughly what an event takes in memory; its decoded form is about as large as its data.
fn weight(event: &Recorded) -> usize {
    let decoded = if event.decoded.is_some() {
        event.data.len()
    } else {
        0
    };
    event.data.len() + event.meta.len() + decoded + EVENT_OVERHEAD
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::{EventId, StreamName, Timestamp};
    use std::sync::Arc;
    use uuid::Uuid;

    fn event(position: u64) -> Dated {
        let event = Arc::new(Recorded {
            position: Position(position),
            stream: StreamName::new("s"),
            revision: 0,
            id: EventId(Uuid::nil()),
            kind: "k".into(),
            data: vec![b'1'; 100].into(),
            meta: vec![b'1'; 100].into(),
            decoded: None,
        });
        Dated {
            event,
            created: Timestamp(0),
        }
    }
    fn positions(events: Vec<Dated>) -> Vec<u64> {
        events.iter().map(|dated| dated.event.position.0).collect()
    }

    #[test]
    fn what_was_let_go_is_never_passed_over() {
        let mut recent = Recent::new(Some(Position(10)), 2, usize::MAX);
        assert!(recent.behind(None, 9).is_none());
        assert!(recent.behind(Some(Position(9)), 9).is_none());
        assert_eq!(positions(recent.behind(Some(Position(10)), 9).unwrap()), [0; 0]);
        recent.extend([event(20), event(30), event(40)]);
        assert!(recent.behind(Some(Position(10)), 9).is_none());
        assert_eq!(positions(recent.behind(Some(Position(20)), 9).unwrap()), [30, 40]);
        assert_eq!(positions(recent.behind(Some(Position(25)), 1).unwrap()), [30]);
    }

    #[test]
    fn memory_is_bounded_in_bytes_too() {
        let mut recent = Recent::new(None, 1_000, 1_000);
        recent.extend([event(20), event(30), event(40)]);
        assert_eq!(positions(recent.behind(Some(Position(20)), 9).unwrap()), [30, 40]);
        assert!(recent.behind(None, 9).is_none());
    }
}
