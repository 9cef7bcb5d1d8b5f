//! Use case: somebody logs in with e-mail address and password.
//!
//! Whoever fails learns nothing but that: the answer is the same, and takes as long, whether nobody has the address,
//! its owner chose no password, is forgotten, or chose another. So every attempt reads two streams, opens one sealed
//! value and verifies one Argon2id hash, the real ones or stand-ins, and a failure is answered [`FAILURE_TAKES_MS`]
//! after it came, which hides what is left of differences.

use super::{Denied, Granted, RefreshToken, by, grant, session, session::Session, throttle::Attempt};
use crate::{
    app::{App, Produced, Rejection},
    idempotency::Request,
    register::{owner_of_address, password, pseudonym_of_address},
};
use contract::{
    Cause, CommandId, Digest, Event, Failure, Refusal, Sealed, SessionId, StreamEnd, StreamKind, StreamName,
    UserId,
    events::{LoginFailed, SessionOpened},
};
use ports::{AppendError, Expected, VaultError};
use std::{fmt, net::IpAddr, sync::atomic::Ordering};
use uuid::{Uuid, uuid};

/// How long a failed attempt takes at least, in milliseconds: more than reading and hashing take on a machine that
/// is not overloaded.
const FAILURE_TAKES_MS: u64 = 200;
/// Under which the stand-ins for those who do not exist are made.
const NOBODY: Uuid = uuid!("5d0c6f6e-4a83-5b7e-9d50-1f6b4f2a7c3e");
/// How long a sealed password hash is, in bytes: nonce, hash in PHC form, tag.
const SEALED_HASH: usize = 12 + 97 + 16;
/// How often the note of a failure is tried again after another wrote its stream.
const NOTE_ATTEMPTS: usize = 4;

/// What somebody says who they are. Secret: never stored or logged.
#[derive(Clone)]
pub struct Credentials {
    /// The address, in any spelling.
    pub email: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The account that the address names, as its pseudonym, whether anybody has it or not.
pub fn account(app: &App, credentials: &Credentials) -> Digest {
    pseudonym_of_address(app, &credentials.email)
}

/// Lets somebody in: opens a session, durable on return. The same `request` under its idempotency key is given the
/// same session and refresh token. `address` is where it comes from.
///
/// # Errors
/// [`Denied::NotLetIn`]; [`Denied::Throttled`] after too many failures, before the password is looked at; technical
/// failures.
pub async fn login(
    app: &App,
    cause: &Cause,
    request: Request,
    address: Option<IpAddr>,
    credentials: Credentials,
) -> Result<Produced<Granted>, Denied> {
    let came_at = app.clock.now();
    let let_in = match recognise(app, cause, address, credentials).await {
        Ok(user_id) => open(app, cause, request, user_id).await,
        Err(denied) => Err(denied),
    };
    if let Err(Denied::NotLetIn) = let_in {
        app.clock.sleep_until(came_at.plus_ms(FAILURE_TAKES_MS)).await;
    }
    let_in
}

/// Who has this address and password.
async fn recognise(
    app: &App,
    cause: &Cause,
    address: Option<IpAddr>,
    credentials: Credentials,
) -> Result<UserId, Denied> {
    let accounts = app.accounts();
    let account = account(app, &credentials);
    let attempt = Attempt { account, address };
    let admitted = || {
        let checked = accounts.throttle.check(attempt, app.clock.now());
        checked.map_err(|retry_after_s| Denied::Throttled { retry_after_s })
    };
    admitted()?;
    let retry_after_ms = 1_000;
    let busy = |_| Rejection::Failed(Failure::Busy { retry_after_ms });
    let _place = accounts.waiting.try_acquire().map_err(busy)?;
    let _turn = accounts.turns.take(Uuid::new_v5(&NOBODY, &account.0)).await;
    let decoy = accounts.decoy.get_or_try_init(|| decoy(app)).await?;
    let candidate = candidate(app, account).await?;
    let permit = password::permit(app).await?;
    // Again, because others may have failed while this one waited.
    admitted()?;
    accounts.verified.fetch_add(1, Ordering::Relaxed);
    let hash = candidate.hash.clone().unwrap_or_else(|| decoy.clone());
    let right = password::is(&permit, credentials.password, hash).await?;
    if right && candidate.hash.is_some() {
        accounts.throttle.succeeded(attempt);
        return Ok(candidate.user_id);
    }
    accounts.throttle.failed(attempt, app.clock.now());
    if candidate.is_registered {
        // Beside the answer, which must not take longer for somebody who exists.
        tokio::spawn(note_failure(app.clone(), cause.clone(), candidate.user_id));
    }
    Err(Denied::NotLetIn)
}

/// Whose password it could be.
struct Candidate {
    user_id: UserId,
    is_registered: bool,
    hash: Option<String>,
}

/// Does the same whether there is anybody or not.
async fn candidate(app: &App, account: Digest) -> Result<Candidate, Rejection> {
    let owner = owner_of_address(app, account).await?;
    let user_id = owner.unwrap_or_else(|| UserId(Uuid::new_v5(&NOBODY, &account.0)));
    let first = app.read_first(&StreamName::user(user_id)).await?;
    let decoded = first.map(|recorded| recorded.decode()).transpose()?;
    let registered = match decoded.as_deref() {
        // A claim that came to nothing makes nobody the address's owner.
        Some((Event::UserRegistered(registered), _)) if registered.email_pseudonym == account => {
            Some(registered)
        }
        _ => None,
    };
    let sealed = registered.and_then(|registered| registered.password.clone());
    let real = sealed.is_some();
    let sealed = sealed.unwrap_or_else(|| Sealed::from_bytes(vec![0; SEALED_HASH]));
    let hash = match app.vault.open(user_id, "password", &sealed).await {
        Ok(hash) => Some(hash),
        Err(VaultError::Unavailable(what)) => return Err(Failure::Unavailable { what }.into()),
        Err(VaultError::Forgotten) => None,
        Err(error @ (VaultError::NoKey | VaultError::Altered)) if real => {
            let what = error.to_string();
            return Err(Failure::Unreadable { what }.into());
        }
        Err(VaultError::NoKey | VaultError::Altered) => None,
    };
    Ok(Candidate {
        user_id,
        is_registered: registered.is_some(),
        hash,
    })
}

/// The hash of a password that nobody knows, made like all others.
async fn decoy(app: &App) -> Result<String, Rejection> {
    password::hash(app, app.ids.fresh().to_string()).await
}

async fn open(
    app: &App,
    cause: &Cause,
    request: Request,
    user_id: UserId,
) -> Result<Produced<Granted>, Denied> {
    let session = SessionId(request.id);
    let cause = by(user_id, session.0, cause);
    let now = app.clock.now();
    let token = RefreshToken::make(app, request, session, 0);
    let granted = grant(app, &cause, user_id, token.clone(), now).await?;
    let opened = SessionOpened {
        user_id,
        refresh: token.digest(app),
        at_ms: now,
        expires_at_ms: now.plus_ms(app.settings.session_ttl_s.saturating_mul(1_000)),
    };
    let position = session::open(app, &cause, request.command(), session, opened).await?;
    if position.is_some() {
        return Ok(Produced {
            value: granted,
            position,
        });
    }
    // The same request came before: the same answer, as of then.
    match Session::load(app, session).await? {
        Some(before) if before.user() == user_id && before.opened.refresh == token.digest(app) => {
            Ok(Produced {
                value: grant(app, &cause, user_id, token, before.opened.at_ms).await?,
                position: Some(before.position),
            })
        }
        _ => Err(Refusal::KeyReused.into()),
    }
}

/// Notes a failed log-in in `access-{user}`. When that fails, too, the failure is only in this process's log.
async fn note_failure(app: App, cause: Cause, user_id: UserId) {
    let stream = StreamName::of(StreamKind::Access, user_id.0);
    let cause = Cause {
        correlation: user_id.0,
        ..cause
    };
    if let Err(error) = note(&app, &cause, &stream).await {
        tracing::warn!(%error, %stream, "a failed log-in is not noted");
    }
}

/// The stream may be long: where it ends, the conflict tells.
async fn note(app: &App, cause: &Cause, stream: &StreamName) -> Result<(), Rejection> {
    let (command, at_ms) = (CommandId(app.ids.fresh()), app.clock.now());
    let mut end = StreamEnd::NEW;
    for _ in 0..NOTE_ATTEMPTS {
        let expected = Expected::before(end.next);
        let failed = LoginFailed { at_ms };
        let events = end
            .link(stream, command, cause, at_ms, [failed.into()])
            .map_err(contract::Unreadable::from)?;
        let current = match app.log.append(stream, expected, events).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Conflict { current }) => current.unwrap_or_default(),
            Err(error) => {
                let what = error.to_string();
                return Err(Failure::Unavailable { what }.into());
            }
        };
        let last = app.log.read(stream, current, 1).await;
        let last = last.map_err(|error| {
            let what = error.to_string();
            Rejection::Failed(Failure::Unavailable { what })
        })?;
        end = match last.first() {
            Some(recorded) => recorded.end()?,
            None => StreamEnd::NEW,
        };
    }
    let retry_after_ms = 1_000;
    Err(Failure::Busy { retry_after_ms }.into())
}
