//! Ports that fail on purpose.

use async_trait::async_trait;
use contract::{
    Ask, Cause, CommandId, Digest, NewEvent, Position, Recorded, Reply, Revision, StreamEnd, StreamKind,
    StreamName, Timestamp, collections::Collection, events::KeyClaimed,
};
use ports::{
    AppendError, Appended, Broker, BrokerError, Change, Document, EventLog, Events, Expected, Generation,
    Lanes, LogError, Query, ReadStore, StoreError, Subscription, Tail,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// A read store of which every `every`-th change set fails: in turn before it is stored, and after.
pub struct FaultyStore {
    pub store: Arc<dyn ReadStore>,
    pub every: u64,
    pub applies: AtomicU64,
}

#[async_trait]
impl ReadStore for FaultyStore {
    async fn apply(
        &self,
        of: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        let count = self.applies.fetch_add(1, SeqCst) + 1;
        if !count.is_multiple_of(self.every) {
            return self.store.apply(of, changes, checkpoint).await;
        }
        if count.is_multiple_of(2 * self.every) {
            self.store.apply(of, changes, checkpoint).await?;
        }
        Err(StoreError::Unavailable("on purpose".into()))
    }
    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.store.checkpoint(generation).await
    }
    async fn active(&self) -> Result<Generation, StoreError> {
        self.store.active().await
    }
    async fn begin(&self) -> Result<Generation, StoreError> {
        self.store.begin().await
    }
    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.store.activate(generation).await
    }
    async fn get(&self, of: &'static Collection, key: &str) -> Result<Option<Arc<Document>>, StoreError> {
        self.store.get(of, key).await
    }
    async fn get_in(
        &self,
        generation: Generation,
        of: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.store.get_in(generation, of, key).await
    }
    async fn find(&self, of: &'static Collection, query: Query) -> Result<Vec<Arc<Document>>, StoreError> {
        self.store.find(of, query).await
    }
    async fn count(&self, of: &'static Collection) -> Result<u64, StoreError> {
        self.store.count(of).await
    }
    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.store.applied()
    }
    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.store.mark(name).await
    }
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.store.set_mark(name, position).await
    }
}

/// A log of which some events look as if a later program had written them.
pub struct VeiledLog {
    pub log: Arc<dyn EventLog>,
    pub veiled: fn(&Recorded) -> bool,
}

impl VeiledLog {
    fn veil(&self, events: Vec<Arc<Recorded>>) -> Vec<Arc<Recorded>> {
        veil(self.veiled, events)
    }
}

fn veil(veiled: fn(&Recorded) -> bool, events: Vec<Arc<Recorded>>) -> Vec<Arc<Recorded>> {
    let veil = |event: Arc<Recorded>| match veiled(&event) {
        true => Arc::new(Recorded {
            kind: "tickets_teleported.v1".into(),
            decoded: None,
            ..(*event).clone()
        }),
        false => event,
    };
    events.into_iter().map(veil).collect()
}

struct VeiledTail {
    tail: Box<dyn Tail>,
    veiled: fn(&Recorded) -> bool,
}

#[async_trait]
impl Tail for VeiledTail {
    async fn next(&mut self, max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        Ok(veil(self.veiled, self.tail.next(max).await?))
    }
}

#[async_trait]
impl EventLog for VeiledLog {
    async fn append(
        &self,
        to: &StreamName,
        at: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.log.append(to, at, events).await
    }
    async fn read(
        &self,
        of: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        Ok(self.veil(self.log.read(of, from, limit).await?))
    }
    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        Ok(self.veil(self.log.read_all(after, limit).await?))
    }
    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.log.head().await
    }
    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(VeiledTail {
            tail: self.log.tail(after).await?,
            veiled: self.veiled,
        }))
    }
}

/// A log to which somebody has always just appended when it is read: selling that never pauses.
pub struct BusyLog {
    pub log: Arc<dyn EventLog>,
    /// How much is appended before each read.
    pub burst: u64,
    pub sales: AtomicU64,
}

impl BusyLog {
    async fn sell(&self) {
        let sale = u128::from(self.sales.fetch_add(1, SeqCst));
        let stream = StreamName::new(&format!("orders_of_somebody_else_{sale}"));
        let cause = Cause {
            correlation: Uuid::from_u128(7),
            actor: "somebody".into(),
            trace: None,
        };
        let claimed = KeyClaimed {
            fingerprint: Digest::ZERO,
            at_ms: Timestamp(0),
        };
        let command = CommandId(Uuid::from_u128(1 << 100 | sale));
        let mut end = StreamEnd::NEW;
        let expected = Expected::before(end.next);
        let events = end.link(&stream, command, &cause, Timestamp(1), vec![claimed.into()]);
        let appended = self.log.append(&stream, expected, events.unwrap()).await;
        appended.unwrap();
    }
}

#[async_trait]
impl EventLog for BusyLog {
    async fn append(
        &self,
        to: &StreamName,
        at: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.log.append(to, at, events).await
    }
    async fn read(
        &self,
        of: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.log.read(of, from, limit).await
    }
    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        for _ in 0..self.burst {
            self.sell().await;
        }
        self.log.read_all(after, limit).await
    }
    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.log.head().await
    }
    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        self.log.tail(after).await
    }
}

/// A broker of which every third publication fails, in turn before it is taken and after.
pub struct FaultyBroker {
    pub broker: Arc<dyn Broker>,
    pub publications: AtomicU64,
}

#[async_trait]
impl Broker for FaultyBroker {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        self.broker.ask(ask).await
    }
    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError> {
        self.broker.serve(kind).await
    }
    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        let count = self.publications.fetch_add(1, SeqCst) + 1;
        if !count.is_multiple_of(3) {
            return self.broker.publish(events).await;
        }
        if count.is_multiple_of(6) {
            self.broker.publish(events).await?;
        }
        Err(BrokerError::Unavailable("on purpose".into()))
    }
    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        self.broker.submit(ask).await
    }
    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError> {
        self.broker.subscribe(subscription).await
    }
}
