//! Adapters with one fault each in front of a sound one.

use async_trait::async_trait;
use contract::{
    Ask, Digest, EventId, NewEvent, Position, Recorded, Reply, ReservationId, Revision, Sealed, StreamKind,
    StreamName, UserId, collections::Collection,
};
use ports::{
    AppendError, Appended, Broker, BrokerError, Change, Charge, ChargeOutcome, Document, EventLog, Events,
    Expected, Generation, Lanes, Ledger, LogError, PaymentError, Payments, Query, ReadStore, Rewrapping,
    Snapshot, Snapshots, StoreError, Subscription, Tail, Vault, VaultError,
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{oneshot, watch};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    IgnoresTheExpectedRevision,
    ForgetsWhatItWrote,
    WritesOneByOne,
    LosesEvents,
    AppliesWithoutTheCheckpoint,
    ServesWhatItReadFirst,
    BeginsEveryPageAnew,
    ShowsTheRebuild,
    KeepsTheFirst,
    IgnoresTheField,
    DestroysNothing,
    HashesWithoutAKey,
    ChargesTwice,
    ForgetsVoids,
    ReordersEvents,
    ReordersAsks,
}

pub struct Broken<P: ?Sized> {
    inner: Arc<P>,
    fault: Fault,
    seen: Mutex<BTreeSet<EventId>>,
    documents: Mutex<BTreeMap<(&'static str, String), Arc<Document>>>,
    charges: Mutex<BTreeMap<ReservationId, i64>>,
    asks: AtomicU64,
}

impl<P: ?Sized> Broken<P> {
    pub fn new(inner: Arc<P>, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            seen: Mutex::default(),
            documents: Mutex::default(),
            charges: Mutex::default(),
            asks: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl EventLog for Broken<dyn EventLog> {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        match self.fault {
            Fault::IgnoresTheExpectedRevision => {
                let mut expected = expected;
                loop {
                    match self.inner.append(stream, expected, events.clone()).await {
                        Err(AppendError::Conflict { current }) => {
                            expected = current.map_or(Expected::NoStream, Expected::Exactly);
                        }
                        outcome => return outcome,
                    }
                }
            }
            Fault::ForgetsWhatItWrote => {
                let first = events.first().map(|event| event.id);
                if first.is_some_and(|first| !self.seen.lock().unwrap().insert(first)) {
                    let last = self
                        .inner
                        .read(stream, 0, 1_000)
                        .await
                        .unwrap()
                        .last()
                        .map(|event| event.revision);
                    return Err(AppendError::Conflict { current: last });
                }
                self.inner.append(stream, expected, events).await
            }
            Fault::WritesOneByOne if events.len() < 100 => {
                let mut outcome = Err(AppendError::Unacceptable("no events".into()));
                for (index, event) in events.into_iter().enumerate() {
                    let next = expected.next().saturating_add(index as u64);
                    outcome = self
                        .inner
                        .append(stream, Expected::before(next), vec![event])
                        .await;
                    if outcome.is_err() {
                        break;
                    }
                }
                outcome
            }
            _ => self.inner.append(stream, expected, events).await,
        }
    }

    async fn read(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.inner.read(stream, from, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.inner.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.inner.head().await
    }

    async fn tail(&self, after: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        let tail = self.inner.tail(after).await?;
        Ok(if self.fault == Fault::LosesEvents {
            Box::new(LossyTail(tail))
        } else {
            tail
        })
    }
}

/// Loses the first event of every batch that has more.
struct LossyTail(Box<dyn Tail>);

#[async_trait]
impl Tail for LossyTail {
    async fn next(&mut self, max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let mut batch = self.0.next(max).await?;
        if batch.len() > 1 {
            batch.remove(0);
        }
        Ok(batch)
    }
}

#[async_trait]
impl ReadStore for Broken<dyn ReadStore> {
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        if self.fault == Fault::ShowsTheRebuild {
            self.inner
                .apply(self.inner.active().await?, changes.clone(), checkpoint)
                .await?;
        }
        let lost = self.fault == Fault::AppliesWithoutTheCheckpoint;
        self.inner
            .apply(generation, changes, if lost { Position(0) } else { checkpoint })
            .await
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.inner.checkpoint(generation).await
    }

    async fn active(&self) -> Result<Generation, StoreError> {
        self.inner.active().await
    }

    async fn begin(&self) -> Result<Generation, StoreError> {
        self.inner.begin().await
    }

    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        self.inner.activate(generation).await
    }

    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        if self.fault == Fault::ServesWhatItReadFirst {
            let place = (collection.name, key.to_owned());
            if let Some(document) = self.documents.lock().unwrap().get(&place) {
                return Ok(Some(document.clone()));
            }
            let found = self.inner.get(collection, key).await?;
            if let Some(document) = &found {
                self.documents.lock().unwrap().insert(place, document.clone());
            }
            return Ok(found);
        }
        self.inner.get(collection, key).await
    }

    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.inner.get_in(generation, collection, key).await
    }

    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        let anew = self.fault == Fault::BeginsEveryPageAnew;
        let after = if anew { None } else { query.after };
        self.inner.find(collection, Query { after, ..query }).await
    }

    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        self.inner.count(collection).await
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.inner.applied()
    }

    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.inner.mark(name).await
    }

    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        self.inner.set_mark(name, position).await
    }
}

#[async_trait]
impl Snapshots for Broken<dyn Snapshots> {
    async fn load(&self, stream: &StreamName) -> Result<Option<Snapshot>, StoreError> {
        self.inner.load(stream).await
    }

    async fn save(&self, stream: &StreamName, snapshot: Snapshot) -> Result<(), StoreError> {
        let keeps = self.fault == Fault::KeepsTheFirst && self.inner.load(stream).await?.is_some();
        if keeps {
            Ok(())
        } else {
            self.inner.save(stream, snapshot).await
        }
    }
}

impl Broken<dyn Vault> {
    fn field<'a>(&self, field: &'a str) -> &'a str {
        if self.fault == Fault::IgnoresTheField {
            ""
        } else {
            field
        }
    }
}

#[async_trait]
impl Vault for Broken<dyn Vault> {
    async fn create_key(&self, person: UserId) -> Result<(), VaultError> {
        self.inner.create_key(person).await
    }

    async fn seal(&self, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
        self.inner.seal(person, self.field(field), clear).await
    }

    async fn open(&self, person: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, VaultError> {
        self.inner.open(person, self.field(field), sealed).await
    }

    async fn destroy(&self, person: UserId) -> Result<(), VaultError> {
        if self.fault == Fault::DestroysNothing {
            Ok(())
        } else {
            self.inner.destroy(person).await
        }
    }

    async fn rewrap(&self, after: Option<UserId>) -> Result<Rewrapping, VaultError> {
        self.inner.rewrap(after).await
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest {
        if self.fault == Fault::HashesWithoutAKey {
            return Digest(Sha256::digest([purpose.as_bytes(), value].concat()).into());
        }
        self.inner.pseudonym(purpose, value)
    }
}

#[async_trait]
impl Payments for Broken<dyn Payments> {
    async fn charge(&self, charge: Charge) -> Result<ChargeOutcome, PaymentError> {
        let id = charge.reservation_id;
        let outcome = self.inner.charge(charge).await;
        if matches!(outcome, Ok(ChargeOutcome::Captured)) {
            *self.charges.lock().unwrap().entry(id).or_default() += 1;
        }
        outcome
    }

    async fn void(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        if self.fault == Fault::ForgetsVoids {
            Ok(())
        } else {
            self.inner.void(reservation_id).await
        }
    }

    async fn refund(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        self.inner.refund(reservation_id).await
    }

    async fn find(&self, reservation_id: ReservationId) -> Result<Option<Ledger>, PaymentError> {
        let mut found = self.inner.find(reservation_id).await?;
        if let (Fault::ChargesTwice, Some(ledger)) = (self.fault, &mut found) {
            ledger.captured.minor *= self
                .charges
                .lock()
                .unwrap()
                .get(&reservation_id)
                .copied()
                .unwrap_or(1);
        }
        Ok(found)
    }
}

#[async_trait]
impl Broker for Broken<dyn Broker> {
    async fn ask(&self, ask: Ask) -> Result<Reply, BrokerError> {
        let number = self.asks.fetch_add(1, Ordering::Relaxed);
        if self.fault == Fault::ReordersAsks && number.is_multiple_of(3) {
            // Lets later ones pass, when there are any.
            let mut patience = 10_000;
            while self.asks.load(Ordering::Relaxed) < number + 20 && patience > 0 {
                patience -= 1;
                tokio::task::yield_now().await;
            }
        }
        self.inner.ask(ask).await
    }

    async fn serve(&self, kind: StreamKind) -> Result<Lanes, BrokerError> {
        self.inner.serve(kind).await
    }

    async fn publish(&self, events: &[Arc<Recorded>]) -> Result<(), BrokerError> {
        let mut events = events.to_vec();
        match self.fault {
            Fault::ReordersEvents => events.reverse(),
            Fault::LosesEvents if events.len() > 5 => {
                events.remove(3);
                // As many as there were, so that nobody waits for one that never comes.
                events.push(events[0].clone());
            }
            _ => {}
        }
        self.inner.publish(&events).await
    }

    async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, BrokerError> {
        self.inner.submit(ask).await
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Events, BrokerError> {
        self.inner.subscribe(subscription).await
    }
}
