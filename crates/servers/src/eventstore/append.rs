//! Appending, and finding out what became of an append that was not answered.
//!
//! **Unknown outcomes.** When the answer does not come, the request may have been carried out, may be lost, or may
//! still be on its way. Reading back tells the first: our ids at that very place, or others there, which is a
//! conflict. An empty place tells nothing, for the request may arrive later; so the same append is sent again. Its
//! ids and its place are the same, so it is written once, whichever of the two comes first, and its answer holds
//! for both. When even that gets no answer in time, the outcome stays unknown.

use super::{
    connection::{Connection, Link},
    fault::{self, Verdict},
    reading::Reading,
};
use contract::{NewEvent, Position, Revision, StreamName};
use eventstore::{AppendToStreamOptions, EventData, ExpectedRevision, WriteResult};
use ports::{
    AppendError, Appended, Expected, LogError,
    event_log::{MAX_APPEND_EVENTS, MAX_EVENT_BYTES},
};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The pauses before an append is sent again: short at first, and longer for a server that has too much to do.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(500);
/// An append may take a second longer for each of these.
const BYTES_PER_SECOND: usize = 8 << 20;

pub(super) struct Append<'a> {
    connection: &'a Connection,
    reading: &'a Reading,
    stream: &'a StreamName,
    expected: Expected,
    events: &'a [NewEvent],
    bytes: usize,
}

/// What one request came to.
enum Attempt {
    Written(WriteResult),
    Not(Verdict, String),
}

/// What stands where the events were to go.
enum Place {
    Ours(Appended),
    Others,
    Empty,
}

impl<'a> Append<'a> {
    /// # Errors
    /// When no log would take it.
    pub fn new(
        connection: &'a Connection,
        reading: &'a Reading,
        stream: &'a StreamName,
        expected: Expected,
        events: &'a [NewEvent],
    ) -> Result<Self, AppendError> {
        if events.is_empty() || events.len() > MAX_APPEND_EVENTS {
            let what = format!("{} events; 1 to {MAX_APPEND_EVENTS} are possible", events.len());
            return Err(AppendError::Unacceptable(what));
        }
        let size = |event: &NewEvent| event.data.len() + event.meta.len();
        if let Some(event) = events.iter().find(|event| size(event) > MAX_EVENT_BYTES) {
            let what = format!("{} is larger than {MAX_EVENT_BYTES} bytes", event.kind);
            return Err(AppendError::Unacceptable(what));
        }
        Ok(Self {
            connection,
            reading,
            stream,
            expected,
            events,
            bytes: events.iter().map(size).sum(),
        })
    }

    pub async fn run(self) -> Result<Appended, AppendError> {
        let options = &self.connection.options;
        let long = Duration::from_secs((self.bytes / BYTES_PER_SECOND) as u64);
        let begun = Instant::now();
        let connected_by = begun + options.patience;
        let mut give_up = begun + options.append_within + long;
        let mut unsure: Option<String> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let link_by = if unsure.is_some() { give_up } else { connected_by };
            let (verdict, why) = match self.attempt(link_by, give_up).await {
                Attempt::Written(result) => return self.written(result, unsure).await,
                Attempt::Not(verdict, why) => (verdict, why),
            };
            match verdict {
                Verdict::Elsewhere(current) => return self.elsewhere(current, unsure).await,
                Verdict::Denied => return Err(ended(unsure, AppendError::Unavailable(why))),
                Verdict::Unacceptable => return Err(ended(unsure, AppendError::Unacceptable(why))),
                Verdict::NotSent if unsure.is_none() && Instant::now() >= connected_by => {
                    return Err(AppendError::Unavailable(why));
                }
                Verdict::NotSent => {}
                Verdict::Unsure => {
                    if unsure.is_none() {
                        metrics::counter!("eventflow_eventstore_appends_unsure_total").increment(1);
                        tracing::debug!(stream = %self.stream, %why, "an append was not answered");
                        give_up = Instant::now() + options.settle_within + long;
                        unsure = Some(why.clone());
                    }
                    if let Ok(Ok(place)) = timeout_at(give_up, self.place()).await {
                        match place {
                            Place::Ours(appended) => return settled("written", Ok(appended)),
                            Place::Others => return self.conflict(None, unsure).await,
                            Place::Empty => {}
                        }
                    }
                }
            }
            if Instant::now() + pause >= give_up {
                return Err(ended(unsure, AppendError::Unavailable(why)));
            }
            sleep(pause).await;
            pause = LAST_PAUSE.min(pause * 2);
        }
    }

    /// Sends it once.
    async fn attempt(&self, link_by: Instant, give_up: Instant) -> Attempt {
        // The server's revisions have a sign: no stream ends there.
        if matches!(self.expected, Expected::Exactly(revision) if i64::try_from(revision).is_err()) {
            return match self.reading.end_of(self.stream).await {
                Ok(current) => Attempt::Not(Verdict::Elsewhere(current), String::new()),
                Err(error) => Attempt::Not(Verdict::Denied, error.to_string()),
            };
        }
        let link = match self.connection.link(link_by).await {
            Ok(link) => link,
            Err(why) => return Attempt::Not(Verdict::NotSent, why),
        };
        let mut options = AppendToStreamOptions::default()
            .expected_revision(match self.expected {
                Expected::NoStream => ExpectedRevision::NoStream,
                Expected::Exactly(revision) => ExpectedRevision::Exact(revision),
            })
            .deadline(give_up.saturating_duration_since(Instant::now()));
        if let Some(credentials) = &self.connection.credentials {
            options = options.authenticated(credentials.clone());
        }
        let events: Vec<EventData> = self.events.iter().map(proposed).collect();
        let call = link
            .client
            .append_to_stream(self.stream.as_str(), &options, events);
        match timeout_at(give_up, call).await {
            Ok(Ok(result)) => Attempt::Written(result),
            Ok(Err(error)) => self.failed(&link, &error),
            Err(_) => {
                self.connection.suspect(&link);
                Attempt::Not(Verdict::Unsure, "the server did not answer in time".into())
            }
        }
    }

    fn failed(&self, link: &Link, error: &eventstore::Error) -> Attempt {
        if fault::is_suspicious(error) {
            self.connection.suspect(link);
        }
        Attempt::Not(fault::verdict(error), fault::text(error))
    }

    /// The server wrote it, or had written it before. Of what it had before it need not tell the position.
    async fn written(&self, result: WriteResult, unsure: Option<String>) -> Result<Appended, AppendError> {
        let appended = Appended {
            position: Position(result.position.commit),
            revision: self.last_revision(),
        };
        let told = !matches!(result.position.commit, 0 | u64::MAX);
        let outcome = if told && result.next_expected_version == appended.revision {
            Ok(appended)
        } else {
            match self.soon(self.place()).await {
                Ok(Place::Ours(appended)) => Ok(appended),
                Ok(_) => Err(AppendError::Unknown("written, and not found again".into())),
                Err(error) => Err(AppendError::Unknown(format!("written, but where? {error}"))),
            }
        };
        match unsure {
            Some(_) => settled(if outcome.is_ok() { "written" } else { "unknown" }, outcome),
            None => outcome,
        }
    }

    /// The stream does not end where it was expected. Perhaps because our events stand there.
    async fn elsewhere(
        &self,
        current: Option<Revision>,
        unsure: Option<String>,
    ) -> Result<Appended, AppendError> {
        if current.is_some_and(|current| current >= self.last_revision()) {
            match self.soon(self.place()).await {
                Ok(Place::Ours(appended)) if unsure.is_some() => return settled("written", Ok(appended)),
                Ok(Place::Ours(appended)) => return Ok(appended),
                Err(_) if unsure.is_some() => {
                    return Err(ended(unsure, AppendError::Conflict { current }));
                }
                // The server knows repeated appends itself; this one was none.
                Ok(_) | Err(_) => {}
            }
        }
        self.conflict(current, unsure).await
    }

    /// A conflict with the revision that the stream ends at.
    async fn conflict(
        &self,
        current: Option<Revision>,
        unsure: Option<String>,
    ) -> Result<Appended, AppendError> {
        let current = match current {
            None if unsure.is_some() => self
                .soon(self.reading.end_of(self.stream))
                .await
                .unwrap_or_default(),
            known => known,
        };
        let conflict = Err(AppendError::Conflict { current });
        match unsure {
            Some(_) => settled("conflict", conflict),
            None => conflict,
        }
    }

    /// Once there is an answer, what is read in addition may not take longer than finding out without one.
    async fn soon<T>(&self, read: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
        timeout(self.connection.options.settle_within, read)
            .await
            .unwrap_or_else(|_| Err(LogError::Unavailable("the server does not answer".into())))
    }

    /// Reads back what stands where the events were to go.
    async fn place(&self) -> Result<Place, LogError> {
        let found = self
            .reading
            .stream(self.stream, self.expected.next(), self.events.len())
            .await?;
        let ids = found.iter().map(|event| event.id);
        Ok(match found.last() {
            None => Place::Empty,
            Some(last) if ids.eq(self.events.iter().map(|event| event.id)) => Place::Ours(Appended {
                position: last.position,
                revision: last.revision,
            }),
            Some(_) => Place::Others,
        })
    }

    /// The revision that the last event gets.
    fn last_revision(&self) -> Revision {
        self.expected.next().saturating_add(self.events.len() as u64 - 1)
    }
}

/// The end of an append that nothing came of: as far as is known, when an earlier request was not answered.
fn ended(unsure: Option<String>, otherwise: AppendError) -> AppendError {
    match unsure {
        Some(why) => {
            count_settled("unknown");
            AppendError::Unknown(why)
        }
        None => otherwise,
    }
}

fn settled(how: &'static str, outcome: Result<Appended, AppendError>) -> Result<Appended, AppendError> {
    count_settled(how);
    outcome
}

fn count_settled(how: &'static str) {
    metrics::counter!("eventflow_eventstore_appends_settled_total", "as" => how).increment(1);
}

/// As the crate sends it. It can only send bytes as they are under `application/octet-stream`, and JSON only of
/// values that it writes itself; a raw value is written as it stands. What is not JSON, or has blanks around it,
/// goes as bytes.
fn proposed(event: &NewEvent) -> EventData {
    let json = serde_json::from_slice::<&RawValue>(&event.data)
        .ok()
        .filter(|value| value.get().len() == event.data.len());
    json.and_then(|value| EventData::json(&event.kind, &value).ok())
        .unwrap_or_else(|| EventData::binary(&event.kind, event.data.clone()))
        .id(event.id.0)
        .metadata(event.meta.clone())
}
