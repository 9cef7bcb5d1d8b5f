//! A saga and its stream: reading it, writing it, and what it means when somebody else did.

use super::{Halt, PAGE, READS, Saga, Start, Written};
use crate::{
    backoff::Backoff,
    registry::Active,
    reservation::{Phase, State, Unwritten},
    runner::Orchestrator,
};
use contract::{Cause, CommandId, Event, Meta, Recorded, StreamEnd, StreamName, events::StepRecord};
use ports::{AppendError, Expected, LogError};
use std::{fmt::Write as _, sync::Arc};

impl Orchestrator {
    pub(super) async fn open(&self, active: &Active, start: Start) -> Result<Box<Saga>, Halt> {
        let stream = StreamName::reservation(active.id());
        match start {
            Start::Requested(recorded) => {
                let decoded = recorded.decode()?;
                let (Event::ReservationRequested(request), meta) = &*decoded else {
                    return Err(Halt::NoRequest);
                };
                Ok(self.saga(stream, State::begin(request), recorded.end()?, meta))
            }
            Start::Logged => self.load(stream, active).await,
        }
    }

    /// The saga as it stands in the log, with all that was heard of. Waits for the log as long as need be.
    pub(super) async fn load(&self, stream: StreamName, active: &Active) -> Result<Box<Saga>, Halt> {
        self.meters.reloaded();
        let mut backoff = Backoff::new(&self.settings);
        for _ in 0..READS {
            let events = self.read(&stream).await?;
            if active.has_news(events.len() as u64) {
                self.pause(&mut backoff).await?;
                continue;
            }
            let decoded = events
                .iter()
                .map(|recorded| recorded.decode())
                .collect::<Result<Vec<_>, _>>()?;
            let state = State::fold(decoded.iter().map(|decoded| &decoded.0)).ok_or(Halt::NoRequest)?;
            let (Some(first), Some(last)) = (decoded.first(), events.last()) else {
                return Err(Halt::NoRequest);
            };
            if !matches!(state.phase, Phase::Stuck(_)) {
                self.meters.stuck(state.id(), false);
            }
            let end = last.end()?;
            let mut saga = self.saga(stream, state, end, &first.1);
            saga.reread = true;
            return Ok(saga);
        }
        Err(Halt::Missing)
    }

    async fn read(&self, stream: &StreamName) -> Result<Vec<Arc<Recorded>>, Halt> {
        let mut events = Vec::new();
        let mut backoff = Backoff::new(&self.settings);
        loop {
            match self.log.read(stream, events.len() as u64, PAGE).await {
                Ok(page) => {
                    let last = page.len() < PAGE;
                    events.extend(page);
                    if last {
                        return Ok(events);
                    }
                }
                Err(LogError::Unavailable(what)) => {
                    tracing::warn!(what, "the log is away; a saga waits for it");
                    self.pause(&mut backoff).await?;
                }
                Err(damaged @ LogError::Damaged(_)) => return Err(Halt::Damaged(damaged)),
            }
        }
    }

    /// Writes all that waits, behind the revision that the saga knows. Waits for the log as long as need be.
    pub(super) async fn write(&self, saga: &mut Saga, active: &Active) -> Result<Written, Halt> {
        let events = saga.unwritten.take();
        let command = append_id(saga, &events);
        let mut end = saga.end;
        let events = end
            .link(&saga.stream, command, &saga.cause, self.clock.now(), events)
            .map_err(|error| Halt::Unwritable(error.to_string()))?;
        let expected = Expected::before(saga.end.next);
        let mut backoff = Backoff::new(&self.settings);
        loop {
            match self.log.append(&saga.stream, expected, events.clone()).await {
                Ok(_) => {
                    saga.end = end;
                    return Ok(Written::Yes);
                }
                Err(AppendError::Conflict { .. }) => break,
                Err(AppendError::Unknown(what)) => {
                    tracing::warn!(what, "unknown whether a saga was written; it is read back");
                    break;
                }
                Err(AppendError::Unavailable(what)) => {
                    tracing::warn!(what, "the log is away; a saga waits for it");
                    self.pause(&mut backoff).await?;
                }
                Err(AppendError::Unacceptable(what)) => return Err(Halt::Unwritable(what)),
            }
        }
        // What is in the log counts; what was in memory is asked for again.
        *saga = *self.load(saga.stream.clone(), active).await?;
        Ok(Written::Reloaded)
    }

    pub(super) async fn pause(&self, backoff: &mut Backoff) -> Result<(), Halt> {
        if self.is_draining() {
            return Err(Halt::Draining);
        }
        self.clock
            .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
            .await;
        Ok(())
    }

    fn saga(&self, stream: StreamName, state: State, end: StreamEnd, request: &Meta) -> Box<Saga> {
        let cause = Cause {
            correlation: state.id().0,
            actor: "saga".into(),
            trace: request.trace.clone(),
        };
        let (unwritten, failures) = (Unwritten::default(), 0);
        Box::new(Saga {
            stream,
            state,
            end,
            unwritten,
            cause,
            reread: false,
            failures,
            backoff: Backoff::new(&self.settings),
        })
    }
}

/// The id of an append: the same for the same content at the same revision, and another for another content, so
/// that an append whose outcome was unknown is never taken for a later one at the same place.
fn append_id(saga: &Saga, events: &[Event]) -> CommandId {
    let mut name = format!("saga:{}", saga.end.next);
    for event in events {
        let steps: &[StepRecord] = match event {
            Event::ReservationProgressed(event) => &event.steps,
            Event::CompensationStarted(event) => &event.steps,
            Event::ReservationConfirmed(event) => &event.steps,
            Event::ReservationRejected(event) => &event.steps,
            Event::ReservationCancelled(event) => &event.steps,
            Event::SagaStuck(event) => &event.steps,
            _ => &[],
        };
        name.push(':');
        name.push_str(event.kind());
        for record in steps {
            // Writing to a string does not fail.
            let _ = write!(
                name,
                ",{}{}@{}",
                record.step as u8, record.state as u8, record.at_ms.0
            );
        }
    }
    CommandId(saga.state.id().0).derived(&name)
}
