//! What every use case of the write side has at hand: the ports, the settings, and the way to ask a lane.

mod turns;

pub use turns::{Turn, Turns};

use crate::{account::Accounts, outcomes::Outcomes, reserve::chain::Chain};
use contract::{
    Answer, Ask, Cause, Command, CommandId, Currency, Failure, NewEvent, Position, Recorded, Refusal, Reply,
    StreamName, Timestamp,
};
use ports::{
    AppendError, Appended, Broker, BrokerError, Clock, EventLog, Expected, Ids, LogError, Payments, Vault,
};
use std::{ops::Deref, sync::Arc};
use tokio::sync::{Semaphore, oneshot};
use web::access::Tokens;

/// How many passwords are hashed at a time. Argon2id is slow and large on purpose: more at once would take the
/// processors away from everybody who buys.
const HASHES_AT_ONCE: usize = 2;
/// How often an append whose outcome is unknown is sent again before its caller is told so.
const APPEND_ATTEMPTS: usize = 3;
/// How many events are read at a time.
const PAGE: usize = 1_000;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a hold lasts.
    pub hold_ttl_ms: u64,
    /// The currency of shows that name none.
    pub currency: Currency,
    /// How long an answer waits for the outcome, and a reservation in line, when the buyer does not say.
    pub default_wait_ms: u64,
    /// How long the payment gateway may take before it counts as silent.
    pub payment_timeout_ms: u64,
    /// How long a lane may take before an ask counts as unanswered.
    pub ask_timeout_ms: u64,
    /// How long an access token is valid, in seconds.
    pub access_ttl_s: u64,
    /// How long a session can be renewed before its owner must log in again, in seconds.
    pub session_ttl_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hold_ttl_ms: 600_000,
            currency: Currency::USD,
            default_wait_ms: 5_000,
            payment_timeout_ms: 4_000,
            ask_timeout_ms: 10_000,
            access_ttl_s: 900,
            session_ttl_s: 2_592_000,
        }
    }
}

/// The ports and settings that the write side is made of.
pub struct Parts {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The way to the lanes.
    pub broker: Arc<dyn Broker>,
    /// Keys of persons, and pseudonyms.
    pub vault: Arc<dyn Vault>,
    /// The payment gateway.
    pub payments: Arc<dyn Payments>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// What becomes of the reservations that somebody waits for.
    pub outcomes: Arc<Outcomes>,
    /// Access tokens, as the guard of this process knows them.
    pub tokens: Arc<Tokens>,
    /// What an operator may set.
    pub settings: Settings,
}

/// The write side. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    chain: Chain,
    keys: Turns,
    hashing: Semaphore,
    accounts: Accounts,
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl App {
    /// Puts the parts together. Counters are registered here: install the metrics recorder before.
    pub fn new(parts: Parts) -> Self {
        let hashing = Semaphore::new(HASHES_AT_ONCE);
        Self(Arc::new(Inner {
            parts,
            chain: Chain::standard(),
            keys: Turns::default(),
            hashing,
            accounts: Accounts::default(),
        }))
    }

    /// The chain of responsibility that every reservation passes.
    pub fn chain(&self) -> &Chain {
        &self.0.chain
    }

    /// Requests under one idempotency key, one at a time.
    pub fn keys(&self) -> &Turns {
        &self.0.keys
    }

    /// What this process remembers of those who log in.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Permits to hash a password.
    pub fn hashing(&self) -> &Semaphore {
        &self.0.hashing
    }

    /// Sends a command to the lane of its aggregate and waits for the answer, `ask_timeout_ms` at the most.
    ///
    /// # Errors
    /// The refusal, or the technical failure; never an `Ok` that is one.
    pub async fn ask(&self, cause: &Cause, id: CommandId, command: Command) -> Result<Reply, Rejection> {
        let deadline_ms = self.clock.now().plus_ms(self.settings.ask_timeout_ms);
        self.ask_until(deadline_ms, cause, id, command).await
    }

    /// As [`App::ask`], with a deadline of its own.
    ///
    /// # Errors
    /// As [`App::ask`].
    pub async fn ask_until(
        &self,
        deadline_ms: Timestamp,
        cause: &Cause,
        id: CommandId,
        command: Command,
    ) -> Result<Reply, Rejection> {
        let ask = Ask {
            id,
            cause: cause.clone(),
            deadline_ms,
            command,
        };
        Self::judge(self.broker.ask(ask).await.unwrap_or_else(failed))
    }

    /// Hands an ask to the broker; the reply comes later, see [`App::judge`].
    ///
    /// # Errors
    /// When the broker did not take it.
    pub async fn submit(&self, ask: Ask) -> Result<oneshot::Receiver<Reply>, Rejection> {
        match self.broker.submit(ask).await {
            Ok(reply) => Ok(reply),
            Err(error) => Err(Self::judge(failed(error)).err().unwrap_or_else(|| {
                let what = "the broker did not take it".into();
                Rejection::Failed(Failure::Unavailable { what })
            })),
        }
    }

    /// The reply, when it is an answer.
    ///
    /// # Errors
    /// The refusal, or the technical failure.
    pub fn judge(reply: Reply) -> Result<Reply, Rejection> {
        match reply.answer {
            // The deadline was ours: the lane has more to do than it can, and did nothing.
            Answer::Refused(Refusal::TooLate { .. }) => Err(Failure::Busy {
                retry_after_ms: 1_000,
            }
            .into()),
            Answer::Refused(refusal) => Err(Rejection::Refused(refusal)),
            Answer::Failed(failure) => Err(Rejection::Failed(failure)),
            _ => Ok(reply),
        }
    }

    /// Appends; `None` when the stream is not where it was expected. An append whose outcome is unknown is sent
    /// again: the log recognises the events by their ids, so that this reads back what happened.
    ///
    /// # Errors
    /// The log is away, or still does not say what happened.
    pub async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Option<Appended>, Failure> {
        let mut attempt = 1;
        loop {
            match self.log.append(stream, expected, events.clone()).await {
                Ok(appended) => return Ok(Some(appended)),
                Err(AppendError::Conflict { .. }) => return Ok(None),
                Err(AppendError::Unknown(_)) if attempt < APPEND_ATTEMPTS => attempt += 1,
                Err(AppendError::Unknown(what)) => return Err(Failure::Unknown { what }),
                Err(AppendError::Unavailable(what)) => return Err(Failure::Unavailable { what }),
                Err(AppendError::Unacceptable(what)) => return Err(Failure::Unreadable { what }),
            }
        }
    }

    /// All events of a stream; empty when it does not exist. For the short streams only: reservations,
    /// payments, claims.
    ///
    /// # Errors
    /// The log is away or damaged.
    pub async fn read(&self, stream: &StreamName) -> Result<Vec<Arc<Recorded>>, Failure> {
        let mut events = Vec::new();
        loop {
            let page = self
                .log
                .read(stream, events.len() as u64, PAGE)
                .await
                .map_err(unread)?;
            let last = page.len() < PAGE;
            events.extend(page);
            if last {
                return Ok(events);
            }
        }
    }

    /// The first event of a stream.
    ///
    /// # Errors
    /// The log is away or damaged.
    pub async fn read_first(&self, stream: &StreamName) -> Result<Option<Arc<Recorded>>, Failure> {
        Ok(self
            .log
            .read(stream, 0, 1)
            .await
            .map_err(unread)?
            .into_iter()
            .next())
    }
}

fn failed(error: BrokerError) -> Reply {
    Reply {
        position: None,
        answer: error.into(),
    }
}

fn unread(error: LogError) -> Failure {
    match error {
        LogError::Unavailable(what) => Failure::Unavailable { what },
        LogError::Damaged(what) => Failure::Unreadable { what },
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The business says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Rejection {
    /// An answer that does not belong to the question: two versions of this program do not fit together.
    pub fn unexpected(answer: &Answer) -> Self {
        tracing::error!(?answer, "an answer that does not belong to the question");
        Rejection::Failed(Failure::Unreadable {
            what: "an answer that does not belong to the question".into(),
        })
    }
}

impl From<contract::Unreadable> for Rejection {
    fn from(error: contract::Unreadable) -> Self {
        Rejection::Failed(Failure::Unreadable {
            what: error.to_string(),
        })
    }
}

/// Something that was done, and where in the log it stands.
#[derive(Clone, Debug)]
pub struct Produced<T> {
    /// What.
    pub value: T,
    /// The position that the command produced, when it is known.
    pub position: Option<Position>,
}
