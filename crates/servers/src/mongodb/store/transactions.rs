//! Transactions: run, run again when MongoDB says that this helps, and committed again when it is not known whether
//! the commit went through. All within bounds: after those the caller hears of it.

use super::super::{
    Mongo,
    connection::majority,
    failure::{Failure, Remedy},
};
use super::{
    changes::{Part, check},
    generations::{Known, Meta, as_known, moved},
    sessions::Sessions,
    written::Written,
};
use ::mongodb::ClientSession;
use async_trait::async_trait;
use contract::Position;
use metrics::counter;
use ports::Generation;
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// For how long a transaction is tried again.
const RETRIED_FOR: Duration = Duration::from_secs(5);
/// How long to wait before the second time; doubled for each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// How long conflicts may go on before they are taken for those with a process that is dead.
const HELD_UP: Duration = Duration::from_millis(150);
/// How long the abort of a transaction is waited for.
const ABORTS_WITHIN: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What is done in a transaction. It may be run several times; only the last counts.
#[async_trait]
pub(super) trait Steps: Send + Sync {
    /// What it brings.
    type Outcome: Send;

    /// Its name in metrics.
    const NAME: &'static str;

    /// Whether a failover must not lose it, whatever the connection string says.
    const DURABLE: bool;

    async fn run(&self, mongo: &Mongo, session: &mut ClientSession) -> Result<Self::Outcome, Failure>;
}

/// Runs a transaction. A failure whose remedy is [`Remedy::CommitAgain`] tells that it may have happened.
pub(super) async fn transact<S: Steps>(
    mongo: &Mongo,
    sessions: &Sessions,
    steps: &S,
) -> Result<S::Outcome, Failure> {
    let mut taken = sessions.take().await?;
    let (began, mut pause, mut cleared) = (Instant::now(), FIRST_PAUSE, false);
    let give_up = began + RETRIED_FOR;
    let outcome = loop {
        let Some(session) = taken.session() else {
            return Err(Failure::refused("the session was put back"));
        };
        match once(mongo, steps, session, give_up).await {
            Err(failure) if failure.remedy == Remedy::RunAgain && Instant::now() < give_up => {
                counter!("eventflow_mongodb_retries_total", "operation" => S::NAME).increment(1);
                if began.elapsed() > HELD_UP && !cleared {
                    sessions.end_others().await;
                    cleared = true;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => break outcome,
        }
    };
    taken.put_back();
    if outcome.is_ok() {
        counter!("eventflow_mongodb_transactions_total", "operation" => S::NAME).increment(1);
    }
    outcome
}

async fn once<S: Steps>(
    mongo: &Mongo,
    steps: &S,
    session: &mut ClientSession,
    give_up: Instant,
) -> Result<S::Outcome, Failure> {
    let start = session.start_transaction();
    let start = if S::DURABLE {
        start.write_concern(majority())
    } else {
        start
    };
    mongo.call("session", start).await?;
    match steps.run(mongo, session).await {
        Ok(outcome) => commit(mongo, session, give_up).await.map(|()| outcome),
        Err(failure) => {
            // Also when the server is away, and not for long: the session must know that this one is over.
            let _ = tokio::time::timeout(ABORTS_WITHIN, session.abort_transaction()).await;
            Err(failure)
        }
    }
}

async fn commit(mongo: &Mongo, session: &mut ClientSession, give_up: Instant) -> Result<(), Failure> {
    let mut pause = FIRST_PAUSE;
    loop {
        match mongo.call("commit", session.commit_transaction()).await {
            Err(failure) if failure.no_answer || failure.remedy == Remedy::CommitAgain => {
                if Instant::now() >= give_up || failure.no_answer {
                    let remedy = Remedy::CommitAgain;
                    return Err(Failure { remedy, ..failure });
                }
                counter!("eventflow_mongodb_retries_total", "operation" => "commit").increment(1);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Moves a generation from what is known of it, and makes a part of a change set.
pub(super) struct Apply<'a> {
    pub meta: &'a Meta,
    pub generation: Generation,
    pub part: &'a Part,
    /// What the generation's fence must be.
    pub fence: &'a str,
    /// What it is to be.
    pub next: &'a str,
    /// Where the checkpoint goes; `None` leaves it.
    pub checkpoint: Option<Position>,
    /// What may be taken for new.
    pub written: &'a Written,
    /// A document that was taken for new was there: now all are upserts.
    pub mistaken: AtomicBool,
}

#[async_trait]
impl Steps for Apply<'_> {
    type Outcome = ();
    const NAME: &'static str = "apply";
    const DURABLE: bool = false;

    async fn run(&self, mongo: &Mongo, session: &mut ClientSession) -> Result<(), Failure> {
        let known = as_known(self.generation, self.fence);
        let documents = self.meta.documents();
        let update = documents.update_one(known, moved(self.next, self.checkpoint));
        let updated = mongo.call("fence", update.session(&mut *session)).await?;
        if updated.matched_count == 0 {
            let remedy = Remedy::ReadBack;
            let failure = Failure::refused("another projector has written");
            return Err(Failure { remedy, ..failure });
        }
        let mistaken = self.mistaken.load(Relaxed);
        let seems_new = |of: &str, key: &str| !mistaken && self.written.seems_new(self.generation, of, key);
        for command in self.part.commands(self.generation, seems_new) {
            let command = mongo.database().run_raw_command(command).session(&mut *session);
            let written = mongo.call("write", command).await;
            match written.and_then(|answer| check(&answer)) {
                Err(failure) if failure.remedy == Remedy::LookAtIt && !mistaken => {
                    self.mistaken.store(true, Relaxed);
                    self.written.mistaken();
                    let remedy = Remedy::RunAgain;
                    return Err(Failure { remedy, ..failure });
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }
}

/// Begins a generation; `None` when the database has none.
pub(super) struct Begin<'a>(pub &'a Meta);

#[async_trait]
impl Steps for Begin<'_> {
    type Outcome = Option<(Generation, Known)>;
    const NAME: &'static str = "begin";
    const DURABLE: bool = true;

    async fn run(&self, mongo: &Mongo, session: &mut ClientSession) -> Result<Self::Outcome, Failure> {
        mongo.call("begin", self.0.begin(session)).await
    }
}

/// Activates a generation; `None` when there is no such.
pub(super) struct Activate<'a>(pub &'a Meta, pub Generation);

#[async_trait]
impl Steps for Activate<'_> {
    type Outcome = Option<Known>;
    const NAME: &'static str = "activate";
    const DURABLE: bool = true;

    async fn run(&self, mongo: &Mongo, session: &mut ClientSession) -> Result<Self::Outcome, Failure> {
        mongo.call("activate", self.0.activate(self.1, session)).await
    }
}
