//! Idempotency: the same key and body give the same answer, whenever and however often they come.
//!
//! Most commands make something under an id of their own. With a key, that id follows from the key, so the
//! store itself refuses a second one, and the first event carries the fingerprint of the body. The few commands
//! that make nothing under a new id claim the key in a stream of its own, `key-{id}`, before they begin.

use crate::app::{App, Rejection};
use contract::{
    Cause, CommandId, Digest, Event, Refusal, StreamEnd, StreamKind, StreamName, events::KeyClaimed,
};
use ports::Expected;
use uuid::{Uuid, uuid};

/// Under which ids of requests are made from their keys. Never changes: ids in the log follow from it.
const NAMESPACE: Uuid = uuid!("6f0b1c3e-52a7-5d0e-9b7c-3f6a1e0d8c21");

/// A request that came under an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Follows from the endpoint, the actor and the key.
    pub id: Uuid,
    /// The keyed HMAC of id and body: equal for the same request only, not for an equal body under another key.
    pub fingerprint: Digest,
}

impl Keyed {
    /// `scope` is the endpoint, with the aggregate it is for where that stands in the path: the same key means
    /// something else elsewhere, and for another actor. `body` is the canonical form of the request.
    pub fn new(app: &App, scope: &str, actor: &str, key: &str, body: &[u8]) -> Self {
        let id = Uuid::new_v5(&NAMESPACE, [scope, actor, key].join("\n").as_bytes());
        let fingerprint = app
            .vault
            .pseudonym("fingerprint", &[id.as_bytes(), body].concat());
        Self { id, fingerprint }
    }

    /// The request made before under this key had this fingerprint: is this one the same?
    ///
    /// # Errors
    /// [`Refusal::KeyReused`] when it is not.
    pub fn same_as(&self, fingerprint: Option<Digest>) -> Result<(), Refusal> {
        if fingerprint == Some(self.fingerprint) {
            Ok(())
        } else {
            Err(Refusal::KeyReused)
        }
    }
}

/// Which request a command belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Follows from the idempotency key, or is fresh without one. Never used before by another request.
    pub id: Uuid,
    /// What was asked, when it was asked under a key.
    pub fingerprint: Option<Digest>,
}

impl Request {
    /// The request under its key, or a new one.
    pub fn new(app: &App, keyed: Option<Keyed>) -> Self {
        match keyed {
            Some(keyed) => Self {
                id: keyed.id,
                fingerprint: Some(keyed.fingerprint),
            },
            None => Self {
                id: app.ids.fresh(),
                fingerprint: None,
            },
        }
    }

    /// The request as a key, if it came under one.
    pub fn keyed(&self) -> Option<Keyed> {
        self.fingerprint.map(|fingerprint| Keyed {
            id: self.id,
            fingerprint,
        })
    }

    /// The command that this request is.
    pub fn command(&self) -> CommandId {
        CommandId(self.id)
    }
}

/// Claims the key of a request, durably, for a command that makes nothing under the request's id. Tells whether
/// an equal request claimed it before; a request without a key never was there before.
///
/// # Errors
/// [`Refusal::KeyReused`] when it was claimed for another body; the log is away.
pub async fn claim(app: &App, cause: &Cause, request: &Request) -> Result<bool, Rejection> {
    let Some(keyed) = request.keyed() else {
        return Ok(false);
    };
    let stream = StreamName::of(StreamKind::Key, keyed.id);
    if app.read_first(&stream).await?.is_none() {
        let now = app.clock.now();
        let claimed = KeyClaimed {
            fingerprint: keyed.fingerprint,
            at_ms: now,
        };
        let command = request.command().derived("claim_key");
        let mut end = StreamEnd::NEW;
        let events = end
            .link(&stream, command, cause, now, [claimed.into()])
            .map_err(contract::Unreadable::from)?;
        if app.append(&stream, Expected::NoStream, events).await?.is_some() {
            return Ok(false);
        }
    }
    // It is there: by an earlier request, or by one that came at the same moment.
    let first = app.read_first(&stream).await?;
    match first.map(|recorded| recorded.decode()).transpose()?.as_deref() {
        Some((Event::KeyClaimed(claimed), _)) => keyed.same_as(Some(claimed.fingerprint))?,
        _ => return Err(Refusal::KeyReused.into()),
    }
    Ok(true)
}
