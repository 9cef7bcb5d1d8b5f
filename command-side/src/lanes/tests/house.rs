//! A house with one show: its lane, a log that fails as told, and a clock that the tests move.

use crate::{
    lanes::{LaneLimits, LanePorts, lane::Lane},
    show::Show,
};
use async_trait::async_trait;
use contract::{
    Answer, Ask, Cause, Command, CommandId, Currency, HoldId, Money, NewEvent, Position, Recorded, Reply,
    ReservationId, ShowId, StreamName, Timestamp, UserId,
    commands::{ShowAction, ShowCommand},
    events::{Choice, Layout, ShowScheduled, Tally},
};
use ports::{
    AppendError, Appended, Clock, Delivery, EventLog, Expected, LogError, Snapshot, Snapshots, StoreError,
    Tail,
    embedded::{LogOptions, SqliteLog},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use uuid::Uuid;

pub(super) const SHOW: ShowId = ShowId(Uuid::from_u128(1));
pub(super) const START: Timestamp = Timestamp(1_000_000);
pub(super) const TTL_MS: u64 = 10_000;

pub(super) struct HandClock(watch::Sender<Timestamp>);

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
    async fn sleep_until(&self, deadline: Timestamp) {
        let _ = self.0.subscribe().wait_for(|now| *now >= deadline).await;
    }
}

/// What the faulty log does to the next append.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fault {
    Refuse,
    WriteAndSayUnknown,
}

pub(super) struct FaultyLog {
    pub log: Arc<SqliteLog>,
    pub next: Mutex<Option<Fault>>,
    pub appends: AtomicUsize,
}

#[async_trait]
impl EventLog for FaultyLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        let fault = self.next.lock().unwrap().take();
        if fault == Some(Fault::Refuse) {
            return Err(AppendError::Unavailable("the disk is full".into()));
        }
        let appended = self.log.append(stream, expected, events).await;
        match fault {
            Some(_) => Err(AppendError::Unknown("the answer was lost".into())),
            None => appended,
        }
    }
    async fn read(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.log.read(stream, from, limit).await
    }
    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.log.read_all(after, limit).await
    }
    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.log.head().await
    }
    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        self.log.tail(after).await
    }
}

#[derive(Default)]
pub(super) struct Drawer(pub Mutex<Option<Snapshot>>);

#[async_trait]
impl Snapshots for Drawer {
    async fn load(&self, _: &StreamName) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn save(&self, _: &StreamName, snapshot: Snapshot) -> Result<(), StoreError> {
        *self.0.lock().unwrap() = Some(snapshot);
        Ok(())
    }
}

pub(super) struct House {
    pub clock: Arc<HandClock>,
    pub log: Arc<FaultyLog>,
    pub drawer: Arc<Drawer>,
    pub mailbox: mpsc::Sender<Delivery>,
    pub stop: watch::Sender<bool>,
    pub lane: JoinHandle<()>,
    pub ids: AtomicUsize,
    pub _folder: Folder,
}

/// A temporary folder that goes with the test.
pub(super) struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("eventflow-lane-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl House {
    pub fn open() -> Self {
        let folder = Folder::new();
        let log = SqliteLog::open(&folder.0.join("events.db"), LogOptions::default()).unwrap();
        let log = Arc::new(FaultyLog {
            log,
            next: Mutex::new(None),
            appends: AtomicUsize::new(0),
        });
        Self::with(folder, log, Arc::default())
    }

    pub fn with(folder: Folder, log: Arc<FaultyLog>, drawer: Arc<Drawer>) -> Self {
        let clock = Arc::new(HandClock(watch::Sender::new(START)));
        let ports = LanePorts {
            log: log.clone(),
            snapshots: drawer.clone(),
            clock: clock.clone(),
        };
        let (mailbox, deliveries) = mpsc::channel(1_024);
        let (stop, stopped) = watch::channel(false);
        let lane = tokio::spawn(Lane::<Show>::new(ports, LaneLimits::default(), deliveries).run(stopped));
        Self {
            clock,
            log,
            drawer,
            mailbox,
            stop,
            lane,
            ids: AtomicUsize::new(0),
            _folder: folder,
        }
    }

    /// A new lane on the same log, as after a crash.
    pub async fn crash(self) -> Self {
        self.lane.abort();
        let _ = self.lane.await;
        Self::with(self._folder, self.log, self.drawer)
    }

    pub fn pass(&self, ms: u64) {
        self.clock.0.send_modify(|now| *now = now.plus_ms(ms));
    }

    pub async fn send(&self, action: ShowAction) -> oneshot::Receiver<Reply> {
        self.send_as(action, START.plus_ms(1_000_000_000), 0).await
    }

    /// With this deadline, in this term of the lane's subscription.
    pub async fn send_as(
        &self,
        action: ShowAction,
        deadline_ms: Timestamp,
        term: u32,
    ) -> oneshot::Receiver<Reply> {
        let id = Uuid::from_u128(1_000 + self.ids.fetch_add(1, Ordering::SeqCst) as u128);
        let ask = Ask {
            id: CommandId(id),
            cause: Cause {
                correlation: id,
                actor: "test".into(),
                trace: None,
            },
            deadline_ms,
            command: Command::Show(ShowCommand {
                show_id: SHOW,
                action,
            }),
        };
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(Delivery { ask, reply, term }).await.unwrap();
        answer
    }

    pub async fn ask(&self, action: ShowAction) -> Answer {
        self.send(action).await.await.unwrap().answer
    }

    pub async fn schedule(&self, capacity: u32) {
        let show = ShowScheduled {
            show_id: SHOW,
            name: "Concierto".into(),
            description: None,
            starts_at_ms: START.plus_ms(1_000_000_000),
            venue: "Estadio".into(),
            price: Money::new(5_000, Currency::USD),
            category: None,
            limit_per_user: 10,
            layout: Layout::General { capacity },
            scheduled_at_ms: START,
            organiser: None,
            fingerprint: None,
        };
        assert_eq!(
            self.ask(ShowAction::Schedule { show: Box::new(show) }).await,
            Answer::Done
        );
    }

    pub async fn tally(&self) -> Tally {
        let choice = Choice::Quantity {
            quantity: 1,
            section: None,
        };
        match self
            .ask(ShowAction::Quote {
                user_id: UserId(Uuid::nil()),
                choice,
            })
            .await
        {
            Answer::Quoted(quote) => quote.tally,
            other => panic!("no quote but {other:?}"),
        }
    }

    pub async fn stream(&self) -> Vec<Arc<Recorded>> {
        self.log.read(&StreamName::show(SHOW), 0, 1_000).await.unwrap()
    }
}

pub(super) fn hold(number: u128, quantity: u32, patience_ms: Option<u64>) -> ShowAction {
    ShowAction::Hold {
        hold_id: HoldId(Uuid::from_u128(number)),
        user_id: UserId(Uuid::from_u128(number)),
        choice: Choice::Quantity {
            quantity,
            section: None,
        },
        reservation_id: Some(ReservationId(Uuid::from_u128(number))),
        ttl_ms: TTL_MS,
        line_until_ms: patience_ms.map(|ms| START.plus_ms(ms)),
        fingerprint: None,
    }
}

pub(super) fn restore(number: u128) -> ShowAction {
    let id = Uuid::from_u128(number);
    ShowAction::Restore {
        hold_id: HoldId(id),
        reservation_id: ReservationId(id),
    }
}

pub(super) fn sell(number: u128) -> ShowAction {
    let id = Uuid::from_u128(number);
    ShowAction::Sell {
        hold_id: HoldId(id),
        reservation_id: ReservationId(id),
    }
}

pub(super) fn held(answer: &Answer) -> bool {
    matches!(answer, Answer::Held(_))
}
