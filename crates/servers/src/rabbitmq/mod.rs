//! RabbitMQ as the broker. `docs/rabbitmq.md` has the table of all that is declared.
//!
//! - An ask is a persistent message in the quorum queue of its lane; it leaves the queue when it was answered. What
//!   the broker has confirmed survives every process, the broker included.
//! - Events are persistent messages of a topic exchange; who hears them has a queue.
//! - A lost connection is given up whole: another is made, everything is declared again, unanswered asks are sent
//!   again, lanes are served on. While there is none, calls fail at once.
//!
//! | file | does |
//! |---|---|
//! | `driver` | all that the driver needs from us |
//! | `session` | makes, watches and replaces the connection |
//! | `topology`, `names` | what is declared, and its names |
//! | `desk`, `asks` | asks that wait for replies; sending them |
//! | `lanes`, `replies` | serving asks; sending replies |
//! | `events`, `subscriptions` | publishing events; hearing them |
//! | `acks`, `shares` | acknowledging many at once; sharing queues among nodes |
//! | `leader` | one of many |
//! | `dead_letters` | for operators |
//!
//! Deliberately absent: the driver's own recovery, transactions, priorities, and message time-outs (an ask has its
//! deadline in it, and is refused by its lane).

mod acks;
mod asks;
pub mod dead_letters;
mod desk;
mod driver;
mod events;
mod lanes;
mod leader;
mod meters;
mod names;
mod options;
mod replies;
mod session;
mod shares;
mod subscriptions;
mod topology;
mod wire;

pub use leader::Term;
pub use options::RabbitOptions;

use async_trait::async_trait;
use contract::{Ask, Recorded, Reply, StreamKind};
use desk::{Asker, Desk, Place};
use driver::Trouble;
use lanes::Service;
use meters::Meters;
use names::Names;
use ports::{Audience, Broker, BrokerError, Clock, Events, Lanes, Subscription, embedded::lane_of};
use session::Session;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// How long the first connection, or the declaration of queues, is waited for; both go on behind it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a submitted ask waits to be taken: a reconnect, when there is none to wait for in vain.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How often the desk is swept.
const SWEEP: Duration = Duration::from_millis(500);
/// How long a closed adapter may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// What all parts of the adapter share.
struct Core {
    options: RabbitOptions,
    names: Names,
    clock: Arc<dyn Clock>,
    meters: Meters,
    desk: Desk,
    session: watch::Sender<Option<Arc<Session>>>,
    services: Mutex<BTreeMap<StreamKind, Arc<Service>>>,
}

impl Core {
    fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// The session, when something can be published.
    fn open_session(&self) -> Result<Arc<Session>, BrokerError> {
        let session = self
            .session()
            .ok_or_else(|| BrokerError::Unavailable("there is no connection".into()))?;
        match session.trouble() {
            Some(trouble) => Err(BrokerError::Unavailable(trouble.into())),
            None => Ok(session),
        }
    }

    fn services(&self) -> Vec<Arc<Service>> {
        self.served().values().cloned().collect()
    }

    fn served(&self) -> MutexGuard<'_, BTreeMap<StreamKind, Arc<Service>>> {
        // A map of whole entries, whoever panicked.
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RabbitMQ. Dropping it ends its connections.
pub struct RabbitBroker {
    core: Arc<Core>,
    stop: watch::Sender<bool>,
}

impl RabbitBroker {
    /// An adapter that connects and stays connected. Returns when it is, or after two seconds: a broker that is
    /// away is no failure, and is tried again for good.
    pub async fn connect(options: RabbitOptions, clock: Arc<dyn Clock>) -> Arc<Self> {
        let meters = Meters::new();
        let core = Arc::new(Core {
            names: Names::new(&options.namespace),
            desk: Desk::new(options.max_in_flight.max(1), meters.unanswered.clone()),
            clock,
            meters,
            session: watch::Sender::new(None),
            services: Mutex::new(BTreeMap::new()),
            options,
        });
        let stop = watch::Sender::new(false);
        core.meters.connected.set(0.0);
        tokio::spawn(session::keep(core.clone(), stop.subscribe()));
        tokio::spawn(sweep(Arc::downgrade(&core)));
        let mut connected = core.session.subscribe();
        let _ = timeout(PATIENCE, connected.wait_for(Option::is_some)).await;
        drop(connected);
        Arc::new(Self { core, stop })
    }

    /// Whether the broker is there and takes messages: what readiness is made of.
    pub fn is_connected(&self) -> bool {
        self.core.open_session().is_ok()
    }

    /// Waits until the broker is there.
    pub async fn connected(&self) {
        let mut session = self.core.session.subscribe();
        // The sender lives in the core.
        let _ = session.wait_for(Option::is_some).await;
    }

    /// Ends the connections politely, so that what was delivered and not acknowledged goes to others at once.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let _ = timeout(GOODBYE, self.stop.closed()).await;
    }

    /// Puts an ask on the desk and on its way.
    fn send(&self, ask: &Ask, asker: Asker) -> Result<u64, BrokerError> {
        let core = &self.core;
        let session = core.open_session()?;
        let body = wire::ask_to_bytes(ask)
            .map_err(|error| BrokerError::Unavailable(format!("the ask cannot be written: {error}")))?;
        let lane = lane_of(ask.command.key(), core.options.lanes.max(1));
        let number = core.desk.admit(ask, lane, body, asker)?;
        match session.asks.try_send(number) {
            Ok(()) => Ok(number),
            // A new session has found it on the desk already.
            Err(_) if !core.desk.withdraw(number) => Ok(number),
            Err(mpsc::error::TrySendError::Full(_)) => Err(BrokerError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                Err(BrokerError::Unavailable("the connection is lost".into()))
            }
        }
    }
}

impl Drop for RabbitBroker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Keeps the desk tidy while there is one.
async fn sweep(core: Weak<Core>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        match core.upgrade() {
            Some(core) => core.desk.sweep(core.clock.now()),
            None => return,
        }
    }
}

fn unavailable(trouble: Trouble) -> BrokerError {
    BrokerError::Unavailable(trouble.to_string())
}

#[async_trait]
impl Broker for RabbitBroker {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        let deadline = ask.deadline_ms;
        let (sender, answer) = oneshot::channel();
        let number = self.send(&ask, Asker::Asks(sender))?;
        let _place = Place {
            desk: &self.core.desk,
            number,
        };
        tokio::select! {
            // An answer that is there counts, however late we look.
            biased;
            answer = answer => answer.unwrap_or(Err(BrokerError::NoAnswer)),
            () = self.core.clock.sleep_until(deadline) => Err(BrokerError::NoAnswer),
        }
    }

    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        let (taken, is_taken) = oneshot::channel();
        let (reply, replied) = oneshot::channel();
        let asker = Asker::Submits {
            taken: Some(taken),
            reply,
        };
        self.send(&ask, asker)?;
        match timeout(TAKEN_WITHIN, is_taken).await {
            Ok(Ok(Ok(()))) => Ok(replied),
            Ok(Ok(Err(error))) => Err(error),
            // Sent, and not confirmed.
            Ok(Err(_)) | Err(_) => Err(BrokerError::NoAnswer),
        }
    }

    fn keeps_asks(&self) -> bool {
        true
    }

    /// The mailboxes are served as soon as the broker is there, and again whenever it is back.
    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError> {
        let (service, lanes) = Service::new(&self.core, kind);
        {
            let mut served = self.core.served();
            if served.get(&kind).is_some_and(|service| service.is_served()) {
                return Err(BrokerError::Unavailable(format!(
                    "the {} lanes are being served already",
                    kind.prefix()
                )));
            }
            served.insert(kind, service.clone());
        }
        if let Some(session) = self.core.session() {
            let _ = timeout(PATIENCE, lanes::start(&self.core, &session, service)).await;
        }
        Ok(lanes)
    }

    /// With more than one error in a row, the events of a batch may be heard in part and then again, all in order.
    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        let session = self.core.open_session()?;
        let options = &self.core.options;
        let batches = wire::batches(events, options.slots.max(1), options.events_per_message.max(1))
            .map_err(|error| BrokerError::Unavailable(format!("an event cannot be written: {error}")))?;
        let (done, outcome) = oneshot::channel();
        let outgoing = events::Outgoing { batches, done };
        if session.events.send(outgoing).await.is_err() {
            return Err(BrokerError::Unavailable("the connection is lost".into()));
        }
        outcome.await.unwrap_or(Err(BrokerError::NoAnswer))
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError> {
        let session = self.core.open_session()?;
        let (core, subscription) = (self.core.clone(), subscription.clone());
        let subscribed = driver::whole(async move {
            match subscription.audience {
                Audience::Each => subscriptions::own(&core, &session, &subscription).await,
                Audience::Shared => subscriptions::shared(&core, &session, &subscription).await,
            }
        });
        subscribed.await.map_err(unavailable)
    }
}
