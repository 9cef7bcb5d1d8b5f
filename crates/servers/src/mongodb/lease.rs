//! Who leads, for work that one process at a time should do: a document in `leases` that the leader keeps renewing.
//!
//! | field | |
//! |---|---|
//! | `_id` | the name of the work |
//! | `holder` | the process that leads; null once it has stepped down |
//! | `term` | grows with every change of the leader |
//! | `token` | a random text of this term, so that a term is never taken for another |
//! | `beat` | grows with every renewal |
//!
//! No clock is compared with another's. The leader counts its term by its own monotonic clock, from *before* it
//! sent the last renewal that succeeded. A standby takes over when it has seen the same token and beat for the whole
//! term and a tenth more, by its own clock, from when it first saw them: which was after they were written. So a new
//! term begins only when the leader before knows that its own is over, as long as the clocks of both run equally
//! fast to within a tenth.
//!
//! A leader that is paused learns on waking that its term is over, but may have been in the middle of something. So
//! a lease saves work and does not protect data; the fence of the read store does.

use super::{
    Mongo,
    failure::{Failure, Remedy},
};
use ::mongodb::{
    Collection,
    bson::{Bson, Document, doc},
};
use metrics::{counter, gauge};
use std::time::Duration;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};
use uuid::Uuid;

/// How a lease is kept.
#[derive(Clone, Copy, Debug)]
pub struct LeaseOptions {
    /// How long a term lasts without being renewed. It is renewed every third of this.
    pub ttl: Duration,
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3),
        }
    }
}

/// The leases of a database.
#[derive(Clone)]
pub struct MongoLease {
    mongo: Mongo,
    leases: Collection<Document>,
    options: LeaseOptions,
}

/// What a standby sees of a lease. Unchanged means: nobody renewed it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight {
    token: String,
    beat: i64,
    term: i64,
    stepped_down: bool,
}

impl MongoLease {
    /// The leases of a database. The server need not be there.
    pub fn new(mongo: &Mongo, options: LeaseOptions) -> Self {
        Self {
            mongo: mongo.clone(),
            leases: mongo.durable("leases"),
            options,
        }
    }

    /// Waits until this process leads, for as long as that takes; also while MongoDB is away. `holder` is shown to
    /// operators and not compared. Dropping the future gives up waiting.
    pub async fn lead(&self, name: &str, holder: &str) -> Term {
        let mut unchanged: Option<(Sight, Instant)> = None;
        loop {
            match self.try_lead(name, holder, &mut unchanged).await {
                Ok(Some(term)) => return term,
                Ok(None) => {}
                Err(failure) => tracing::debug!(failure.why, name, "a lease cannot be read"),
            }
            tokio::time::sleep(self.options.ttl / 10).await;
        }
    }

    async fn try_lead(
        &self,
        name: &str,
        holder: &str,
        unchanged: &mut Option<(Sight, Instant)>,
    ) -> Result<Option<Term>, Failure> {
        let find = self.leases.find_one(doc! { "_id": name });
        let found = self.mongo.call("lease", find).await?;
        let now = Instant::now();
        let Some(found) = found else {
            return self.insert(name, holder).await;
        };
        let sight = Sight::of(&found);
        let since = match unchanged {
            Some((before, since)) if *before == sight => *since,
            _ => {
                *unchanged = Some((sight.clone(), now));
                now
            }
        };
        let over = now - since > self.options.ttl + self.options.ttl / 10;
        if over || sight.stepped_down {
            return self.take(name, holder, &sight).await;
        }
        Ok(None)
    }

    /// The first term of all.
    async fn insert(&self, name: &str, holder: &str) -> Result<Option<Term>, Failure> {
        let (token, began) = (fresh_token(), Instant::now());
        let lease = doc! { "_id": name, "holder": holder, "term": 1_i64, "token": &token, "beat": 0_i64 };
        match self.mongo.call("lease", self.leases.insert_one(lease)).await {
            Ok(_) => Ok(Some(self.term(name, 1, token, began))),
            Err(failure) if failure.remedy == Remedy::LookAtIt => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Takes over from what was seen, unless that has changed.
    async fn take(&self, name: &str, holder: &str, sight: &Sight) -> Result<Option<Term>, Failure> {
        let (token, began, term) = (fresh_token(), Instant::now(), sight.term + 1);
        let seen = doc! { "_id": name, "token": &sight.token, "beat": sight.beat };
        let mine = doc! { "holder": holder, "term": term, "token": &token, "beat": 0_i64 };
        let update = doc! { "$set": mine, "$currentDate": { "at": true } };
        let updated = self
            .mongo
            .call("lease", self.leases.update_one(seen, update))
            .await?;
        let number = u64::try_from(term).unwrap_or_default();
        Ok((updated.matched_count == 1).then(|| self.term(name, number, token, began)))
    }

    fn term(&self, name: &str, number: u64, token: String, began: Instant) -> Term {
        let (until, heard) = watch::channel(Some(began + self.options.ttl));
        let (held, dropped) = oneshot::channel();
        let renewing = Renewing {
            lease: self.clone(),
            name: name.to_owned(),
            mine: doc! { "_id": name, "token": token },
            until,
        };
        counter!("eventflow_lease_terms_total", "lease" => name.to_owned()).increment(1);
        gauge!("eventflow_lease_held", "lease" => name.to_owned()).set(1.0);
        tracing::info!(name, number, "this process leads");
        tokio::spawn(renewing.run(dropped));
        Term {
            number,
            until: heard,
            _held: held,
        }
    }
}

impl Sight {
    fn of(found: &Document) -> Self {
        let number = |field: &str| match found.get(field) {
            Some(Bson::Int32(number)) => i64::from(*number),
            Some(Bson::Int64(number)) => *number,
            _ => 0,
        };
        Self {
            token: found.get_str("token").unwrap_or_default().to_owned(),
            beat: number("beat"),
            term: number("term"),
            stepped_down: matches!(found.get("holder"), Some(Bson::Null)),
        }
    }
}

/// A term of leading. Dropping it steps down: to be done when the work has ended, and then another leads at once.
pub struct Term {
    number: u64,
    until: watch::Receiver<Option<Instant>>,
    /// Its end tells the renewing task that this is dropped.
    _held: oneshot::Sender<()>,
}

impl Term {
    /// Grows with every change of the leader.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the term still lasts. False from the very moment when another may begin to lead.
    pub fn is_held(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until the term is over, because it could not be renewed. It never comes back.
    pub async fn lost(&self) {
        let mut until = self.until.clone();
        loop {
            let Some(over) = *until.borrow_and_update() else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep_until(over) => {
                    if !self.is_held() {
                        return;
                    }
                }
                renewed = until.changed() => if renewed.is_err() {
                    return;
                },
            }
        }
    }
}

/// Keeps a term until it is lost or dropped.
struct Renewing {
    lease: MongoLease,
    name: String,
    /// The document, while the term lasts.
    mine: Document,
    /// When the term is over; `None` once it is.
    until: watch::Sender<Option<Instant>>,
}

impl Renewing {
    async fn run(self, mut dropped: oneshot::Receiver<()>) {
        let ttl = self.lease.options.ttl;
        let mut next = Instant::now() + ttl / 3;
        let kept = loop {
            tokio::select! {
                _ = &mut dropped => break true,
                () = tokio::time::sleep_until(next) => {}
            }
            let Some(until) = *self.until.borrow() else {
                break false;
            };
            let began = Instant::now();
            let renewed = tokio::select! {
                _ = &mut dropped => break true,
                renewed = tokio::time::timeout_at(until, self.renew()) => renewed,
            };
            match renewed {
                Ok(Ok(true)) => {
                    self.until.send_replace(Some(began + ttl));
                    next = began + ttl / 3;
                }
                // Another has taken it.
                Ok(Ok(false)) | Err(_) => break false,
                Ok(Err(_)) if Instant::now() >= until => break false,
                Ok(Err(failure)) => {
                    tracing::warn!(failure.why, name = self.name, "a term could not be renewed yet");
                    next = Instant::now() + ttl / 10;
                }
            }
        };
        self.until.send_replace(None);
        gauge!("eventflow_lease_held", "lease" => self.name.clone()).set(0.0);
        if kept {
            self.step_down().await;
        } else {
            counter!("eventflow_lease_lost_total", "lease" => self.name.clone()).increment(1);
            tracing::warn!(name = self.name, "this process no longer leads");
        }
    }

    async fn renew(&self) -> Result<bool, Failure> {
        let beat = doc! { "$inc": { "beat": 1_i64 }, "$currentDate": { "at": true } };
        let update = self.lease.leases.update_one(self.mine.clone(), beat);
        let updated = self.lease.mongo.call("lease", update).await?;
        Ok(updated.matched_count == 1)
    }

    /// So that another need not wait for the term to run out. When this fails, it does.
    async fn step_down(&self) {
        let free = doc! { "$set": { "holder": Bson::Null }, "$inc": { "beat": 1_i64 } };
        let update = self.lease.leases.update_one(self.mine.clone(), free);
        if let Err(failure) = self.lease.mongo.call("lease", update).await {
            tracing::warn!(
                failure.why,
                name = self.name,
                "a term could not be ended before its time"
            );
        }
    }
}

fn fresh_token() -> String {
    Uuid::new_v4().simple().to_string()
}
