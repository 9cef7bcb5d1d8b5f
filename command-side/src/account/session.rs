//! A session as its stream tells: `session-{id}`.

use crate::app::{App, Rejection};
use contract::{
    Cause, CommandId, Digest, Event, Failure, Position, Recorded, SessionId, StreamEnd, StreamKind,
    StreamName, Timestamp, UserId,
    events::{SessionClosed, SessionEnd, SessionOpened},
};
use ports::Expected;
use std::sync::Arc;

/// How often it is decided anew after another wrote the stream.
pub(super) const ATTEMPTS: usize = 8;

/// From a log-in to its end.
pub(super) struct Session {
    pub id: SessionId,
    pub opened: SessionOpened,
    /// The digests of its refresh tokens, in their order; the last is valid.
    pub tokens: Vec<Digest>,
    /// When the last of them was given.
    pub given_at_ms: Timestamp,
    pub closed: bool,
    /// Of the last event.
    pub position: Position,
    end: StreamEnd,
}

impl Session {
    /// `None` when there is no such session.
    ///
    /// # Errors
    /// The log is away or damaged.
    pub async fn load(app: &App, id: SessionId) -> Result<Option<Self>, Rejection> {
        let mut session: Option<Self> = None;
        for recorded in app.read(&stream(id)).await? {
            session = Self::evolve(session, id, &recorded)?;
        }
        Ok(session)
    }

    fn evolve(
        session: Option<Self>,
        id: SessionId,
        recorded: &Arc<Recorded>,
    ) -> Result<Option<Self>, Rejection> {
        let (decoded, end) = (recorded.decode()?, recorded.end()?);
        let position = recorded.position;
        let Some(mut session) = session else {
            return Ok(match &decoded.0 {
                Event::SessionOpened(opened) => Some(Self {
                    id,
                    opened: opened.clone(),
                    tokens: vec![opened.refresh],
                    given_at_ms: opened.at_ms,
                    closed: false,
                    position,
                    end,
                }),
                _ => None,
            });
        };
        (session.end, session.position) = (end, position);
        match &decoded.0 {
            Event::SessionRenewed(renewed) => {
                session.tokens.push(renewed.refresh);
                session.given_at_ms = renewed.at_ms;
            }
            Event::SessionClosed(_) => session.closed = true,
            _ => {}
        }
        Ok(Some(session))
    }

    pub fn user(&self) -> UserId {
        self.opened.user_id
    }

    /// Whether it can still be renewed.
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.closed && now < self.opened.expires_at_ms
    }

    pub fn current(&self) -> Option<Digest> {
        self.tokens.last().copied()
    }

    /// Appends behind what was read. `None` when another was faster. Durable on return.
    ///
    /// # Errors
    /// The log is away, or does not say what happened.
    pub async fn append(
        &self,
        app: &App,
        cause: &Cause,
        command: CommandId,
        event: Event,
    ) -> Result<Option<Position>, Rejection> {
        append(app, cause, command, self.id, self.end, event).await
    }
}

/// Opens a session. `None` when there is one under this id.
///
/// # Errors
/// The log is away, or does not say what happened.
pub(super) async fn open(
    app: &App,
    cause: &Cause,
    command: CommandId,
    id: SessionId,
    opened: SessionOpened,
) -> Result<Option<Position>, Rejection> {
    append(app, cause, command, id, StreamEnd::NEW, opened.into()).await
}

/// Ends a session; one that has ended, or never was, needs nothing. Its tokens are refused by this process from now
/// on, and by the others as soon as their read model tells. Gives the position of the end.
///
/// # Errors
/// The log is away, or others keep writing the stream.
pub(super) async fn close(
    app: &App,
    cause: &Cause,
    id: SessionId,
    why: SessionEnd,
) -> Result<Option<Position>, Rejection> {
    let command = CommandId(app.ids.fresh());
    for _ in 0..ATTEMPTS {
        let Some(session) = Session::load(app, id).await? else {
            return Ok(None);
        };
        let at_ms = app.clock.now();
        let position = if session.closed {
            Some(session.position)
        } else {
            let closed = SessionClosed { why, at_ms };
            session.append(app, cause, command, closed.into()).await?
        };
        if position.is_some() {
            app.tokens.revoke(id.0, at_ms);
            return Ok(position);
        }
    }
    let retry_after_ms = 1_000;
    Err(Failure::Busy { retry_after_ms }.into())
}

async fn append(
    app: &App,
    cause: &Cause,
    command: CommandId,
    id: SessionId,
    mut end: StreamEnd,
    event: Event,
) -> Result<Option<Position>, Rejection> {
    let (stream, expected) = (stream(id), Expected::before(end.next));
    let events = end
        .link(&stream, command, cause, app.clock.now(), [event])
        .map_err(contract::Unreadable::from)?;
    let appended = app.append(&stream, expected, events).await?;
    Ok(appended.map(|appended| appended.position))
}

fn stream(id: SessionId) -> StreamName {
    StreamName::of(StreamKind::Session, id.0)
}
