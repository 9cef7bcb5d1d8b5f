//! What the read side needs, and its limits.

use crate::{live::Hubs, rendered::Rendered, watchers::Watchers};
use contract::Currency;
use ports::{Clock, EventLog, Payments, ReadStore, Vault};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use views::verify::Expectations;
use web::{Code, Problem, server::Closing};

/// What the read side needs.
#[derive(Clone)]
pub struct App {
    /// The read models.
    pub store: Arc<dyn ReadStore>,
    /// The log, for history.
    pub log: Arc<dyn EventLog>,
    /// Opens personal fields.
    pub vault: Arc<dyn Vault>,
    /// The payment gateway, to be asked what it holds.
    pub payments: Arc<dyn Payments>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Tells event streams that the server closes.
    pub closing: Closing,
    /// Limits.
    pub settings: Settings,
}

/// The read side's limits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a read waits for the position that it must have seen, in milliseconds.
    pub position_wait_ms: u64,
    /// How many callers can follow reservations at once.
    pub max_followers: usize,
    /// How many callers can follow shows at once, beside those who follow reservations.
    pub max_watchers: usize,
    /// How often at the most the followers of a show are told of changes; what happens in between is told together.
    pub changes_every: Duration,
    /// How many events of a show are told again to somebody who comes back; who missed more gets all its seats.
    pub max_missed: usize,
    /// How long one event stream lasts at the most, in milliseconds; its caller resumes it.
    pub follow_ms: u64,
    /// How often an event stream without news says that it is alive.
    pub keep_alive: Duration,
    /// How much memory rendered answers may take, in bytes.
    pub rendered_bytes: u64,
    /// How many stories and time travels are told at once; each reads a part of the log.
    pub max_audits: usize,
    /// What fewer people share is not told by the export of people.
    pub export_k: u32,
    /// How many exports are made at once; each keeps its people and purchases in memory.
    pub max_exports: usize,
    /// How long a caller may take to fetch an export, in milliseconds.
    pub export_ms: u64,
    /// The currency of the export's rows that count nothing.
    pub currency: Currency,
    /// What a verification knows of the log beside what is in it; the head is taken from the log.
    pub expectations: Expectations,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            position_wait_ms: 2_000,
            max_followers: 1_024,
            max_watchers: 4_096,
            changes_every: Duration::from_millis(100),
            max_missed: 512,
            follow_ms: 10 * 60_000,
            keep_alive: Duration::from_secs(15),
            rendered_bytes: 8 << 20,
            max_audits: 4,
            export_k: 5,
            max_exports: 2,
            export_ms: 10 * 60_000,
            currency: Currency::USD,
            expectations: Expectations::default(),
        }
    }
}

/// The state that all handlers share.
pub(crate) struct Reader {
    pub app: App,
    pub rendered: Rendered,
    pub hubs: Hubs,
    /// Places for those who follow a show.
    pub watchers: Arc<Watchers>,
    followers: Arc<Semaphore>,
    audits: Arc<Semaphore>,
    verifications: Arc<Semaphore>,
    exports: Arc<Semaphore>,
}

pub(crate) type Shared = Arc<Reader>;

impl Reader {
    pub fn new(app: App) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            rendered: Rendered::new(app.settings.rendered_bytes),
            hubs: Hubs::default(),
            watchers: Watchers::new(app.settings.max_watchers),
            followers: places(app.settings.max_followers),
            audits: places(app.settings.max_audits),
            // One is enough to use up a core.
            verifications: places(1),
            exports: places(app.settings.max_exports),
            app,
        }
    }

    /// A place among those who follow a reservation.
    pub fn follower(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.followers, "Demasiadas personas siguen reservas a la vez.")
    }

    /// A place among those who read history.
    pub fn audit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.audits, "Ya se están leyendo varias historias.")
    }

    /// A place among those who take an export.
    pub fn export(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.exports, "Ya hay exportaciones en curso.")
    }

    /// The place of the one verification.
    pub fn verification(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.verifications, "Ya hay una verificación en curso.")
    }
}

fn place(places: &Arc<Semaphore>, full: &'static str) -> Result<OwnedSemaphorePermit, Problem> {
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Code::Busy).detail(full).retry_after(5))
}
