//! The desk: the asks of this process that are not answered yet. It outlives connections: after a reconnect they are
//! sent again, in their order, because the way back for their replies went with the old connection. That is why an
//! ask may be carried out twice, which asks allow.

use bytes::Bytes;
use contract::{Ask, Reply, StreamKind, Timestamp};
use metrics::Gauge;
use ports::BrokerError;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Who waits, and for what.
pub(super) enum Asker {
    /// For the reply.
    Asks(oneshot::Sender<Result<Reply, BrokerError>>),
    /// For the broker to take the ask, and then for the reply.
    Submits {
        taken: Option<oneshot::Sender<Result<(), BrokerError>>>,
        reply: oneshot::Sender<Reply>,
    },
}

impl Asker {
    fn is_gone(&self) -> bool {
        match self {
            Self::Asks(reply) => reply.is_closed(),
            Self::Submits { taken, reply } => {
                reply.is_closed() && taken.as_ref().is_none_or(oneshot::Sender::is_closed)
            }
        }
    }

    // Whoever has gone meanwhile needs nothing, here and below.
    fn fail(self, error: BrokerError) {
        match self {
            Self::Asks(reply) => drop(reply.send(Err(error))),
            Self::Submits { taken, .. } => {
                if let Some(taken) = taken {
                    let _ = taken.send(Err(error));
                }
            }
        }
    }

    fn answer(self, found: Reply) {
        match self {
            Self::Asks(reply) => drop(reply.send(Ok(found))),
            Self::Submits { taken, reply } => {
                if let Some(taken) = taken {
                    let _ = taken.send(Ok(()));
                }
                let _ = reply.send(found);
            }
        }
    }
}

struct Entry {
    parcel: Parcel,
    deadline: Timestamp,
    /// The session in which it was sent last; 0 = never.
    session: u64,
    /// In how many sessions it was sent.
    sent: u32,
    asker: Asker,
}

/// What is sent.
#[derive(Clone)]
pub(super) struct Parcel {
    pub kind: StreamKind,
    pub lane: usize,
    pub id: Uuid,
    pub body: Bytes,
}

/// See the module.
pub(super) struct Desk {
    entries: Mutex<BTreeMap<u64, Entry>>,
    next: AtomicU64,
    limit: usize,
    unanswered: Gauge,
}

impl Desk {
    pub fn new(limit: usize, unanswered: Gauge) -> Self {
        Self {
            entries: Mutex::new(BTreeMap::new()),
            next: AtomicU64::new(1),
            limit,
            unanswered,
        }
    }

    /// Takes an ask in and gives it a number; numbers grow.
    pub fn admit(&self, ask: &Ask, lane: usize, body: Bytes, asker: Asker) -> Result<u64, BrokerError> {
        let mut entries = self.entries();
        if entries.len() >= self.limit {
            return Err(BrokerError::Busy);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            parcel: Parcel {
                kind: ask.command.service(),
                lane,
                id: ask.id.0,
                body,
            },
            deadline: ask.deadline_ms,
            session: 0,
            sent: 0,
            asker,
        };
        entries.insert(number, entry);
        self.unanswered.set(entries.len() as f64);
        Ok(number)
    }

    /// What is to be sent, once per session; `None` when nobody waits any more or it was sent already.
    pub fn parcel(&self, number: u64, session: u64) -> Option<Parcel> {
        let mut entries = self.entries();
        let entry = entries
            .get_mut(&number)
            .filter(|entry| entry.session != session)?;
        if entry.asker.is_gone() {
            entries.remove(&number);
            return None;
        }
        entry.session = session;
        entry.sent += 1;
        Some(entry.parcel.clone())
    }

    /// All that is unanswered, the oldest first.
    pub fn unanswered(&self) -> Vec<u64> {
        self.entries().keys().copied().collect()
    }

    /// The broker has it.
    pub fn taken(&self, number: u64) {
        let mut entries = self.entries();
        if let Some(Entry {
            asker: Asker::Submits { taken, .. },
            ..
        }) = entries.get_mut(&number)
            && let Some(taken) = taken.take()
        {
            let _ = taken.send(Ok(()));
        }
    }

    /// The broker has not taken it, for this reason. When it was sent before, that may have been taken.
    pub fn refused(&self, number: u64, error: BrokerError) {
        if let Some(entry) = self.remove(number) {
            entry.asker.fail(match entry.sent {
                0 | 1 => error,
                _ => BrokerError::NoAnswer,
            });
        }
    }

    /// Its reply came. A second one finds nobody.
    pub fn answered(&self, number: u64, reply: Reply) {
        if let Some(entry) = self.remove(number) {
            entry.asker.answer(reply);
        }
    }

    /// Nobody waits for it any more.
    pub fn forget(&self, number: u64) {
        self.remove(number);
    }

    /// Takes an ask back that was never sent; false when it was.
    pub fn withdraw(&self, number: u64) -> bool {
        let mut entries = self.entries();
        let unsent = entries.get(&number).is_some_and(|entry| entry.sent == 0);
        if unsent {
            entries.remove(&number);
        }
        unsent
    }

    /// Forgets what nobody waits for, and what has passed its deadline.
    pub fn sweep(&self, now: Timestamp) {
        let mut entries = self.entries();
        let late: Vec<u64> = entries
            .iter()
            .filter(|(_, entry)| entry.deadline < now || entry.asker.is_gone())
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            if let Some(entry) = entries.remove(&number) {
                entry.asker.fail(BrokerError::NoAnswer);
            }
        }
        self.unanswered.set(entries.len() as f64);
    }

    fn remove(&self, number: u64) -> Option<Entry> {
        self.entries().remove(&number)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        // A map of whole entries, whoever panicked.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An asker's place at the desk: leaves it when the asker goes.
pub(super) struct Place<'a> {
    pub desk: &'a Desk,
    pub number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.desk.forget(self.number);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use contract::{
        Answer, Cause, Command, CommandId, ShowId,
        commands::{ShowAction, ShowCommand},
    };

    fn ask(deadline: i64) -> Ask {
        Ask {
            id: CommandId(Uuid::from_u128(1)),
            cause: Cause {
                correlation: Uuid::nil(),
                actor: "test".into(),
                trace: None,
            },
            deadline_ms: Timestamp(deadline),
            command: Command::Show(ShowCommand {
                show_id: ShowId(Uuid::nil()),
                action: ShowAction::ExpireHolds,
            }),
        }
    }

    fn desk() -> Desk {
        Desk::new(2, metrics::gauge!("test"))
    }

    fn asks(desk: &Desk) -> (u64, oneshot::Receiver<Result<Reply, BrokerError>>) {
        let (sender, receiver) = oneshot::channel();
        let number = desk
            .admit(&ask(100), 0, Bytes::new(), Asker::Asks(sender))
            .unwrap();
        (number, receiver)
    }

    #[test]
    fn an_ask_is_sent_once_in_a_session_and_again_in_the_next() {
        let desk = desk();
        let (number, _asker) = asks(&desk);
        assert!(desk.parcel(number, 1).is_some());
        assert!(desk.parcel(number, 1).is_none());
        assert_eq!(desk.unanswered(), [number]);
        assert!(desk.parcel(number, 2).is_some());
    }

    #[test]
    fn a_refusal_is_certain_only_when_it_was_sent_once() {
        let desk = desk();
        let (number, mut asker) = asks(&desk);
        desk.parcel(number, 1);
        desk.refused(number, BrokerError::Busy);
        assert!(matches!(asker.try_recv().unwrap(), Err(BrokerError::Busy)));

        let (number, mut asker) = asks(&desk);
        desk.parcel(number, 1);
        desk.parcel(number, 2);
        desk.refused(number, BrokerError::Busy);
        assert!(matches!(asker.try_recv().unwrap(), Err(BrokerError::NoAnswer)));
    }

    #[test]
    fn past_the_limit_nothing_is_admitted_and_places_are_given_up() {
        let desk = desk();
        let (_, _one) = asks(&desk);
        let (_, other) = asks(&desk);
        let (sender, _receiver) = oneshot::channel();
        let refused = desk.admit(&ask(100), 0, Bytes::new(), Asker::Asks(sender));
        assert!(matches!(refused, Err(BrokerError::Busy)));
        drop(other);
        desk.sweep(Timestamp(50));
        assert_eq!(desk.unanswered().len(), 1);
        desk.sweep(Timestamp(101));
        assert!(desk.unanswered().is_empty());
    }

    #[test]
    fn what_was_sent_cannot_be_withdrawn() {
        let desk = desk();
        let (number, _asker) = asks(&desk);
        desk.parcel(number, 1);
        assert!(!desk.withdraw(number));
        let (number, _asker) = asks(&desk);
        assert!(desk.withdraw(number));
    }

    #[test]
    fn a_submitter_hears_that_it_was_taken_and_then_the_reply() {
        let desk = desk();
        let (taken, mut is_taken) = oneshot::channel();
        let (reply, mut replied) = oneshot::channel();
        let asker = Asker::Submits {
            taken: Some(taken),
            reply,
        };
        let number = desk.admit(&ask(100), 0, Bytes::new(), asker).unwrap();
        desk.parcel(number, 1);
        desk.taken(number);
        assert!(is_taken.try_recv().unwrap().is_ok());
        let done = Reply {
            position: None,
            answer: Answer::Done,
        };
        desk.answered(number, done.clone());
        assert_eq!(replied.try_recv().unwrap(), done);
    }
}
