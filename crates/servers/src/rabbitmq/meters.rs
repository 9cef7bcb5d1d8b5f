//! What is counted.

use metrics::{Counter, Gauge, counter, gauge};

/// The meters of one adapter.
pub(super) struct Meters {
    /// 1 while connected.
    pub connected: Gauge,
    /// Connections made after the first.
    pub reconnects: Counter,
    /// Asks confirmed by the broker.
    pub asks: Counter,
    /// Replies sent.
    pub replies: Counter,
    /// Events confirmed by the broker.
    pub events: Counter,
    /// Messages that had no queue to go to.
    pub returned: Counter,
    /// Messages that a full queue refused.
    pub nacked: Counter,
    /// Messages that came a second time.
    pub redelivered: Counter,
    /// Asks that were given back to the broker.
    pub given_back: Counter,
    /// Messages that could not be read and are dead letters now.
    pub unreadable: Counter,
    /// Asks that wait for their replies.
    pub unanswered: Gauge,
    /// Lanes and slots given up to other nodes.
    pub stepped_back: Counter,
}

impl Meters {
    pub fn new() -> Self {
        let published = |what| counter!("eventflow_broker_published_total", "what" => what);
        Self {
            connected: gauge!("eventflow_broker_connected"),
            reconnects: counter!("eventflow_broker_reconnects_total"),
            asks: published("asks"),
            replies: published("replies"),
            events: published("events"),
            returned: counter!("eventflow_broker_returned_total"),
            nacked: counter!("eventflow_broker_nacked_total"),
            redelivered: counter!("eventflow_broker_redelivered_total"),
            given_back: counter!("eventflow_broker_given_back_total"),
            unreadable: counter!("eventflow_broker_unreadable_total"),
            unanswered: gauge!("eventflow_broker_unanswered_asks"),
            stepped_back: counter!("eventflow_broker_stepped_back_total"),
        }
    }
}
