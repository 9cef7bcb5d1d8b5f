//! The lane itself: take, decide, append, answer, without ever waiting for one thing only.

use super::{
    LaneLimits, LanePorts, Served,
    batch::{self, Batch, Job, Settled},
    cache::{self, Cache, Cached},
    line::Line,
};
use contract::{Failure, Reply, Timestamp};
use futures_util::future::join_all;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use ports::{AppendError, Delivery};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// How long asks that nobody gives up wait before the log is tried again, in milliseconds.
const TRY_AGAIN_MS: u64 = 250;

/// What a lane is waiting for outside of its mailbox; one thing at a time.
enum Landed<A: Served> {
    Loaded(Vec<(Uuid, Result<Cached<A>, Failure>)>),
    Appended(Vec<Settled>),
}
type Flight<A> = Pin<Box<dyn Future<Output = Landed<A>> + Send>>;

/// One lane.
pub(super) struct Lane<A: Served> {
    ports: LanePorts,
    limits: LaneLimits,
    mailbox: mpsc::Receiver<Delivery>,
    cache: Cache<A>,
    lines: BTreeMap<Uuid, Line>,
    /// Of the last delivery; see [`Delivery::term`].
    term: u32,
    pending: VecDeque<Job>,
    /// Those that nobody gives up, while the log is away; at the most as many as the broker lets a lane have.
    patient: Vec<Job>,
    try_again_at: Timestamp,
    flight: Option<Flight<A>>,
    gauges: Gauges,
}

struct Gauges {
    commands: Counter,
    queries: Counter,
    conflicts: Counter,
    batch: Histogram,
    depth: Gauge,
    waiting: Gauge,
}

impl<A: Served> Lane<A> {
    pub fn new(ports: LanePorts, limits: LaneLimits, mailbox: mpsc::Receiver<Delivery>) -> Self {
        let kind = A::KIND.prefix();
        Self {
            ports,
            limits,
            mailbox,
            cache: Cache::new(A::KEEP_AT_MOST),
            lines: BTreeMap::new(),
            term: 0,
            pending: VecDeque::new(),
            patient: Vec::new(),
            try_again_at: Timestamp::default(),
            flight: None,
            gauges: Gauges {
                commands: counter!("eventflow_lane_commands_total", "kind" => kind),
                queries: counter!("eventflow_lane_queries_total", "kind" => kind),
                conflicts: counter!("eventflow_lane_conflicts_total", "kind" => kind),
                batch: histogram!("eventflow_lane_batch_commands", "kind" => kind),
                depth: gauge!("eventflow_lane_depth", "kind" => kind),
                waiting: gauge!("eventflow_lane_waiting_in_line", "kind" => kind),
            },
        }
    }

    /// Serves until `shutdown` turns true or the mailbox closes; what was begun is finished and answered.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut open = true;
        loop {
            if self.flight.is_none() {
                self.begin();
            }
            if !open && self.flight.is_none() && self.pending.is_empty() {
                break;
            }
            let clock = self.ports.clock.clone();
            let wake = self.wake_at();
            tokio::select! {
                biased;
                landed = landing(&mut self.flight) => {
                    self.flight = None;
                    self.land(landed);
                }
                delivery = self.mailbox.recv(), if open && self.pending.len() < self.limits.batch => match delivery {
                    Some(delivery) => self.take_all(delivery),
                    None => open = false,
                },
                () = clock.sleep_until(wake.unwrap_or(Timestamp(i64::MAX))), if wake.is_some() => {}
                stop = shutdown.wait_for(|stop| *stop), if open => {
                    drop(stop);
                    open = false;
                }
            }
        }
        for (_, mut line) in std::mem::take(&mut self.lines) {
            while let Some(waiting) = line.leave() {
                waiting.job.fail(Failure::Unavailable {
                    what: "shutting down".into(),
                });
            }
        }
    }

    /// When something is due by time alone; nothing is while an append is on its way, for it is looked at after.
    fn wake_at(&self) -> Option<Timestamp> {
        if self.flight.is_some() {
            return None;
        }
        let patience = self.lines.values().map(Line::earliest).min();
        let again = (!self.patient.is_empty()).then_some(self.try_again_at);
        [self.cache.next_due(), patience, again]
            .into_iter()
            .flatten()
            .min()
    }

    fn take_all(&mut self, first: Delivery) {
        self.take(first);
        while self.pending.len() < self.limits.batch {
            match self.mailbox.try_recv() {
                Ok(delivery) => self.take(delivery),
                Err(_) => break,
            }
        }
        self.gauges.depth.set(self.mailbox.len() as f64);
    }

    /// Answers a query at once when the aggregate is in memory; everything else waits for the next batch.
    fn take(&mut self, Delivery { ask, reply, term }: Delivery) {
        if term != self.term {
            // Another node may have written meanwhile. A grant would find out by its revision, a refusal would not.
            self.term = term;
            self.cache.clear();
        }
        if let (Some(action), Some(entry)) = (A::action(&ask), self.cache.get(&ask.command.key()))
            && A::is_query(action)
        {
            self.gauges.queries.increment(1);
            let answer = match A::decide(&entry.state, action, self.ports.clock.now()) {
                Ok(_) => A::answer(&entry.state, action, self.ports.clock.now()),
                Err(refusal) => contract::Answer::Refused(refusal),
            };
            // An asker that has gone needs no answer.
            let _ = reply.send(Reply {
                position: entry.position,
                answer,
            });
            return;
        }
        self.pending.push_back(Job {
            ask,
            reply: Some(reply),
            also: Vec::new(),
            attempts: 0,
        });
    }

    /// Begins the next flight, if there is anything to do: reads what is missing, or decides and appends.
    fn begin(&mut self) {
        let now = self.ports.clock.now();
        if self.try_again_at <= now {
            for job in self.patient.drain(..).rev() {
                self.pending.push_front(job);
            }
        }
        let patience_over = self.lines.values().any(|line| line.earliest() <= now);
        let due = self.cache.due(now);
        let mut missing: BTreeSet<Uuid> = self
            .pending
            .iter()
            .filter(|job| self.must_load(job))
            .map(Job::key)
            .collect();
        // A line outlives its show's place in memory, which a conflict ends.
        missing.extend(self.lines.keys().filter(|key| !self.cache.contains(key)));
        if self.pending.is_empty() && missing.is_empty() && due.is_empty() && !patience_over {
            return;
        }
        if !missing.is_empty() {
            let ports = self.ports.clone();
            self.flight = Some(Box::pin(async move {
                let load = async |key| (key, cache::load::<A>(&ports, key).await);
                Landed::Loaded(join_all(missing.into_iter().map(load)).await)
            }));
            return;
        }
        let mut jobs: Vec<Job> = due
            .into_iter()
            .filter_map(|(key, action)| self.timer(key, action, now))
            .collect();
        jobs.extend(self.pending.drain(..));
        self.gauges.commands.increment(jobs.len() as u64);
        self.gauges.batch.record(jobs.len() as f64);
        let mut batch = Batch::new(&mut self.cache, &mut self.lines, self.limits, now);
        for job in jobs {
            batch.decide(job);
        }
        batch.serve_lines();
        let (write, answer): (Vec<_>, Vec<_>) = batch.finish().into_iter().partition(batch::Work::writes);
        for work in answer {
            self.settle(Settled {
                work,
                outcome: Ok(None),
            });
        }
        self.gauges
            .waiting
            .set(self.lines.values().map(Line::len).sum::<usize>() as f64);
        if !write.is_empty() {
            let ports = self.ports.clone();
            self.flight = Some(Box::pin(async move {
                Landed::Appended(batch::append::<A>(ports, write).await)
            }));
        }
    }

    fn timer(&self, key: Uuid, action: A::Action, now: Timestamp) -> Option<Job> {
        let next = self.cache.get(&key)?.end.next;
        Some(batch::timer(A::command(key, action)?, next, now))
    }

    fn must_load(&self, job: &Job) -> bool {
        let first_try_of_a_new_one = job.attempts == 0 && A::action(&job.ask).is_some_and(A::creates);
        !self.cache.contains(&job.key()) && !first_try_of_a_new_one
    }

    fn land(&mut self, landed: Landed<A>) {
        match landed {
            Landed::Loaded(loaded) => {
                for (key, result) in loaded {
                    match result {
                        Ok(entry) => self.cache.insert(key, entry),
                        Err(failure) => self.fail_all(key, &failure),
                    }
                }
            }
            Landed::Appended(settled) => {
                for settled in settled.into_iter().rev() {
                    self.settle(settled);
                }
                let lines = &self.lines;
                self.cache.shrink(|key| lines.contains_key(key));
            }
        }
    }

    fn fail_all(&mut self, key: Uuid, failure: &Failure) {
        if let Failure::Unreadable { what } = failure {
            tracing::error!(
                what,
                "an aggregate cannot be read; it is closed until that is repaired"
            );
        }
        if let Some(mut line) = self.lines.remove(&key) {
            while let Some(waiting) = line.leave() {
                waiting.job.fail(failure.clone());
            }
        }
        for job in std::mem::take(&mut self.pending) {
            match job.key() == key {
                true if matches!(failure, Failure::Unavailable { .. }) => self.fail(job, failure.clone()),
                true => job.fail(failure.clone()),
                false => self.pending.push_back(job),
            }
        }
    }

    /// Answers that the log is away; an ask that nobody gives up waits for it instead.
    fn fail(&mut self, job: Job, failure: Failure) {
        if !job.ask.is_patient() || job.reply.is_none() {
            return job.fail(failure);
        }
        if self.patient.is_empty() {
            self.try_again_at = self.ports.clock.now().plus_ms(TRY_AGAIN_MS);
        }
        self.patient.push(job);
    }

    /// Tells the askers; or, when the stream was not where it was expected, decides again on what is there.
    fn settle(&mut self, Settled { work, outcome }: Settled) {
        let key = work.key;
        match outcome {
            Ok(appended) => {
                let mut position = None;
                if let Some(entry) = self.cache.get_mut(&key) {
                    entry.position = appended.map(|appended| appended.position).or(entry.position);
                    position = entry.position;
                    cache::keep_snapshot(&self.ports, key, entry);
                }
                for (job, answer) in work.replies {
                    job.answer(position, answer);
                }
                let unborn = self.cache.get(&key).is_some_and(|entry| entry.end.next == 0);
                if !A::KEEP || unborn {
                    self.cache.remove(&key);
                }
            }
            Err(error) => {
                // What is in memory is not what is in the log.
                self.cache.remove(&key);
                let again = matches!(error, AppendError::Conflict { .. } | AppendError::Unknown(_));
                self.gauges.conflicts.increment(u64::from(again));
                if !again {
                    tracing::warn!(kind = A::KIND.prefix(), %error, "append failed");
                }
                for (mut job, _) in work.replies.into_iter().rev() {
                    job.attempts += 1;
                    if again && job.attempts < self.limits.attempts && job.reply.is_some() {
                        self.pending.push_front(job);
                    } else if matches!(error, AppendError::Unacceptable(_)) {
                        job.fail(batch::failure(&error));
                    } else {
                        self.fail(job, batch::failure(&error));
                    }
                }
            }
        }
    }
}

/// Waits for the flight; for ever when there is none.
async fn landing<A: Served>(flight: &mut Option<Flight<A>>) -> Landed<A> {
    match flight {
        Some(flight) => flight.await,
        None => std::future::pending().await,
    }
}
