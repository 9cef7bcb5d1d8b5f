//! What a server of the log needs beyond the port: pages of bounded size in both directions, when an event was taken,
//! where a stream ends, and appends that do not say which revision they expect.

use super::{
    MAX_READ, SqliteLog, closing,
    tail::LogTail,
    writer::{Append, Place},
};
use crate::{AppendError, Appended, LogError};
use contract::{NewEvent, Position, Recorded, Revision, StreamName, Timestamp};
use std::sync::Arc;

/// An event, and when this log took it.
#[derive(Clone, Debug)]
pub struct Dated {
    /// The event.
    pub event: Arc<Recorded>,
    /// By the clock of [`super::LogOptions`].
    pub created: Timestamp,
}

/// How much one read returns at the most. The first event comes whatever its size, so that a read always gets on.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many events.
    pub events: usize,
    /// How many bytes of data and metadata. Not held by what is still in memory, which is bounded by itself.
    pub bytes: usize,
}

impl Page {
    /// So many events, of whatever size.
    pub(super) fn of(events: usize) -> Self {
        Self {
            events: events.min(MAX_READ),
            bytes: usize::MAX,
        }
    }

    /// Whether there may be more behind these events, which were read for this page.
    pub fn is_full(&self, events: &[Dated]) -> bool {
        events.len() >= self.events || events.iter().map(bytes).sum::<usize>() >= self.bytes
    }
}

/// What counts towards [`Page::bytes`].
pub(super) fn bytes(dated: &Dated) -> usize {
    dated.event.data.len() + dated.event.meta.len()
}

/// In which order to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    /// Oldest first.
    End,
    /// Latest first.
    Start,
}

/// Some of a stream's events, and where it ended when they were read.
#[derive(Clone, Debug)]
pub struct StreamPage {
    /// The stream's last revision; `None` when it does not exist.
    pub last: Option<Revision>,
    /// The events, in the order that was asked for.
    pub events: Vec<Dated>,
}

impl SqliteLog {
    /// The stream's events from revision `from`, which comes first, towards its end or its start.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn stream_page(
        &self,
        stream: &StreamName,
        from: Revision,
        towards: Towards,
        page: Page,
    ) -> Result<StreamPage, LogError> {
        let stream = stream.clone();
        let read = move |reader: &mut super::LogReader| reader.stream_page(&stream, from, towards, page);
        self.shared
            .readers
            .read(read)
            .await
            .unwrap_or_else(|| Err(closing()))
    }

    /// All events behind `after`, oldest first; from the first event on when it is `None`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn page_after(&self, after: Option<Position>, page: Page) -> Result<Vec<Dated>, LogError> {
        match self.shared.recent(after, page.events) {
            Some(events) => Ok(events),
            None => self.shared.page_after(after, page).await,
        }
    }

    /// All events before `before`, latest first; from the last event on when it is `None`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn page_before(&self, before: Option<Position>, page: Page) -> Result<Vec<Dated>, LogError> {
        self.shared
            .readers
            .read(move |reader| reader.page_before(before, page))
            .await
            .unwrap_or_else(|| Err(closing()))
    }

    /// Follows the log from behind `after`, as [`crate::EventLog::tail`] does, with what only this log knows.
    pub fn follow(&self, after: Option<Position>) -> LogTail {
        LogTail::new(self.shared.clone(), after)
    }

    /// Appends behind whatever the stream's end is. Nothing in this platform does: it is for foreign clients of the
    /// log, whose protocols know such appends. One whose event ids are among the stream's latest succeeds without
    /// writing; further back nobody looks.
    ///
    /// # Errors
    /// As [`crate::EventLog::append`]; a conflict only when the stream `must_exist` and does not.
    pub async fn append_at_end(
        &self,
        stream: &StreamName,
        must_exist: bool,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.submit(Append {
            stream: stream.clone(),
            place: Place::End { must_exist },
            events,
        })
        .await
    }
}
