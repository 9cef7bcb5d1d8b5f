//! Subscriptions: what is there, then what comes, in order, without gaps.
//!
//! One loop serves both. It has a place in the log, takes the events behind it as fast as the connection lets it, and
//! sleeps only when there are none; "live" is nothing but having slept. A subscriber that stops reading stops the
//! loop, and goes on later from where it was.

use crate::{
    convert::{IdForm, read_event, response, unreadable},
    filter::Filter,
    options::Endpoint,
    read::{Pages, send},
    wire::{Confirmation, FromPosition, FromRevision, Reached, ReadContent, ReadResp, Timestamp},
};
use contract::{Position, Revision, StreamName};
use futures_util::stream::BoxStream;
use ports::{
    EventLog,
    embedded::{Dated, LogTail, Towards},
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;
use uuid::Uuid;

type Messages = BoxStream<'static, Result<ReadResp, Status>>;

/// Which events a subscription is of.
enum Of {
    /// All of them, or those that pass the filter.
    All(Option<Filter>),
    /// One stream's.
    Stream(StreamName),
}

/// Where a subscription is.
enum Phase {
    /// Its client does not know yet that it exists.
    New { from_end: bool },
    /// It reads its stream, which is faster than looking for it in the whole log.
    Stream,
    /// It follows the log.
    Log(LogTail),
}

struct Subscription {
    endpoint: Arc<Endpoint>,
    of: Of,
    ids: IdForm,
    phase: Phase,
    /// The last event of the log that was considered.
    after: Option<Position>,
    /// The revision of its stream that comes next.
    next: Revision,
    live: bool,
    /// How many events were considered since the last checkpoint.
    considered: u64,
    _counted: OwnedSemaphorePermit,
}

/// Subscribes to the whole log behind a position.
pub(crate) fn to_all(
    endpoint: &Arc<Endpoint>,
    from: Option<FromPosition>,
    filter: Option<Filter>,
    ids: IdForm,
) -> Result<Messages, Status> {
    let after = match from {
        Some(FromPosition::Position(position)) => Some(Position(position.commit)),
        Some(FromPosition::Start(()) | FromPosition::End(())) | None => None,
    };
    let from_end = matches!(from, Some(FromPosition::End(())));
    begin(endpoint, Of::All(filter), from_end, after, 0, ids)
}

/// Subscribes to one stream behind a revision. The stream need not exist.
pub(crate) fn to_stream(
    endpoint: &Arc<Endpoint>,
    stream: StreamName,
    from: Option<FromRevision>,
    ids: IdForm,
) -> Result<Messages, Status> {
    let next = match from {
        Some(FromRevision::Revision(revision)) => revision.saturating_add(1),
        Some(FromRevision::Start(()) | FromRevision::End(())) | None => 0,
    };
    let from_end = matches!(from, Some(FromRevision::End(())));
    begin(endpoint, Of::Stream(stream), from_end, None, next, ids)
}

fn begin(
    endpoint: &Arc<Endpoint>,
    of: Of,
    from_end: bool,
    after: Option<Position>,
    next: Revision,
    ids: IdForm,
) -> Result<Messages, Status> {
    let subscription = Subscription {
        endpoint: endpoint.clone(),
        of,
        ids,
        phase: Phase::New { from_end },
        after,
        next,
        live: false,
        considered: 0,
        _counted: endpoint.begin_subscription()?,
    };
    Ok(send(endpoint.clone(), subscription))
}

impl Pages for Subscription {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        loop {
            let messages = match &mut self.phase {
                Phase::New { from_end } => {
                    let from_end = *from_end;
                    self.confirm(from_end).await?
                }
                Phase::Stream => self.read_stream().await?,
                Phase::Log(tail) if !self.live && tail.has_caught_up() => self.caught_up(),
                Phase::Log(tail) => {
                    let page = self.endpoint.page();
                    let found = tail.next_page(page).await.map_err(|error| unreadable(&error))?;
                    let behind = page.is_full(&found) && !tail.has_caught_up();
                    self.consider(&found, behind)?
                }
            };
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
        }
    }
}

impl Subscription {
    /// Tells the client that it is subscribed. What is appended from here on, it will see.
    async fn confirm(&mut self, from_end: bool) -> Result<Vec<ReadResp>, Status> {
        if from_end {
            self.after = self.head().await?;
        }
        self.phase = match &self.of {
            Of::Stream(_) if !from_end => Phase::Stream,
            _ => Phase::Log(self.endpoint.log.follow(self.after)),
        };
        Ok(vec![response(ReadContent::Confirmation(Confirmation {
            subscription: Uuid::new_v4().to_string(),
        }))])
    }

    async fn head(&self) -> Result<Option<Position>, Status> {
        self.endpoint.log.head().await.map_err(|error| unreadable(&error))
    }

    /// One page of the stream. When nothing is left of it, all of it up to the head was seen: on from there.
    async fn read_stream(&mut self) -> Result<Vec<ReadResp>, Status> {
        let Of::Stream(stream) = &self.of else {
            return Ok(Vec::new());
        };
        let head = self.head().await?;
        let page = self.endpoint.page();
        let read = self
            .endpoint
            .log
            .stream_page(stream, self.next, Towards::End, page);
        let found = read.await.map_err(|error| unreadable(&error))?.events;
        if let Some(dated) = found.last() {
            self.next = dated.event.revision.saturating_add(1);
        }
        if !page.is_full(&found) {
            self.after = head;
            self.phase = Phase::Log(self.endpoint.log.follow(head));
        }
        Ok(found.iter().map(|dated| read_event(dated, self.ids)).collect())
    }

    /// The messages for the next events of the log.
    fn consider(&mut self, found: &[Dated], behind: bool) -> Result<Vec<ReadResp>, Status> {
        let mut messages = Vec::with_capacity(found.len() + 1);
        if self.live && behind {
            self.live = false;
            messages.push(response(ReadContent::FellBehind(self.reached())));
        }
        for dated in found {
            let event = &dated.event;
            self.after = Some(event.position);
            match &self.of {
                Of::Stream(stream) => {
                    if event.stream == *stream && event.revision >= self.next {
                        self.next = event.revision.saturating_add(1);
                        messages.push(read_event(dated, self.ids));
                    }
                }
                Of::All(None) => messages.push(read_event(dated, self.ids)),
                Of::All(Some(filter)) => {
                    if filter.accepts(event)? {
                        messages.push(read_event(dated, self.ids));
                    }
                    self.considered += 1;
                    if self.considered >= filter.checkpoint_every {
                        self.considered = 0;
                        messages.push(response(ReadContent::Checkpoint(event.position.into())));
                    }
                }
            }
        }
        Ok(messages)
    }

    /// Nothing is left to catch up with. A filtered subscription learns how far that was: it may have seen nothing.
    fn caught_up(&mut self) -> Vec<ReadResp> {
        self.live = true;
        let mut messages = Vec::new();
        if let (Of::All(Some(_)), Some(after)) = (&self.of, self.after) {
            self.considered = 0;
            messages.push(response(ReadContent::Checkpoint(after.into())));
        }
        messages.push(response(ReadContent::CaughtUp(self.reached())));
        messages
    }

    fn reached(&self) -> Reached {
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .map(|now| Timestamp {
                seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
                nanos: now.subsec_nanos().cast_signed(),
            });
        match &self.of {
            Of::All(_) => Reached {
                time,
                revision: None,
                position: self.after.map(Into::into),
            },
            Of::Stream(_) => Reached {
                time,
                revision: self.next.checked_sub(1).and_then(|last| i64::try_from(last).ok()),
                position: None,
            },
        }
    }
}
