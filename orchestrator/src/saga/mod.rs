//! One saga at work: send the open ask, hear the answer, react, write.

mod stream;

use crate::{
    backoff::Backoff,
    meters::StepOutcome,
    registry::Active,
    reservation::{Direction, Input, Outcome, Owed, Phase, State, Unwritten, deadline, owed, react, undo},
    runner::Orchestrator,
};
use contract::{
    Answer, Ask, Cause, Recorded, Reply, StreamEnd, StreamName, Timestamp, Unreadable, events::Step,
};
use ports::{BrokerError, LogError};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// How many events one read of a stream asks for.
const PAGE: usize = 1_024;
/// How often a stream is read in the hope of events that were heard of: a log of several nodes may be behind.
const READS: usize = 10;

/// Where a task finds its saga.
pub(crate) enum Start {
    /// At its very request, which nobody has worked on.
    Requested(Arc<Recorded>),
    /// In the log.
    Logged,
}

/// Why a saga cannot go on in this process. It is found again at the next start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error("its events cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("its stream does not begin with a request")]
    NoRequest,
    #[error("events that were heard of do not appear in the log")]
    Missing,
    #[error("{0}")]
    Damaged(LogError),
    #[error("its events cannot be written: {0}")]
    Unwritable(String),
    #[error("a purchase that came to nothing could not be undone to the end")]
    NotUndone,
    #[error("the program is about to end")]
    Draining,
}

/// A saga in memory. Boxed where it is returned, because futures that hold it are moved.
struct Saga {
    stream: StreamName,
    state: State,
    end: StreamEnd,
    unwritten: Unwritten,
    cause: Cause,
    /// As its stream tells, which others may have written while this process, or one before it, had asked for more.
    reread: bool,
    /// How often the open ask has failed, and the pause before the next try.
    failures: u32,
    backoff: Backoff,
}

/// What came of an ask.
enum Heard {
    Answer(Answer),
    /// Somebody else wrote the stream: the saga was read again, and the answer means nothing any more.
    News,
}

/// What became of a write.
#[derive(PartialEq, Eq)]
enum Written {
    Yes,
    /// Something else stands in the log: the saga was read again.
    Reloaded,
}

impl Orchestrator {
    /// Drives a saga until it rests, and gives its place back.
    pub(crate) async fn work(
        self: Arc<Self>,
        mut active: Active,
        start: Start,
        _place: OwnedSemaphorePermit,
    ) {
        let mut start = start;
        loop {
            match self.attend(&active, start).await {
                Ok(saga) if active.leave(saga.end.next) => return,
                Ok(_) => start = Start::Logged,
                Err(Halt::Draining) => return,
                Err(halt) => {
                    self.meters.halted();
                    tracing::error!(saga = %active.id(), %halt, "a saga cannot go on; an operator must look");
                    return;
                }
            }
        }
    }

    async fn attend(&self, active: &Active, start: Start) -> Result<Box<Saga>, Halt> {
        let mut saga = self.open(active, start).await?;
        // An event that came again finds a saga that settled long ago.
        let settled_before = matches!(saga.state.phase, Phase::Settled(_));
        self.drive(&mut saga, active).await?;
        if saga.reread && saga.state.is_undone_in_part() {
            self.undo_the_rest(&mut saga, active).await?;
        }
        if !settled_before {
            self.report(&saga);
        }
        Ok(saga)
    }

    /// Tells how a saga that rests came out.
    fn report(&self, saga: &Saga) {
        let id = saga.state.id();
        match &saga.state.phase {
            Phase::Settled(Outcome::Confirmed | Outcome::Rejected | Outcome::Cancelled) => {
                self.meters
                    .settled(self.clock.now().ms_since(saga.state.request.requested_at_ms));
                self.meters.stuck(id, false);
            }
            Phase::Stuck(undoing) => {
                if self.meters.stuck(id, true) {
                    tracing::error!(saga = %id, step = ?undoing.pending.first(), "a saga is stuck; an operator must look");
                }
            }
            Phase::Forward { .. } | Phase::Compensating(_) => {}
        }
    }

    async fn drive(&self, saga: &mut Saga, active: &Active) -> Result<(), Halt> {
        loop {
            if active.has_news(saga.end.next) {
                *saga = *self.load(saga.stream.clone(), active).await?;
            }
            let Some(owed) = owed(&saga.state, &self.settings) else {
                return Ok(());
            };
            let now = self.clock.now();
            if let Some(deadline_ms) =
                deadline(&saga.state, &self.settings).filter(|deadline| *deadline <= now)
            {
                self.meters.step(owed.step, StepOutcome::Expired);
                self.take_in(saga, active, Input::DeadlinePassed { deadline_ms })
                    .await?;
                continue;
            }
            let (step, direction) = (owed.step, owed.direction);
            match self.ask(saga, active, owed, now).await? {
                Heard::News => {}
                Heard::Answer(answer) => self.hear(saga, active, step, direction, answer).await?,
            }
        }
    }

    /// Another process drove the saga, too, and ended it where it believed that nothing had been paid yet. This one, or
    /// one before it, may have been further: when a broker is away for a moment, it gives a request that one process
    /// still works on to another. So the rest is undone as well. Its stream is at rest and tells nothing of it; those
    /// of payment, buyer and show do.
    async fn undo_the_rest(&self, saga: &mut Saga, active: &Active) -> Result<(), Halt> {
        for step in [Step::RecordHistory, Step::TakePayment, Step::HoldInventory] {
            let mut backoff = Backoff::new(&self.settings);
            let mut failures = 0;
            loop {
                let owed = undo(&saga.state, step);
                match self.ask(saga, active, owed, self.clock.now()).await? {
                    // Refused: there is nobody and nothing that could have been asked for more.
                    Heard::Answer(Answer::Done | Answer::Refused(_)) => break,
                    Heard::News => {}
                    Heard::Answer(_) if failures >= self.settings.undo_attempts => {
                        return Err(Halt::NotUndone);
                    }
                    Heard::Answer(_) => {
                        failures += 1;
                        self.pause(&mut backoff).await?;
                    }
                }
            }
            self.meters.compensated(step);
        }
        Ok(())
    }

    /// Takes an answer in; the same ask stays open when it does not move the saga.
    async fn hear(
        &self,
        saga: &mut Saga,
        active: &Active,
        step: Step,
        direction: Direction,
        answer: Answer,
    ) -> Result<(), Halt> {
        let outcome = match &answer {
            Answer::Refused(_) => StepOutcome::Refused,
            _ => StepOutcome::Done,
        };
        let detail = match direction {
            Direction::Forward => None,
            Direction::Undo => failure(&answer),
        };
        let learned = direction == Direction::Forward && saga.state.learn(&answer);
        let moved = self
            .take_in(
                saga,
                active,
                Input::Answered {
                    step,
                    direction,
                    answer,
                },
            )
            .await?;
        match direction {
            Direction::Forward if moved => self.meters.step(step, outcome),
            Direction::Undo if moved => self.meters.compensated(step),
            // The next ask is another one, with what was learned.
            Direction::Forward | Direction::Undo if learned => {}
            Direction::Forward | Direction::Undo => {
                self.meters.step(step, StepOutcome::Failed);
                self.failed(saga, active, direction, detail).await?;
            }
        }
        Ok(())
    }

    /// The open ask was not answered with anything that moves the saga: the same ask again after a pause, as long
    /// as the deadline or the number of tries allows.
    async fn failed(
        &self,
        saga: &mut Saga,
        active: &Active,
        direction: Direction,
        detail: Option<String>,
    ) -> Result<(), Halt> {
        if self.is_draining() {
            return Err(Halt::Draining);
        }
        saga.failures += 1;
        if direction == Direction::Undo && saga.failures >= self.settings.undo_attempts {
            let detail = detail.unwrap_or_default();
            self.take_in(saga, active, Input::GaveUp { detail }).await?;
            return Ok(());
        }
        let mut until = self.clock.now().plus_ms(saga.backoff.next_ms());
        if let Some(deadline) = deadline(&saga.state, &self.settings) {
            until = until.min(deadline);
        }
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            () = active.news(saga.end.next) => {}
        }
        Ok(())
    }

    /// Reacts to an input and writes what must be durable. False when the input changed nothing.
    async fn take_in(&self, saga: &mut Saga, active: &Active, input: Input) -> Result<bool, Halt> {
        let events = react(&saga.state, input, self.clock.now());
        if events.is_empty() {
            return Ok(false);
        }
        for event in events {
            saga.state.evolve(&event);
            saga.unwritten.push(event);
        }
        saga.failures = 0;
        saga.backoff = Backoff::new(&self.settings);
        if saga.unwritten.must_be_written() {
            self.write(saga, active).await?;
        }
        Ok(true)
    }

    /// Sends an ask and waits for its answer. Meanwhile news are heard, and what was done before does not stay
    /// unwritten for long, so that readers see how far a slow purchase is.
    async fn ask(&self, saga: &mut Saga, active: &Active, owed: Owed, now: Timestamp) -> Result<Heard, Halt> {
        let deadline_ms = owed.try_until(&saga.state, &self.settings, now);
        let ask = Ask {
            id: owed.id,
            cause: saga.cause.clone(),
            deadline_ms,
            command: owed.command,
        };
        let flush_at = now.plus_ms(self.settings.flush_after_ms);
        let mut asking = self.broker.ask(ask);
        loop {
            tokio::select! {
                biased;
                reply = &mut asking => return Ok(Heard::Answer(answer(reply))),
                () = active.news(saga.end.next) => {
                    *saga = *self.load(saga.stream.clone(), active).await?;
                    return Ok(Heard::News);
                }
                () = self.clock.sleep_until(flush_at), if !saga.unwritten.is_empty() => {}
            }
            if self.write(saga, active).await? == Written::Reloaded {
                return Ok(Heard::News);
            }
        }
    }
}

fn answer(reply: Result<Reply, BrokerError>) -> Answer {
    reply.map_or_else(Answer::from, |reply| reply.answer)
}

/// What is told of an answer with which undoing does not get on; never what it carries, which may be personal.
fn failure(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Done => None,
        Answer::Failed(failure) => Some(failure.to_string()),
        Answer::Refused(refusal) => Some(format!("refused: {refusal}")),
        Answer::Quoted(_)
        | Answer::Held(_)
        | Answer::Hold(_)
        | Answer::Sales { .. }
        | Answer::Requested { .. }
        | Answer::User { .. } => Some("not an answer to this ask".into()),
    }
}
