//! Accounts: how people log in, stay logged in and log out, and what they may be.
//!
//! Everything is decided from the log: an address's claims tell whose it is, the first event of that user's stream
//! holds the sealed password hash, `session-{id}` is a log-in from its beginning to its end, `account-{user}` holds
//! roles. So it works while every read model is away.
//!
//! ```text
//! login    ─ throttle ─ who is it? ─ Argon2id ─ session_opened.v1  ─┐
//! refresh  ─ current token? ─ session_renewed.v1 ───────────────────┼─ roles anew ─ tokens
//!          └ an earlier one ─ session_closed.v1 (token_reused)      ┘
//! logout   ─ session_closed.v1 (logged_out)
//! roles    ─ roles_changed.v1
//! ```
//!
//! Deliberately absent: lanes. Each of these streams is written by one person at a time, so the expected revision
//! alone keeps order.

pub mod login;
pub mod logout;
pub mod refresh;
pub mod roles;
mod session;
mod throttle;
mod token;

pub use login::login;
pub use logout::log_out;
pub use refresh::refresh;
pub use token::RefreshToken;

use crate::app::{App, Rejection, Turns};
use contract::{
    Answer, Cause, Command, Refusal, SessionId, Timestamp, UserId,
    commands::{UserAction, UserCommand},
};
use std::{fmt, sync::atomic::AtomicU64};
use throttle::Throttle;
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;

/// How many log-ins wait for the processors at a time; more are told to come back.
const WAITING: usize = 128;

/// What this process remembers of those who log in. None of it is needed: a restart forgets it.
pub struct Accounts {
    throttle: Throttle,
    /// Attempts on one account, one after another, so that none is decided before the failure of another counts.
    turns: Turns,
    waiting: Semaphore,
    /// The hash that is verified where there is none, so that it takes as long.
    decoy: OnceCell<String>,
    verified: AtomicU64,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            throttle: Throttle::default(),
            turns: Turns::default(),
            waiting: Semaphore::new(WAITING),
            decoy: OnceCell::new(),
            verified: AtomicU64::new(0),
        }
    }
}

impl Accounts {
    /// How many passwords were verified, those of people who do not exist included.
    pub fn passwords_verified(&self) -> u64 {
        self.verified.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// What somebody who logged in is given. Secret: never stored or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// Who.
    pub user_id: UserId,
    /// Since this log-in.
    pub session: SessionId,
    /// Says who it is, to every node, for a while.
    pub access_token: String,
    /// How long, in seconds.
    pub expires_in_s: u64,
    /// Gets the next access token, once.
    pub refresh_token: RefreshToken,
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Granted({}, {})", self.user_id, self.session)
    }
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such address and password, or no such token. Which of the reasons it is, nobody is told.
    #[error("not let in")]
    NotLetIn,
    /// Too many failures before.
    #[error("too many failures; try again in {retry_after_s} s")]
    Throttled {
        /// When the next attempt is looked at.
        retry_after_s: u64,
    },
    /// Refused for another reason, or something failed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Denied::Rejected(refusal.into())
    }
}

/// Tokens for a session whose refresh token is this one. `now` was taken before the person's standing is read here:
/// whatever changes it afterwards is later than the access token, and so revokes it.
async fn grant(
    app: &App,
    cause: &Cause,
    user_id: UserId,
    refresh_token: RefreshToken,
    now: Timestamp,
) -> Result<Granted, Denied> {
    let session = refresh_token.session();
    let standing = roles::standing(app, user_id).await?;
    match exists(app, cause, user_id).await {
        Ok(()) => {}
        Err(Rejection::Refused(Refusal::UserForgotten | Refusal::UserNotFound)) => {
            return Err(Denied::NotLetIn);
        }
        Err(other) => return Err(other.into()),
    }
    // Later than what changed the roles last, which revokes all tokens up to its own time.
    let issued = standing
        .since
        .map_or(now, |changed_at| changed_at.plus_ms(1).max(now));
    let ttl_s = app.settings.access_ttl_s;
    let access_token = app.tokens.issue(user_id, session, &standing.roles, issued, ttl_s);
    Ok(Granted {
        user_id,
        session,
        access_token,
        expires_in_s: ttl_s,
        refresh_token,
    })
}

/// Asks the person's lane whether they are there.
///
/// # Errors
/// [`Refusal::UserNotFound`], [`Refusal::UserForgotten`]; technical failures.
pub async fn exists(app: &App, cause: &Cause, user_id: UserId) -> Result<(), Rejection> {
    let command = Command::User(UserCommand {
        user_id,
        action: UserAction::Check,
    });
    match app
        .ask(cause, contract::CommandId(app.ids.fresh()), command)
        .await?
        .answer
    {
        Answer::User { .. } => Ok(()),
        other => Err(Rejection::unexpected(&other)),
    }
}

/// A person as the actor of what they do.
fn by(user_id: UserId, correlation: Uuid, cause: &Cause) -> Cause {
    Cause {
        correlation,
        actor: user_id.to_string().into(),
        trace: cause.trace.clone(),
    }
}
