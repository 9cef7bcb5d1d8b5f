//! One batch: decided against the evolving state, appended once per stream, answered when durable.

use super::{
    LaneLimits, LanePorts, Served,
    cache::{Cache, Cached},
    line::{Line, Waiting},
    served::Claim,
};
use contract::{
    Answer, Ask, Cause, Command, CommandId, Failure, NewEvent, Refusal, Reply, Revision, StreamName,
    Timestamp,
};
use futures_util::future::join_all;
use ports::{AppendError, Appended, Expected, event_log::MAX_APPEND_EVENTS};
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use uuid::Uuid;

/// An ask that is to be decided.
pub(super) struct Job {
    pub ask: Ask,
    /// Where the answer goes; the lane's own timers wait for none.
    pub reply: Option<oneshot::Sender<Reply>>,
    /// Others who asked the very same and are told the same.
    pub also: Vec<oneshot::Sender<Reply>>,
    /// How often it was decided in vain.
    pub attempts: u8,
}

/// How many copies of an ask wait for its answer.
const COPIES: usize = 8;

impl Job {
    pub fn key(&self) -> Uuid {
        self.ask.command.key()
    }

    pub fn answer(self, position: Option<contract::Position>, answer: Answer) {
        let reply = Reply { position, answer };
        for other in self.also {
            let _ = other.send(reply.clone());
        }
        if let Some(asker) = self.reply {
            // An asker that has gone finds the outcome in the log.
            let _ = asker.send(reply);
        }
    }

    /// Answers those who asked the same before with this one. Dropping them would be no answer: a broker that keeps
    /// asks would bring them again, and each copy would send the other one away.
    pub fn join(&mut self, older: Self) {
        self.also.extend(older.reply);
        self.also.extend(older.also);
        self.also.retain(|asker| !asker.is_closed());
        while self.also.len() >= COPIES {
            let answer = Answer::Failed(Failure::Busy {
                retry_after_ms: 1_000,
            });
            let _ = self.also.remove(0).send(Reply {
                position: None,
                answer,
            });
        }
    }

    pub fn fail(self, failure: Failure) {
        self.answer(None, Answer::Failed(failure));
    }
}

/// What a batch does to one aggregate.
pub(super) struct Work {
    pub key: Uuid,
    /// The revision of the first event.
    first: Revision,
    events: Vec<NewEvent>,
    /// Who is told what once the events are durable.
    pub replies: Vec<(Job, Answer)>,
}

/// A batch behind its append.
pub(super) struct Settled {
    pub work: Work,
    pub outcome: Result<Option<Appended>, AppendError>,
}

/// Decides a batch. Borrowed from the lane for as long as that takes.
pub(super) struct Batch<'a, A: Served> {
    pub cache: &'a mut Cache<A>,
    pub lines: &'a mut BTreeMap<Uuid, Line>,
    pub limits: LaneLimits,
    pub now: Timestamp,
    work: BTreeMap<Uuid, Work>,
}

impl<'a, A: Served> Batch<'a, A> {
    pub fn new(
        cache: &'a mut Cache<A>,
        lines: &'a mut BTreeMap<Uuid, Line>,
        limits: LaneLimits,
        now: Timestamp,
    ) -> Self {
        Self {
            cache,
            lines,
            limits,
            now,
            work: BTreeMap::new(),
        }
    }

    /// Decides one ask.
    pub fn decide(&mut self, job: Job) {
        let key = job.key();
        if job.ask.deadline_ms < self.now {
            let refusal = Refusal::TooLate {
                deadline_ms: job.ask.deadline_ms,
            };
            return self.note(key, job, Answer::Refused(refusal));
        }
        let Some(action) = A::action(&job.ask) else {
            return job.fail(Failure::Unavailable {
                what: "this lane serves another aggregate".into(),
            });
        };
        if self.cache.get(&key).is_none() {
            self.cache.insert(key, Cached::absent());
        }
        let Some(entry) = self.cache.get_mut(&key) else {
            return;
        };
        let claim = A::claim(action);
        let others_wait = claim.is_some() && self.lines.get(&key).is_some_and(|line| !line.is_empty());
        match (A::decide(&entry.state, action, self.now), claim) {
            (Ok(events), Some(claim)) if others_wait && !events.is_empty() => self.wait(key, job, claim, 0),
            (Ok(events), _) => self.apply(key, job, events),
            (Err(Refusal::AllHeld { free, .. }), Some(claim)) if claim.until.is_some() => {
                self.wait(key, job, claim, free);
            }
            (Err(refusal), _) => self.note(key, job, Answer::Refused(refusal)),
        }
    }

    /// Joins the line, behind those who came before.
    fn wait(&mut self, key: Uuid, job: Job, claim: Claim, free: u32) {
        let line = self.lines.entry(key).or_insert_with(Line::new);
        let Some(job) = line.rejoin(claim.hold_id, job) else {
            return;
        };
        match claim.until {
            Some(_) if line.len() >= self.limits.line => {
                job.fail(Failure::Busy {
                    retry_after_ms: 1_000,
                });
            }
            Some(until) if until > self.now => {
                line.join(Waiting {
                    hold_id: claim.hold_id,
                    until,
                    job,
                });
            }
            _ => self.note(key, job, Answer::Refused(Refusal::SoldOut { free })),
        }
    }

    /// Serves the lines of the shows that this batch has touched, and sends away whose patience has ended.
    pub fn serve_lines(&mut self) {
        let keys: Vec<Uuid> = self.lines.keys().copied().collect();
        for key in keys {
            let gone = self
                .lines
                .get_mut(&key)
                .map(|line| line.expired(self.now))
                .unwrap_or_default();
            let touched = self.work.contains_key(&key) || !gone.is_empty();
            for waiting in gone {
                self.last_chance(key, waiting.job);
            }
            while touched && self.serve_first(key) {}
        }
        self.lines.retain(|_, line| !line.is_empty());
    }

    /// Serves whoever is first in line; false when nobody is, or must go on waiting.
    fn serve_first(&mut self, key: Uuid) -> bool {
        let (Some(line), Some(entry)) = (self.lines.get_mut(&key), self.cache.get(&key)) else {
            return false;
        };
        let Some(action) = line.first().and_then(|first| A::action(&first.job.ask)) else {
            return false;
        };
        let decision = A::decide(&entry.state, action, self.now);
        if matches!(decision, Err(Refusal::AllHeld { .. })) {
            return false;
        }
        let Some(first) = line.leave() else { return false };
        match decision {
            Ok(events) => self.apply(key, first.job, events),
            Err(refusal) => self.note(key, first.job, Answer::Refused(refusal)),
        }
        true
    }

    /// What can be had at the end of one's patience, or a clear no.
    fn last_chance(&mut self, key: Uuid, job: Job) {
        let (Some(entry), Some(action)) = (self.cache.get(&key), A::action(&job.ask)) else {
            return job.fail(Failure::Unavailable {
                what: "the show is not in memory".into(),
            });
        };
        let refusal = match A::decide(&entry.state, action, self.now) {
            // Tickets that are free now belong to those who go on waiting, if there are any.
            Ok(events) if self.lines.get(&key).is_none_or(Line::is_empty) => {
                return self.apply(key, job, events);
            }
            Ok(_) => Refusal::SoldOut { free: 0 },
            Err(Refusal::AllHeld { free, .. }) => Refusal::SoldOut { free },
            Err(refusal) => refusal,
        };
        self.note(key, job, Answer::Refused(refusal));
    }

    /// The events happen: in memory now, in the log with the batch.
    fn apply(&mut self, key: Uuid, job: Job, events: Vec<contract::Event>) {
        let Some(entry) = self.cache.get_mut(&key) else {
            return;
        };
        let first = entry.end.next;
        let nothing_new = events.is_empty();
        for event in &events {
            A::evolve(&mut entry.state, event);
        }
        let stream = StreamName::of(A::KIND, key);
        let linked = match entry
            .end
            .link(&stream, job.ask.id, &job.ask.cause, self.now, events)
        {
            Ok(linked) => linked,
            Err(error) => {
                // Only a bug can do this. The state in memory is no longer the log's: forget it.
                tracing::error!(%stream, %error, "an event cannot be written as JSON");
                self.cache.remove(&key);
                return job.fail(Failure::Unreadable {
                    what: "the decision cannot be written".into(),
                });
            }
        };
        let Some(action) = A::action(&job.ask) else { return };
        let mut answer = A::answer(&entry.state, action, self.now);
        if let Answer::Requested { repeated } = &mut answer {
            *repeated = nothing_new;
        }
        let work = self.work.entry(key).or_insert_with(|| Work::new(key, first));
        work.events.extend(linked);
        work.replies.push((job, answer));
    }

    /// An answer that rests on the state as it is: told when that state is durable.
    fn note(&mut self, key: Uuid, job: Job, answer: Answer) {
        let first = self.cache.get(&key).map_or(0, |entry| entry.end.next);
        self.work
            .entry(key)
            .or_insert_with(|| Work::new(key, first))
            .replies
            .push((job, answer));
    }

    /// All that the batch does, by aggregate.
    pub fn finish(self) -> Vec<Work> {
        let cache = self.cache;
        self.work
            .into_values()
            .inspect(|work| match work.events.is_empty() {
                // A timer that changed nothing would ring for ever.
                true if work.replies.iter().any(|(job, _)| job.reply.is_none()) => cache.silence(work.key),
                true => {}
                false => cache.set_timer(work.key),
            })
            .collect()
    }
}

impl Work {
    fn new(key: Uuid, first: Revision) -> Self {
        Self {
            key,
            first,
            events: Vec::new(),
            replies: Vec::new(),
        }
    }

    pub fn writes(&self) -> bool {
        !self.events.is_empty()
    }
}

/// Appends a batch, all streams at once, so that the log can commit them together.
pub(super) async fn append<A: Served>(ports: LanePorts, batch: Vec<Work>) -> Vec<Settled> {
    join_all(batch.into_iter().map(|work| append_one::<A>(&ports, work))).await
}

async fn append_one<A: Served>(ports: &LanePorts, mut work: Work) -> Settled {
    let stream = StreamName::of(A::KIND, work.key);
    let mut events = std::mem::take(&mut work.events);
    let mut next = work.first;
    let mut outcome = Ok(None);
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(MAX_APPEND_EVENTS));
        let count = events.len() as u64;
        match ports.log.append(&stream, Expected::before(next), events).await {
            Ok(appended) => outcome = Ok(Some(appended)),
            Err(error) => {
                return Settled {
                    work,
                    outcome: Err(error),
                };
            }
        }
        next += count;
        events = rest;
    }
    Settled { work, outcome }
}

/// What the askers are told when an append has failed for good.
pub(super) fn failure(error: &AppendError) -> Failure {
    match error {
        AppendError::Conflict { .. } => Failure::Busy { retry_after_ms: 500 },
        AppendError::Unknown(what) => Failure::Unknown { what: what.clone() },
        AppendError::Unavailable(what) | AppendError::Unacceptable(what) => {
            Failure::Unavailable { what: what.clone() }
        }
    }
}

/// The ask of a lane's own timer: the same for the same state, whoever's timer it is.
pub(super) fn timer(command: Command, next: Revision, now: Timestamp) -> Job {
    let key = command.key();
    Job {
        ask: Ask {
            id: CommandId(key).derived(&format!("timer-{next}")),
            cause: Cause {
                correlation: key,
                actor: "timer".into(),
                trace: None,
            },
            deadline_ms: now.plus_ms(60_000),
            command,
        },
        reply: None,
        also: Vec::new(),
        attempts: 0,
    }
}
