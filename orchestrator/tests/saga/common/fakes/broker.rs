//! A broker with the participants behind it.

use super::{super::world::World, FakeLog, TestClock, lock};
use async_trait::async_trait;
use contract::{
    Answer, Ask, Command, CommandId, Event, Recorded, Refusal, Reply, ReservationId, StreamKind, StreamName,
    Timestamp,
    commands::{PaymentAction, ReservationAction, ShowAction, UserAction},
    events::{CancelReason, CancellationRequested},
};
use ports::{Broker, BrokerError, Clock, Events, Lanes, Subscription};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::sync::{oneshot, watch};

/// How a participant treats the asks of one name.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Says no.
    Refuse,
    /// Does nothing and fails, so many times.
    Fail(u32),
    /// Does it, and the answer is lost, so many times.
    Lose(u32),
    /// Never answers and does nothing, until the ask's deadline.
    Silent,
    /// Does it when the gate opens, and only then answers.
    Wait(watch::Receiver<bool>),
}

/// The participants behind a broker.
pub struct FakeBroker {
    log: Arc<FakeLog>,
    clock: Arc<TestClock>,
    worlds: Mutex<BTreeMap<ReservationId, World>>,
    manners: Mutex<BTreeMap<&'static str, Manner>>,
    /// The names of the asks that were sent, with their ids.
    pub asked: Mutex<Vec<(&'static str, CommandId)>>,
    sent: watch::Sender<usize>,
    pub hold_ttl_ms: Mutex<u64>,
    /// The reservations that own sales of the one show.
    pub sales: Mutex<BTreeSet<ReservationId>>,
}

impl FakeBroker {
    pub fn new(log: Arc<FakeLog>, clock: Arc<TestClock>) -> Arc<Self> {
        Arc::new(Self {
            log,
            clock,
            worlds: Mutex::default(),
            manners: Mutex::default(),
            asked: Mutex::default(),
            sent: watch::Sender::new(0),
            hold_ttl_ms: Mutex::new(600_000),
            sales: Mutex::default(),
        })
    }

    pub fn set(&self, name: &'static str, manner: Manner) {
        lock(&self.manners).insert(name, manner);
    }

    pub fn behave(&self) {
        lock(&self.manners).clear();
    }

    pub fn world(&self, id: ReservationId) -> World {
        lock(&self.worlds).get(&id).copied().unwrap_or_default()
    }

    pub fn names(&self) -> Vec<&'static str> {
        lock(&self.asked).iter().map(|(name, _)| *name).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.names().into_iter().filter(|asked| *asked == name).count()
    }

    /// Waits until asks of this name were sent so many times.
    pub async fn asked(&self, name: &str, times: usize) {
        let mut sent = self.sent.subscribe();
        while self.count(name) < times {
            sent.changed().await.unwrap();
        }
    }

    fn carry_out(&self, ask: &Ask, refuse: bool) -> Answer {
        let deadline = self.clock.now().plus_ms(*lock(&self.hold_ttl_ms));
        match &ask.command {
            Command::Reservation(command) => {
                let id = command.reservation_id;
                if let (ReservationAction::Cancel { reason }, false) = (&command.action, refuse) {
                    return self.cancel(id, *reason);
                }
                Answer::Refused(Refusal::NotCancellable)
            }
            Command::Show(command) => match &command.action {
                ShowAction::ListSales { after, limit } => {
                    let sales = lock(&self.sales);
                    let behind = sales.iter().filter(|id| after.is_none_or(|after| **id > after));
                    Answer::Sales {
                        reservations: behind.take(*limit as usize).copied().collect(),
                    }
                }
                ShowAction::ExpireHolds => Answer::Done,
                _ => self.of_saga(ask, refuse, deadline),
            },
            Command::User(_) | Command::Payment(_) => self.of_saga(ask, refuse, deadline),
        }
    }

    fn of_saga(&self, ask: &Ask, refuse: bool, deadline: Timestamp) -> Answer {
        let id = ReservationId(ask.cause.correlation);
        let answer = lock(&self.worlds)
            .entry(id)
            .or_default()
            .carry_out(&ask.command, refuse, deadline);
        if name(&ask.command) == "restore" {
            lock(&self.sales).remove(&id);
        }
        answer
    }

    fn cancel(&self, reservation_id: ReservationId, reason: CancelReason) -> Answer {
        let stream = StreamName::reservation(reservation_id);
        let asked = |event: &Event| matches!(event, Event::CancellationRequested(_));
        if !self.log.stream(reservation_id).iter().any(asked) {
            self.log.put(
                &stream,
                CancellationRequested {
                    reservation_id,
                    reason,
                    at_ms: self.clock.now(),
                },
            );
        }
        Answer::Done
    }
}

pub fn name(command: &Command) -> &'static str {
    match command {
        Command::User(command) => match command.action {
            UserAction::Check => "check",
            UserAction::Register { .. } => "register",
            UserAction::Forget { .. } => "forget",
            UserAction::RecordPurchase { .. } => "record",
            UserAction::UnrecordPurchase { .. } => "unrecord",
        },
        Command::Show(command) => match command.action {
            ShowAction::Quote { .. } => "quote",
            ShowAction::Hold { .. } | ShowAction::AdoptHold { .. } => "hold",
            ShowAction::Sell { .. } => "sell",
            ShowAction::Restore { .. } => "restore",
            ShowAction::ListSales { .. } => "list_sales",
            ShowAction::ExpireHolds => "expire_holds",
            _ => "other",
        },
        Command::Payment(command) => match command.action {
            PaymentAction::Take { .. } => "take",
            PaymentAction::GiveBack => "give_back",
        },
        Command::Reservation(_) => "reservation",
    }
}

#[async_trait]
impl Broker for FakeBroker {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        let name = name(&ask.command);
        lock(&self.asked).push((name, ask.id));
        self.sent.send_modify(|sent| *sent += 1);
        let manner = {
            let mut manners = lock(&self.manners);
            let now = manners.get(name).cloned();
            match manners.get_mut(name) {
                Some(Manner::Fail(0) | Manner::Lose(0)) => drop(manners.remove(name)),
                Some(Manner::Fail(left) | Manner::Lose(left)) => *left -= 1,
                _ => {}
            }
            now
        };
        let answer = match manner {
            None | Some(Manner::Fail(0) | Manner::Lose(0)) => self.carry_out(&ask, false),
            Some(Manner::Refuse) => self.carry_out(&ask, true),
            Some(Manner::Fail(_)) => return Err(BrokerError::Unavailable("a test said so".into())),
            Some(Manner::Lose(_)) => {
                self.carry_out(&ask, false);
                return Err(BrokerError::NoAnswer);
            }
            Some(Manner::Silent) => {
                self.clock.sleep_until(ask.deadline_ms).await;
                return Err(BrokerError::NoAnswer);
            }
            Some(Manner::Wait(mut gate)) => {
                gate.wait_for(|open| *open).await.unwrap();
                self.carry_out(&ask, false)
            }
        };
        Ok(Reply {
            position: None,
            answer,
        })
    }

    async fn serve(&self, _: StreamKind) -> Result<Lanes, BrokerError> {
        panic!("the orchestrator serves nothing")
    }

    async fn publish(&self, _: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        panic!("the orchestrator publishes nothing")
    }

    async fn submit(&self, _: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        panic!("the orchestrator waits for every answer")
    }

    async fn subscribe(&self, _: &Subscription) -> Result<Events, BrokerError> {
        Ok(self.log.subscribe())
    }
}
