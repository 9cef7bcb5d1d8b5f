//! What can be set.

use super::driver;
use lapin::uri::AMQPScheme;
use ports::Subscription;

/// How the broker is reached and used. What is marked *the same everywhere* must be equal on all nodes of a
/// namespace.
#[derive(Clone)]
pub struct RabbitOptions {
    /// `amqp://user:password@host:5672/%2f`; `?heartbeat=` in seconds, 10 when not given.
    pub url: String,
    /// What all names at the broker begin with. The same everywhere.
    pub namespace: String,
    /// The name of this process, for connections and queues.
    pub node: String,
    /// Lanes of each kind. The same everywhere: a key that changes its lane can meet two writers, which the
    /// expected revision then tells apart, at the price of conflicts.
    pub lanes: usize,
    /// Slots into which the streams of shared subscriptions are divided: at most so many processes share the work
    /// of one. The same everywhere.
    pub slots: usize,
    /// The shared subscriptions whose queues stand from the beginning, so that nothing published is lost before
    /// their first reader comes.
    pub shared: &'static [Subscription],
    /// Asks of this process that may be unanswered; past it, askers are told `Busy`.
    pub max_in_flight: usize,
    /// Messages that may wait in one lane's queue; past it, askers are told `Busy`. Fixed when the queue is made.
    pub mailbox: u32,
    /// Messages that may wait in one slot of a shared subscription; past it, `publish` says `Busy`. Fixed when the
    /// queue is made.
    pub backlog: u32,
    /// Messages that may wait for one subscriber that shares with nobody. One that takes nothing for half a minute
    /// is dropped long before.
    pub unheard: u32,
    /// Asks that one lane may have taken and not answered. Whoever waits in line for tickets is one of them: much
    /// below the length of a line, the asks that would move it are not delivered.
    pub prefetch_asks: u16,
    /// Messages of events that one slot may have taken and not dealt with.
    pub prefetch_events: u16,
    /// Events in one message, at the most.
    pub events_per_message: usize,
    /// Batches that may wait in one subscription of this process.
    pub subscription: usize,
    /// Deliveries after which a message is a dead letter. Fixed when the queue is made.
    pub delivery_limit: u32,
    /// The pause between two lanes (or slots) that a node takes, in milliseconds: nodes that start together take
    /// them in different orders and so share them.
    pub take_every_ms: u64,
    /// How often a node looks whether it serves more than its share, in milliseconds.
    pub share_every_ms: u64,
}

impl RabbitOptions {
    /// The usual ones.
    pub fn new(url: impl Into<String>, node: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "eventflow".into(),
            node: node.into(),
            lanes: 4,
            slots: 4,
            shared: &[],
            max_in_flight: 16_384,
            mailbox: 10_000,
            backlog: 1_000_000,
            unheard: 100_000,
            prefetch_asks: 16_384,
            prefetch_events: 2_048,
            events_per_message: 64,
            subscription: 64,
            delivery_limit: 20,
            take_every_ms: 20,
            share_every_ms: 5_000,
        }
    }

    /// What is wrong with these, for whoever starts the program; the adapter itself would try for ever.
    ///
    /// # Errors
    /// The reason, without what is secret.
    pub fn check(&self) -> Result<(), String> {
        let uri = driver::parse(&self.url).map_err(|trouble| trouble.to_string())?;
        if uri.scheme == AMQPScheme::AMQPS {
            return Err("amqps:// is not built in; let the network between the servers be private".into());
        }
        for (what, text) in [("namespace", &self.namespace), ("node", &self.node)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if text.is_empty() || text.len() > 100 || !text.chars().all(plain) {
                return Err(format!(
                    "the {what} must be 1 to 100 letters, digits, dots and dashes"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_said_without_the_password() {
        let checked = |url: &str, node: &str| RabbitOptions::new(url, node).check();
        assert_eq!(checked("amqp://a:b@localhost:5672/%2f", "web-1.x"), Ok(()));
        assert!(checked("amqp://a:b@localhost", "").is_err());
        for url in [
            "amqps://a:secret@localhost",
            "redis://a:secret@localhost",
            "amqp://a:secret@localhost:99999",
        ] {
            assert!(
                checked(url, "x").is_err_and(|why| !why.contains("secret")),
                "{url}"
            );
        }
    }
}
