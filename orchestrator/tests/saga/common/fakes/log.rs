//! A log in memory.

use super::{super::T0, lock};
use async_trait::async_trait;
use contract::{
    CommandId, Event, NewEvent, Position, Recorded, ReservationId, Revision, StreamEnd, StreamName,
};
use ports::{AppendError, Appended, EventLog, Events, Expected, Heard, LogError, Tail};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};

/// What goes wrong with an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Unavailable,
    /// Written, and not known to be.
    UnknownWritten,
    /// Not written, and not known not to be.
    UnknownLost,
}

/// A log that forwards what is appended to its subscribers, can fail, and can stop for good at any append, as a
/// process that dies there.
#[derive(Default)]
pub struct FakeLog {
    events: Mutex<Vec<Arc<Recorded>>>,
    faults: Mutex<VecDeque<Fault>>,
    /// The append (from 0) at which the process dies, and whether before or after it is written.
    crash: Mutex<Option<(usize, bool)>>,
    appends: Mutex<usize>,
    crashed: watch::Sender<bool>,
    grown: watch::Sender<u64>,
    subscribers: Mutex<Vec<mpsc::Sender<Vec<Heard>>>>,
}

impl FakeLog {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.faults).extend(faults);
    }

    /// The process dies at this append from now on, after or before it is durable.
    pub fn crash_at(&self, append: usize, written: bool) {
        *lock(&self.appends) = 0;
        *lock(&self.crash) = Some((append, written));
    }

    pub fn repair(&self) {
        *lock(&self.crash) = None;
        self.crashed.send_replace(false);
        lock(&self.subscribers).clear();
    }

    /// Waits for the crash that was ordered.
    pub async fn crashed(&self) {
        self.crashed
            .subscribe()
            .wait_for(|crashed| *crashed)
            .await
            .unwrap();
    }

    pub fn appends(&self) -> usize {
        *lock(&self.appends)
    }

    pub fn stream(&self, id: ReservationId) -> Vec<Event> {
        self.recorded(&StreamName::reservation(id))
            .iter()
            .map(|recorded| recorded.event().unwrap())
            .collect()
    }

    pub fn recorded(&self, stream: &StreamName) -> Vec<Arc<Recorded>> {
        lock(&self.events)
            .iter()
            .filter(|recorded| recorded.stream == *stream)
            .cloned()
            .collect()
    }

    /// Waits until the reservation's stream is as the test wants it.
    pub async fn until(&self, id: ReservationId, wanted: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let mut grown = self.grown.subscribe();
        loop {
            grown.borrow_and_update();
            let events = self.stream(id);
            if wanted(&events) {
                return events;
            }
            grown.changed().await.unwrap();
        }
    }

    /// Appends for the command side, which never fails here. Not an append of the orchestrator.
    pub fn put(&self, stream: &StreamName, event: impl Into<Event>) -> Arc<Recorded> {
        let mut end = self
            .recorded(stream)
            .last()
            .map_or(StreamEnd::NEW, |last| last.end().unwrap());
        let expected = Expected::before(end.next);
        let cause = contract::Cause {
            correlation: uuid::Uuid::nil(),
            actor: "admin".into(),
            trace: None,
        };
        let id = CommandId(uuid::Uuid::new_v4());
        let events = end.link(stream, id, &cause, T0, [event.into()]).unwrap();
        self.commit(stream, expected, events).unwrap();
        self.recorded(stream).last().unwrap().clone()
    }

    /// Delivers an event once more.
    pub async fn redeliver(&self, recorded: Arc<Recorded>) {
        let subscribers = lock(&self.subscribers).clone();
        for subscriber in subscribers {
            subscriber
                .send(vec![Heard::once(recorded.clone())])
                .await
                .unwrap();
        }
    }

    /// The broker goes away for a moment.
    pub fn close_subscriptions(&self) {
        lock(&self.subscribers).clear();
    }

    pub fn subscribe(&self) -> Events {
        let (sender, receiver) = mpsc::channel(65_536);
        lock(&self.subscribers).push(sender);
        receiver
    }

    fn commit(
        &self,
        stream: &StreamName,
        expected: Expected,
        new: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let mut events = lock(&self.events);
        let here: Vec<_> = events
            .iter()
            .filter(|recorded| recorded.stream == *stream)
            .cloned()
            .collect();
        let next = expected.next();
        if here.len() as u64 != next {
            let there = here
                .iter()
                .skip(usize::try_from(next).unwrap())
                .map(|recorded| recorded.id);
            if !there.eq(new.iter().map(|event| event.id)) {
                return Err(AppendError::Conflict {
                    current: (here.len() as u64).checked_sub(1),
                });
            }
            let last = here.last().unwrap();
            return Ok(Appended {
                position: last.position,
                revision: last.revision,
            });
        }
        let mut batch = Vec::new();
        for (event, revision) in new.into_iter().zip(next..) {
            batch.push(Arc::new(Recorded {
                position: Position(64 + 10 * (events.len() + batch.len()) as u64),
                stream: stream.clone(),
                revision,
                id: event.id,
                kind: event.kind,
                data: event.data,
                meta: event.meta,
                decoded: event.decoded,
            }));
        }
        events.extend(batch.iter().cloned());
        let last = batch.last().unwrap();
        let appended = Appended {
            position: last.position,
            revision: last.revision,
        };
        let heard = || batch.iter().cloned().map(Heard::once).collect();
        lock(&self.subscribers).retain(|subscriber| subscriber.try_send(heard()).is_ok());
        drop(events);
        self.grown.send_modify(|grown| *grown += 1);
        Ok(appended)
    }
}

#[async_trait]
impl EventLog for FakeLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let number = {
            let mut appends = lock(&self.appends);
            *appends += 1;
            *appends - 1
        };
        let crash = *lock(&self.crash);
        if let Some((at, written)) = crash
            && number >= at
        {
            if number == at && written {
                self.commit(stream, expected, events)?;
            }
            self.crashed.send_replace(true);
            return std::future::pending().await;
        }
        let fault = lock(&self.faults).pop_front();
        match fault {
            None => self.commit(stream, expected, events),
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("a test said so".into())),
            Some(Fault::UnknownWritten) => {
                self.commit(stream, expected, events)?;
                Err(AppendError::Unknown("a test said so".into()))
            }
            Some(Fault::UnknownLost) => Err(AppendError::Unknown("a test said so".into())),
        }
    }

    async fn read(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        let from = usize::try_from(from).unwrap();
        Ok(self.recorded(stream).into_iter().skip(from).take(limit).collect())
    }

    async fn read_all(&self, _: Option<Position>, _: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        panic!("the orchestrator reads streams")
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        Ok(lock(&self.events).last().map(|recorded| recorded.position))
    }

    async fn tail(&self, _: Option<Position>) -> Result<Box<dyn Tail>, LogError> {
        panic!("the orchestrator subscribes to the broker")
    }
}
