//! The sessions in which transactions run.
//!
//! A transaction whose client has gone, or has given it up because the server fell silent, stays open on the server,
//! by default for a minute, and whatever else wants to change what it has changed fails until then. A projector that
//! is killed is most likely killed within a transaction, and the next one would wait for that minute. So:
//!
//! - a process uses its sessions again and again: the next transaction of a session ends the one before;
//! - each session is entered in `writers` (`_id`: the session's id) before it is used, and a process whose transactions
//!   keep failing because of others ends the sessions of others. A process that lives loses a transaction by that, and
//!   runs it again;
//! - a session whose transaction was abandoned in the middle, as when the lead is lost, is no longer this process's own:
//!   when it leads again, it ends that transaction like anybody's.

use super::super::{Mongo, failure::Failure};
use ::mongodb::{
    ClientSession, Collection,
    bson::{Bson, DateTime, Document, doc},
};
use futures_util::TryStreamExt;
use metrics::counter;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long an entry is kept that nobody needed. A process that lives longer than this without entering another
/// session is no longer found, and can hold up others for the server's minute.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// The sessions of a store.
pub(super) struct Sessions {
    mongo: Mongo,
    writers: Collection<Document>,
    idle: Mutex<Vec<ClientSession>>,
    ours: Mutex<Vec<Bson>>,
}

impl Sessions {
    pub fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            writers: mongo.collection("writers"),
            idle: Mutex::default(),
            ours: Mutex::default(),
        }
    }

    /// The session that was used last, for it may have a transaction to end; or a new one.
    pub async fn take(&self) -> Result<Taken<'_>, Failure> {
        let idle = held(&self.idle).pop();
        let session = match idle {
            Some(session) => session,
            None => self.enter().await?,
        };
        let (sessions, session) = (self, Some(session));
        Ok(Taken { sessions, session })
    }

    async fn enter(&self) -> Result<ClientSession, Failure> {
        let start = self.mongo.database().client().start_session();
        let session = self.mongo.call("session", start).await?;
        let id = id_of(&session);
        held(&self.ours).push(id.clone());
        // By this machine's clock: it is only about tidiness.
        let now = DateTime::now();
        let kept_for = i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        let old = DateTime::from_millis(now.timestamp_millis().saturating_sub(kept_for));
        let tidy = self.writers.delete_many(doc! { "at": { "$lt": old } });
        self.mongo.call("session", tidy).await?;
        // It may be there: the driver gives the session of a transaction that was abandoned to the next who asks.
        let set = doc! { "$set": { "at": now } };
        let entry = self.writers.update_one(doc! { "_id": id }, set).upsert(true);
        self.mongo.call("session", entry).await?;
        Ok(session)
    }

    /// Ends the sessions of all other processes, with what they left open.
    pub async fn end_others(&self) {
        if let Err(failure) = self.try_end_others().await {
            tracing::warn!(failure.why, "the transactions of others were not ended");
        }
    }

    async fn try_end_others(&self) -> Result<(), Failure> {
        let ours = held(&self.ours).clone();
        let find = self.writers.find(doc! { "_id": { "$nin": ours } });
        let work = async { find.await?.try_collect::<Vec<_>>().await };
        let others = self.mongo.call("session", work).await?;
        let ids: Vec<Bson> = others
            .iter()
            .filter_map(|other| other.get("_id").cloned())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        tracing::info!(
            sessions = ids.len(),
            "ending the transactions that others left open"
        );
        counter!("eventflow_mongodb_ended_sessions_total").increment(ids.len() as u64);
        let sessions: Vec<Document> = ids.iter().map(|id| doc! { "id": id }).collect();
        let kill = self
            .mongo
            .database()
            .run_command(doc! { "killSessions": sessions });
        self.mongo.call("session", kill).await?;
        // Those of the living stay to be found again; the dead are found in vain.
        Ok(())
    }
}

/// A session in use. Never more of them than there are transactions at once: those of a projector and of a rebuild.
pub(super) struct Taken<'a> {
    sessions: &'a Sessions,
    /// There until it is put back.
    session: Option<ClientSession>,
}

impl Taken<'_> {
    /// The session; `None` never, as it cannot be used after it was put back.
    pub fn session(&mut self) -> Option<&mut ClientSession> {
        self.session.as_mut()
    }

    /// Its transaction is over: it can be used again.
    pub fn put_back(mut self) {
        if let Some(session) = self.session.take() {
            held(&self.sessions.idle).push(session);
        }
    }
}

impl Drop for Taken<'_> {
    /// Abandoned, when it was not put back.
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            let id = id_of(session);
            held(&self.sessions.ours).retain(|ours| *ours != id);
        }
    }
}

fn id_of(session: &ClientSession) -> Bson {
    session.id().get("id").cloned().unwrap_or(Bson::Null)
}

fn held<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
