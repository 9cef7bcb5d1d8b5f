//! Claims on e-mail addresses: stream `email-{id}`, where the id follows from the address's keyed HMAC.
//!
//! A claim is an append under the expected revision, so of two who want an address one gets it. A claim counts
//! when its owner is registered under that address, and for a while before that. One that came to nothing (a
//! crash between claim and registration) is taken over after that while; the registration that it was made for
//! cannot come later, because its command is refused behind its own deadline, the fence.

use super::owned_address;
use crate::{
    app::{App, Rejection},
    idempotency::Request,
};
use contract::{
    Cause, Digest, Event, Failure, Refusal, StreamEnd, StreamKind, StreamName, Timestamp, UserId,
    events::{EmailClaimed, EmailReleased},
};
use ports::Expected;
use uuid::{Uuid, uuid};

/// Under which claims' ids are made from addresses' pseudonyms. Never changes: stream names follow from it.
const ADDRESSES: Uuid = uuid!("c41f7b28-0e95-5d63-a7c2-4b96e8d1053f");
/// How old a claim without a registered owner must be before another person takes it over.
const ABANDONED_AFTER_MS: u64 = 60_000;
/// How old a claim may be when a registration rests on it. Far below the age at which it is taken over, so that
/// clocks which differ by seconds do no harm.
const FENCE_AFTER_MS: u64 = 30_000;
/// How often a claim is decided anew after others wrote the stream.
const ATTEMPTS: usize = 8;

/// An address, as its pseudonym: the same for every spelling in upper and lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub pseudonym: Digest,
}

impl Address {
    pub fn of(app: &App, email: &str) -> Self {
        Self {
            pseudonym: app
                .vault
                .pseudonym("email", email.trim().to_lowercase().as_bytes()),
        }
    }

    fn stream(self) -> StreamName {
        StreamName::of(StreamKind::Email, Uuid::new_v5(&ADDRESSES, &self.pseudonym.0))
    }
}

/// A claim that its owner has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    at_ms: Timestamp,
}

impl Claim {
    /// Until when the owner's registration must be decided.
    pub fn fence(&self, app: &App) -> Timestamp {
        self.at_ms
            .plus_ms(FENCE_AFTER_MS)
            .min(app.clock.now().plus_ms(app.settings.ask_timeout_ms))
    }
}

/// What the stream says.
struct Found {
    end: StreamEnd,
    /// Who has the address, and since when.
    owner: Option<(UserId, Timestamp)>,
}

/// Claims an address for a user. Durable on return.
pub(super) async fn claim(
    app: &App,
    cause: &Cause,
    request: Request,
    address: Address,
    user_id: UserId,
) -> Result<Claim, Rejection> {
    for _ in 0..ATTEMPTS {
        let found = find(app, address).await?;
        let now = app.clock.now();
        let claimed = Event::EmailClaimed(EmailClaimed { user_id, at_ms: now });
        let events = match found.owner {
            None => vec![claimed],
            // A claim of one's own, by a registration that runs at the same moment or did not get further.
            Some((owner, at_ms)) if owner == user_id && now.ms_since(at_ms) < FENCE_AFTER_MS / 2 => {
                return Ok(Claim { at_ms });
            }
            Some((owner, at_ms)) => {
                let registered = owned_address(app, owner).await? == Some(address.pseudonym);
                if registered && owner == user_id {
                    return Ok(Claim { at_ms: now });
                }
                if registered || (owner != user_id && now.ms_since(at_ms) < ABANDONED_AFTER_MS) {
                    return Err(Refusal::EmailRegistered.into());
                }
                vec![
                    EmailReleased {
                        user_id: owner,
                        at_ms: now,
                    }
                    .into(),
                    claimed,
                ]
            }
        };
        if write(app, cause, request, address, found.end, events).await? {
            return Ok(Claim { at_ms: now });
        }
    }
    Err(Failure::Busy {
        retry_after_ms: 1_000,
    }
    .into())
}

/// Gives back a claim that came to nothing, or whose owner is forgotten. Again, or when others have taken it over
/// since, needs nothing. False when others kept writing the stream: one that came to nothing is taken over later.
pub(super) async fn release(
    app: &App,
    cause: &Cause,
    request: Request,
    address: Address,
    user_id: UserId,
) -> Result<bool, Rejection> {
    for _ in 0..ATTEMPTS {
        let found = find(app, address).await?;
        if found.owner.is_none_or(|(owner, _)| owner != user_id) {
            return Ok(true);
        }
        let released = EmailReleased {
            user_id,
            at_ms: app.clock.now(),
        };
        if write(app, cause, request, address, found.end, vec![released.into()]).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Who has an address, as far as the claims on it tell.
pub(super) async fn owner(app: &App, address: Address) -> Result<Option<UserId>, Rejection> {
    Ok(find(app, address).await?.owner.map(|(owner, _)| owner))
}

async fn find(app: &App, address: Address) -> Result<Found, Rejection> {
    let mut found = Found {
        end: StreamEnd::NEW,
        owner: None,
    };
    for recorded in app.read(&address.stream()).await? {
        let decoded = recorded.decode()?;
        found.end = recorded.end()?;
        match &decoded.0 {
            Event::EmailClaimed(claimed) => found.owner = Some((claimed.user_id, claimed.at_ms)),
            Event::EmailReleased(_) => found.owner = None,
            _ => {}
        }
    }
    Ok(found)
}

/// Appends behind the end that was found; false when others were faster.
async fn write(
    app: &App,
    cause: &Cause,
    request: Request,
    address: Address,
    mut end: StreamEnd,
    events: Vec<Event>,
) -> Result<bool, Rejection> {
    let (stream, expected) = (address.stream(), Expected::before(end.next));
    // Told apart by its place, because one request may write the stream more than once.
    let command = request.command().derived(&format!("email-{}", end.next));
    let linked = end
        .link(&stream, command, cause, app.clock.now(), events)
        .map_err(contract::Unreadable::from)?;
    Ok(app.append(&stream, expected, linked).await?.is_some())
}
