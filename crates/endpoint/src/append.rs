//! Append: one stream, one expected revision, some events; all or nothing.

use crate::{
    convert::{invalid, new_event, writable_stream},
    options::{Endpoint, leaving},
    wire::{
        AppendContent, AppendOptions, AppendReq, AppendResp, AppendResult, AppendSuccess, CurrentRevision,
        ExpectedRevision, ProposedMessage, SuccessPosition, SuccessRevision, WasExpected,
        WrongExpectedVersion,
    },
};
use contract::{NewEvent, Revision};
use ports::{AppendError, Appended, EventLog, Expected, event_log::MAX_APPEND_EVENTS};
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Status, Streaming};

/// What came of an append that could be carried out.
pub(crate) enum Outcome {
    /// The events are there.
    Done(Appended),
    /// The stream is not where it was expected; its last revision, when it has one.
    Wrong(Option<Revision>),
}

/// The events of one append while they are being received.
#[derive(Default)]
pub(crate) struct Received {
    pub events: Vec<NewEvent>,
    bytes: usize,
    held: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// Takes one more event, unless it is one too many.
    pub(crate) fn take(&mut self, endpoint: &Endpoint, message: ProposedMessage) -> Result<(), Status> {
        let size = message.data.len() + message.custom_metadata.len();
        self.bytes = self.bytes.saturating_add(size);
        let max = endpoint.options.max_message_bytes;
        if self.bytes > max || self.events.len() >= MAX_APPEND_EVENTS {
            let what = format!("an append has at most {MAX_APPEND_EVENTS} events and {max} bytes");
            return Err(invalid(what));
        }
        let more = endpoint.begin_holding(size)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        self.events.push(new_event(message)?);
        Ok(())
    }
}

impl Endpoint {
    pub(crate) async fn append(&self, messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
        // Half an append is nothing: a client that is still sending it when we close sends it again elsewhere.
        let (options, received) = tokio::select! {
            received = self.receive(messages) => received?,
            () = self.closed() => return Err(leaving()),
        };
        let expected = options.expected;
        let outcome = self.carry_out(options, received).await?;
        let result = match outcome {
            Outcome::Done(appended) => AppendResult::Success(success(appended)),
            Outcome::Wrong(current) => AppendResult::WrongExpectedVersion(WrongExpectedVersion {
                current: Some(current.map_or(CurrentRevision::NoStream(()), CurrentRevision::Revision)),
                expected: expected.map(|expected| match expected {
                    ExpectedRevision::Revision(revision) => WasExpected::Revision(revision),
                    ExpectedRevision::NoStream(()) => WasExpected::NoStream(()),
                    ExpectedRevision::Any(()) => WasExpected::Any(()),
                    ExpectedRevision::StreamExists(()) => WasExpected::StreamExists(()),
                }),
            }),
        };
        Ok(AppendResp { result: Some(result) })
    }

    async fn receive(&self, mut messages: Streaming<AppendReq>) -> Result<(AppendOptions, Received), Status> {
        let first = messages.message().await?.and_then(|message| message.content);
        let Some(AppendContent::Options(options)) = first else {
            return Err(invalid("an append begins with its options"));
        };
        let mut received = Received::default();
        while let Some(message) = messages.message().await? {
            match message.content {
                Some(AppendContent::Event(event)) => received.take(self, event)?,
                _ => return Err(invalid("behind the options of an append come events")),
            }
        }
        Ok((options, received))
    }

    /// Appends what was received.
    pub(crate) async fn carry_out(
        &self,
        options: AppendOptions,
        received: Received,
    ) -> Result<Outcome, Status> {
        let stream = writable_stream(options.stream.as_ref())?;
        // The memory is given back when the log has the events.
        let Received { events, held, .. } = received;
        let appended = match options.expected {
            Some(ExpectedRevision::NoStream(())) => {
                self.log.append(&stream, Expected::NoStream, events).await
            }
            Some(ExpectedRevision::Revision(revision)) => {
                self.log
                    .append(&stream, Expected::Exactly(revision), events)
                    .await
            }
            Some(ExpectedRevision::Any(())) => self.log.append_at_end(&stream, false, events).await,
            Some(ExpectedRevision::StreamExists(())) => self.log.append_at_end(&stream, true, events).await,
            None => return Err(invalid("an append says which revision it expects")),
        };
        drop(held);
        match appended {
            Ok(appended) => Ok(Outcome::Done(appended)),
            Err(AppendError::Conflict { current }) => Ok(Outcome::Wrong(current)),
            Err(error) => Err(refusal(&error)),
        }
    }
}

/// What a client is told of an append that was not carried out. Why, is for our own log.
fn refusal(error: &AppendError) -> Status {
    match error {
        AppendError::Unacceptable(what) => return invalid(what.as_str()),
        AppendError::Unavailable(why) => tracing::error!(why, "an append was refused"),
        _ => tracing::error!(%error, "the outcome of an append is unknown"),
    }
    match error {
        AppendError::Unavailable(_) => Status::unavailable("the log is not available; nothing was written"),
        // What EventStoreDB says too when a commit takes too long: it may be there or not.
        _ => Status::deadline_exceeded("it is not known whether the events were written"),
    }
}

pub(crate) fn success(appended: Appended) -> AppendSuccess {
    AppendSuccess {
        revision: Some(SuccessRevision::Current(appended.revision)),
        position: Some(SuccessPosition::Position(appended.position.into())),
    }
}
