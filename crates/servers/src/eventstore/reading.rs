//! Reading: one stream, all of them, the end.

use super::{
    connection::{Connection, Link},
    fault,
};
use bytes::{Bytes, BytesMut};
use contract::{EventId, Position, Recorded, Revision, StreamName};
use eventstore::{
    ReadAllOptions, ReadStream, ReadStreamOptions, RecordedEvent, ResolvedEvent, StreamPosition,
};
use ports::LogError;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::time::timeout;

/// How many events one read returns at the most, whatever its caller wants.
pub(super) const MAX_READ: usize = 65_536;
/// How many events are asked for at once.
const PAGE: usize = 4_096;
/// How many are looked at first, and at once later, to find the last one that is not the server's.
const FIRST_LOOK: usize = 8;
const LAST_LOOK: usize = 1_024;
/// How many kinds of event a reader remembers.
const KNOWN_KINDS: usize = 256;

/// A place in `$all`. Its order is that of `$all`.
pub(super) type Place = eventstore::Position;

/// What a piece of `$all` has.
pub(super) struct Page {
    pub events: Vec<Arc<Recorded>>,
    /// The last place that was looked at, also when the event there is the server's.
    pub reach: Option<Place>,
    /// Whether the log ended here.
    pub end: bool,
}

#[derive(Clone)]
pub(super) struct Reading {
    connection: Arc<Connection>,
    /// The last position that `head` found; 0 before. Spares looking through the server's own events again.
    head: Arc<AtomicU64>,
}

impl Reading {
    pub fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            head: Arc::default(),
        }
    }

    pub async fn stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, LogError> {
        // The server's revisions have a sign.
        if limit == 0 || i64::try_from(from).is_err() {
            return Ok(Vec::new());
        }
        let limit = limit.min(MAX_READ);
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .max_count(limit);
        let mut found = Vec::with_capacity(limit.min(64));
        let mut recorder = Recorder::default();
        let Some(mut answer) = self.begin_stream(stream, options).await? else {
            return Ok(found);
        };
        while let Some(event) = answer.next().await? {
            // Servers before 22.10 do not tell where in the whole log an event of a stream is.
            if event.position.commit == u64::MAX {
                let why = "the server does not tell positions; 22.10 or later is needed";
                return Err(LogError::Unavailable(why.into()));
            }
            found.push(recorder.recorded(event));
        }
        Ok(found)
    }

    /// The stream's last revision.
    pub async fn end_of(&self, stream: &StreamName) -> Result<Option<Revision>, LogError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::End)
            .backwards()
            .max_count(1);
        let Some(mut answer) = self.begin_stream(stream, options).await? else {
            return Ok(None);
        };
        Ok(answer.next().await?.map(|event| event.revision))
    }

    pub async fn all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let limit = limit.min(MAX_READ);
        let mut found = Vec::new();
        let mut reach = after.map(place);
        while found.len() < limit {
            let page = self.page(reach, limit - found.len(), usize::MAX).await?;
            if found.is_empty() {
                found = page.events;
            } else {
                found.extend(page.events);
            }
            if page.end {
                break;
            }
            reach = page.reach;
        }
        Ok(found)
    }

    /// What follows `after`: up to `limit` events, or fewer once they have this many bytes. There may be more
    /// although it has fewer; [`Page::end`] tells.
    pub async fn page(&self, after: Option<Place>, limit: usize, max_bytes: usize) -> Result<Page, LogError> {
        // The event at `after` is given once more.
        let ask = limit.min(PAGE) + usize::from(after.is_some());
        let options = ReadAllOptions::default()
            .position(after.map_or(StreamPosition::Start, StreamPosition::Position))
            .max_count(ask);
        let mut answer = self.begin_all(options).await?;
        let mut page = Page {
            events: Vec::with_capacity(ask.min(PAGE)),
            reach: after,
            end: false,
        };
        let (mut looked, mut bytes) = (0, 0);
        let mut recorder = Recorder::default();
        while let Some(event) = answer.next().await? {
            looked += 1;
            if page.reach.is_some_and(|reach| event.position <= reach) {
                continue;
            }
            page.reach = Some(event.position);
            if is_servers(&event) {
                continue;
            }
            bytes += event.data.len() + event.custom_metadata.len();
            page.events.push(recorder.recorded(event));
            if bytes >= max_bytes {
                return Ok(page);
            }
        }
        page.end = looked < ask;
        Ok(page)
    }

    pub async fn head(&self) -> Result<Option<Position>, LogError> {
        let known = self.head.load(Ordering::Relaxed);
        let mut at = StreamPosition::End;
        let mut ask = FIRST_LOOK;
        let mut behind_known = false;
        loop {
            let options = ReadAllOptions::default().position(at).backwards().max_count(ask);
            let mut answer = self.begin_all(options).await?;
            let mut looked = 0;
            while let Some(event) = answer.next().await? {
                looked += 1;
                let position = event.position.commit;
                if !is_servers(&event) {
                    self.head.fetch_max(position, Ordering::Relaxed);
                    return Ok(Some(Position(position)));
                }
                // All behind what was the last one are the server's. (A log that ends before it is another log.)
                behind_known |= position > known;
                if position < known && behind_known {
                    return Ok(Some(Position(known)));
                }
                at = StreamPosition::Position(event.position);
            }
            if looked < ask {
                return Ok(None);
            }
            ask = LAST_LOOK.min(ask * 4);
        }
    }

    async fn begin_stream(
        &self,
        stream: &StreamName,
        mut options: ReadStreamOptions,
    ) -> Result<Option<Answer<'_>>, LogError> {
        let link = self.link().await?;
        if let Some(credentials) = &self.connection.credentials {
            options = options.authenticated(credentials.clone());
        }
        let begun = link.client.read_stream(stream.as_str(), &options);
        let mut answer = Answer::begin(&self.connection, link.clone(), begun).await?;
        let there = answer.look().await?;
        Ok(there.then_some(answer))
    }

    async fn begin_all(&self, mut options: ReadAllOptions) -> Result<Answer<'_>, LogError> {
        let link = self.link().await?;
        if let Some(credentials) = &self.connection.credentials {
            options = options.authenticated(credentials.clone());
        }
        let begun = link.client.read_all(&options);
        Answer::begin(&self.connection, link.clone(), begun).await
    }

    async fn link(&self) -> Result<Link, LogError> {
        self.connection
            .link_patiently()
            .await
            .map_err(LogError::Unavailable)
    }
}

/// The answer to a read as it comes in, each piece within the time that a call may take.
struct Answer<'a> {
    connection: &'a Connection,
    link: Link,
    stream: ReadStream,
    /// The first event, when it has been looked at.
    first: Option<ResolvedEvent>,
}

impl<'a> Answer<'a> {
    async fn begin(
        connection: &'a Connection,
        link: Link,
        begun: impl Future<Output = eventstore::Result<ReadStream>>,
    ) -> Result<Self, LogError> {
        match timeout(connection.options.read_within, begun).await {
            Ok(Ok(stream)) => Ok(Self {
                connection,
                link,
                stream,
                first: None,
            }),
            Ok(Err(error)) => Err(failed(connection, &link, &error)),
            Err(_) => Err(silent(connection, &link)),
        }
    }

    /// Waits for the first event; false when the stream does not exist.
    async fn look(&mut self) -> Result<bool, LogError> {
        match timeout(self.connection.options.read_within, self.stream.next()).await {
            Ok(Ok(first)) => {
                self.first = first;
                Ok(self.first.is_some())
            }
            // A stream that was deleted is as good as one that never was.
            Ok(Err(eventstore::Error::ResourceNotFound | eventstore::Error::ResourceDeleted)) => Ok(false),
            Ok(Err(error)) => Err(failed(self.connection, &self.link, &error)),
            Err(_) => Err(silent(self.connection, &self.link)),
        }
    }

    async fn next(&mut self) -> Result<Option<RecordedEvent>, LogError> {
        loop {
            let next = match self.first.take() {
                Some(first) => Some(first),
                None => match timeout(self.connection.options.read_within, self.stream.next()).await {
                    Ok(next) => next.map_err(|error| failed(self.connection, &self.link, &error))?,
                    Err(_) => return Err(silent(self.connection, &self.link)),
                },
            };
            match next.map(original) {
                Some(None) => {}
                Some(event) => return Ok(event),
                None => return Ok(None),
            }
        }
    }
}

fn failed(connection: &Connection, link: &Link, error: &eventstore::Error) -> LogError {
    if fault::is_suspicious(error) {
        connection.suspect(link);
    }
    LogError::Unavailable(fault::text(error))
}

fn silent(connection: &Connection, link: &Link) -> LogError {
    connection.suspect(link);
    LogError::Unavailable("the server does not answer".into())
}

/// The event itself, never what a link points to: links are not resolved.
pub(super) fn original(event: ResolvedEvent) -> Option<RecordedEvent> {
    event.link.or(event.event)
}

/// Whether the server wrote it for itself.
pub(super) fn is_servers(event: &RecordedEvent) -> bool {
    event.stream_id.starts_with('$') || event.event_type.starts_with('$')
}

/// Where an event with this position is, or the last one of a transaction that has it.
pub(super) fn place(position: Position) -> Place {
    Place {
        commit: position.0,
        prepare: position.0,
    }
}

/// Makes our events of theirs.
#[derive(Default)]
pub(super) struct Recorder {
    kinds: HashMap<String, Arc<str>>,
}

impl Recorder {
    pub fn recorded(&mut self, event: RecordedEvent) -> Arc<Recorded> {
        let kind = self.kind(event.event_type);
        // Copied into one piece of their own: the slices that come in keep whole network buffers alive.
        let mut bytes = BytesMut::with_capacity(event.data.len() + event.custom_metadata.len());
        bytes.extend_from_slice(&event.data);
        bytes.extend_from_slice(&event.custom_metadata);
        let mut data: Bytes = bytes.freeze();
        let meta = data.split_off(event.data.len());
        Arc::new(Recorded {
            position: Position(event.position.commit),
            stream: StreamName::new(&event.stream_id),
            revision: event.revision,
            id: EventId(event.id),
            kind,
            data,
            meta,
            decoded: None,
        })
    }

    fn kind(&mut self, name: String) -> Arc<str> {
        if let Some(kind) = self.kinds.get(&name) {
            return kind.clone();
        }
        let kind: Arc<str> = name.as_str().into();
        if self.kinds.len() < KNOWN_KINDS {
            self.kinds.insert(name, kind.clone());
        }
        kind
    }
}
