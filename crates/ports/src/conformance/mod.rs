//! The suite that every adapter must pass: per port a list of named checks, the same for files, memory and real
//! servers. A check says what the port promises, in a sentence, and proves it from outside.
//!
//! ```text
//! let report = conformance::event_log(&my_fixture).await;
//! assert!(report.passed_all(), "{report}");
//! ```
//!
//! `tests/conformance.rs` runs it on the embedded adapters, and on adapters that are broken on purpose, which must
//! fail the very checks that are about what they break.

mod broker;
mod event_log;
mod payments;
mod read_store;
mod snapshots;
mod vault;

use crate::{Broker, EventLog, Payments, ReadStore, Snapshots, SystemIds, Vault, clock::Ids};
use async_trait::async_trait;
use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};
use uuid::Uuid;

/// How long one check may take. An adapter that never returns fails; one on a server of a busy machine may be slow.
const CHECK_LIMIT: Duration = Duration::from_secs(120);

/// Makes the adapters that are checked.
#[async_trait]
pub trait Fixture<P: ?Sized>: Send + Sync {
    /// An adapter over storage that is empty. (A log may have streams of others in it.)
    async fn fresh(&self) -> Result<Arc<P>, Failed>;

    /// Ends the adapter that `fresh` or `reopen` gave last and gives another over the same storage, as after a
    /// restart of the process.
    async fn reopen(&self, port: Arc<P>) -> Result<Arc<P>, Failed>;
}

/// Why a check failed.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    /// With this explanation.
    pub fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Outcome = Result<(), Failed>;
type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
type Check<P> = (&'static str, for<'a> fn(&'a dyn Fixture<P>) -> Running<'a>);

/// What a suite found.
#[derive(Debug)]
pub struct Report {
    /// Which port.
    pub suite: &'static str,
    /// The checks that held.
    pub passed: Vec<&'static str>,
    /// The checks that did not, and why.
    pub failed: Vec<(&'static str, String)>,
    /// Why nothing was checked, for instance because a server is absent.
    pub skipped: Option<String>,
}

impl Report {
    /// A suite that could not run.
    pub fn skipped(suite: &'static str, why: impl Into<String>) -> Self {
        Self {
            suite,
            passed: Vec::new(),
            failed: Vec::new(),
            skipped: Some(why.into()),
        }
    }

    /// Whether all checks ran and held.
    pub fn passed_all(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_none() && !self.passed.is_empty()
    }

    /// Whether this check ran and did not hold.
    pub fn failed(&self, check: &str) -> bool {
        self.failed.iter().any(|(name, _)| *name == check)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.skipped {
            return write!(f, "{}: SKIPPED, {why}", self.suite);
        }
        write!(
            f,
            "{}: {} passed, {} failed",
            self.suite,
            self.passed.len(),
            self.failed.len()
        )?;
        for (name, why) in &self.failed {
            write!(f, "\n  {name}: {why}")?;
        }
        Ok(())
    }
}

async fn run<P: ?Sized>(suite: &'static str, checks: Vec<Check<P>>, fixture: &dyn Fixture<P>) -> Report {
    let mut report = Report {
        suite,
        passed: Vec::new(),
        failed: Vec::new(),
        skipped: None,
    };
    for (name, check) in checks {
        let outcome = tokio::time::timeout(CHECK_LIMIT, check(fixture)).await;
        match outcome.unwrap_or_else(|_| Err(Failed::because("it did not end in time"))) {
            Ok(()) => report.passed.push(name),
            Err(Failed(why)) => report.failed.push((name, why)),
        }
    }
    report
}

macro_rules! suites {
    ($($(#[$doc:meta])* $suite:ident: $port:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub async fn $suite(fixture: &dyn Fixture<dyn $port>) -> Report {
            run(stringify!($suite), $suite::checks(), fixture).await
        }
    )+};
}

suites! {
    /// Checks an event log.
    event_log: EventLog,
    /// Checks a read store.
    read_store: ReadStore,
    /// Checks a snapshot store.
    snapshots: Snapshots,
    /// Checks a vault.
    vault: Vault,
    /// Checks a payment gateway that knows the contract's test tokens.
    payments: Payments,
    /// Checks a broker that tells time by the machine's clock.
    broker: Broker,
}

/// The names and functions of a suite's checks.
macro_rules! checks {
    ($($check:ident),+ $(,)?) => {
        vec![$((stringify!($check), |fixture| Box::pin($check(fixture)))),+]
    };
}
use checks;

/// Goes on when the condition holds; fails the check when not.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failed::because(format!($($why)+)));
        }
    };
}
use ensure;

/// Goes on when the two are equal.
fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Outcome {
    ensure!(
        found == expected,
        "{what}: found {found:?}, expected {expected:?}"
    );
    Ok(())
}

/// An id that nothing has yet.
fn fresh_id() -> Uuid {
    SystemIds.fresh()
}
