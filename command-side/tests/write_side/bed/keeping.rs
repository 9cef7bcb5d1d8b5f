//! A broker that says of itself that it keeps asks, and counts the reservations that it is asked to make.

use async_trait::async_trait;
use contract::{
    Ask, Command, Recorded, Reply, StreamKind,
    commands::{ReservationAction, ReservationCommand},
};
use ports::{Broker, BrokerError, Events, Lanes, Subscription};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::oneshot;

pub struct Keeping {
    broker: Arc<dyn Broker>,
    requests: AtomicUsize,
}

impl Keeping {
    pub fn of(broker: Arc<dyn Broker>) -> Self {
        Self {
            broker,
            requests: AtomicUsize::new(0),
        }
    }

    /// How many reservations lanes were asked to make.
    pub fn requests(&self) -> usize {
        self.requests.load(Relaxed)
    }

    fn count(&self, ask: &Ask) {
        if let Command::Reservation(ReservationCommand {
            action: ReservationAction::Request { .. },
            ..
        }) = ask.command
        {
            self.requests.fetch_add(1, Relaxed);
        }
    }
}

#[async_trait]
impl Broker for Keeping {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        self.count(&ask);
        self.broker.ask(ask).await
    }

    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        self.count(&ask);
        self.broker.submit(ask).await
    }

    fn keeps_asks(&self) -> bool {
        true
    }

    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError> {
        self.broker.serve(kind).await
    }

    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        self.broker.publish(events).await
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError> {
        self.broker.subscribe(subscription).await
    }
}
