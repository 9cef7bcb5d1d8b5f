//! What everything is called at the broker. All names begin with the namespace, so that several installations can
//! share one broker, and read well in its management UI.

use contract::StreamKind;
use lapin::types::ShortString;
use ports::Interest;

/// The names of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Names {
    namespace: String,
}

impl Names {
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.into(),
        }
    }

    /// Direct: an ask to its lane's queue.
    pub fn asks(&self) -> String {
        format!("{}.asks", self.namespace)
    }

    /// Topic: events to whoever bound a queue.
    pub fn events(&self) -> String {
        format!("{}.events", self.namespace)
    }

    /// Fanout: what nobody could deal with.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.namespace)
    }

    /// Where it waits for an operator.
    pub fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.namespace)
    }

    /// The queue of a lane.
    pub fn lane(&self, kind: StreamKind, lane: usize) -> String {
        format!("{}.lane.{}", self.namespace, lane_key(kind, lane))
    }

    /// The queue of one slot of a shared subscription.
    pub fn slot(&self, subscription: &str, slot: usize) -> String {
        format!("{}.{subscription}.{slot}", self.namespace)
    }

    /// The queue of one subscriber that shares with nobody.
    pub fn own(&self, subscription: &str, node: &str, random: &str) -> String {
        format!("{}.{subscription}.{node}.{random}", self.namespace)
    }

    /// The queue by whose consumers those are counted who share in something. It carries nothing.
    pub fn members(&self, group: &str) -> String {
        format!("{}.members.{group}", self.namespace)
    }

    /// The queue that only a leader holds.
    pub fn leader(&self, name: &str) -> String {
        format!("{}.leader.{name}", self.namespace)
    }
}

/// The routing key of a lane.
pub(super) fn lane_key(kind: StreamKind, lane: usize) -> String {
    format!("{}.{lane}", kind.prefix())
}

/// The routing key of an event: `reservation.3.reservation_requested.v1`.
pub(super) fn event_key(kind: StreamKind, slot: usize, event: &str) -> String {
    format!("{}.{slot}.{event}", kind.prefix())
}

/// The binding keys of what is wanted, of one slot or of all.
pub(super) fn bindings(interests: &[Interest], slot: Option<usize>) -> Vec<String> {
    let slot = slot.map_or_else(|| "*".into(), |slot| slot.to_string());
    let mut keys = Vec::new();
    for interest in interests {
        let kind = interest.kind.prefix();
        match interest.events {
            [] => keys.push(format!("{kind}.{slot}.#")),
            events => keys.extend(events.iter().map(|event| format!("{kind}.{slot}.{event}"))),
        }
    }
    keys
}

/// A name as AMQP takes it: 255 bytes at the most. Longer ones can only be foreign (an event's kind in a log that
/// others write too); cut, they reach whoever wants all of a kind.
pub(super) fn short(text: impl Into<String>) -> ShortString {
    let mut text = text.into();
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    ShortString::try_new(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        let names = Names::new("eventflow");
        assert_eq!(names.lane(StreamKind::Show, 0), "eventflow.lane.show.0");
        assert_eq!(names.slot("orchestrator", 2), "eventflow.orchestrator.2");
        assert_eq!(
            names.own("outcomes", "web-1", "5f"),
            "eventflow.outcomes.web-1.5f"
        );
    }

    #[test]
    fn bindings_match_the_keys_of_what_is_wanted() {
        let all = [Interest::all(StreamKind::Show)];
        let named = [Interest {
            kind: StreamKind::Show,
            events: &["show_cancelled.v1"],
        }];
        assert_eq!(
            event_key(StreamKind::Show, 3, "show_cancelled.v1"),
            "show.3.show_cancelled.v1"
        );
        assert_eq!(bindings(&all, None), ["show.*.#"]);
        assert_eq!(bindings(&all, Some(3)), ["show.3.#"]);
        assert_eq!(bindings(&named, None), ["show.*.show_cancelled.v1"]);
        assert_eq!(bindings(&named, Some(3)), ["show.3.show_cancelled.v1"]);
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_between_characters() {
        assert_eq!(short("ñ".repeat(200)).as_str(), "ñ".repeat(127));
    }
}
