//! What can be set, with what it is when nobody sets it.

/// Times, limits and patience of the orchestrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a hold lasts from its decision, in milliseconds.
    pub hold_ttl_ms: u64,
    /// How long after the buyer's wait in line the inventory may still answer, in milliseconds; also how long
    /// after the hold's deadline the show may still say what became of the sale.
    pub line_margin_ms: u64,
    /// How long a payment may take from the moment that the tickets were held, in milliseconds. Longer than the
    /// payment participant needs to find out what became of a charge.
    pub payment_timeout_ms: u64,
    /// How long one try of any other ask may take, in milliseconds.
    pub ask_timeout_ms: u64,
    /// How often undoing a step is tried before the saga is stuck.
    pub undo_attempts: u32,
    /// The pause after a first failure, in milliseconds; it doubles with every further one.
    pub backoff_first_ms: u64,
    /// The longest pause, in milliseconds.
    pub backoff_last_ms: u64,
    /// How long a step that was done may stay unwritten while the next ask is under way, in milliseconds.
    pub flush_after_ms: u64,
    /// How many sagas run at a time; past it, events wait at the broker.
    pub active_sagas: usize,
    /// When what was left open is looked for.
    pub recovery: Recovery,
    /// How long running sagas may finish once the program is to end, in milliseconds.
    pub drain_ms: u64,
}

/// When the read models are searched for what was left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// A reservation that is younger than this, in milliseconds, is being driven by whoever heard of it.
    pub after_ms: u64,
    /// How often reservations are searched for, in milliseconds; `None` = once, at each subscription.
    pub reservations_every_ms: Option<u64>,
    /// How often shows with open holds are woken, in milliseconds; `None` = once, at each subscription.
    pub shows_every_ms: Option<u64>,
}

impl Recovery {
    /// For the only process there is: whatever is open when it starts, nobody drives.
    pub const ONCE: Self = Self {
        after_ms: 0,
        reservations_every_ms: None,
        shows_every_ms: None,
    };
    /// For several processes on a broker that keeps queues, which gives what one of them has left to another. The
    /// search is for what even the broker has lost. Shows are woken often, because the node that watched their
    /// holds' deadlines may be gone.
    pub const SHARED: Self = Self {
        after_ms: 180_000,
        reservations_every_ms: Some(60_000),
        shows_every_ms: Some(5_000),
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hold_ttl_ms: 600_000,
            line_margin_ms: 5_000,
            payment_timeout_ms: 60_000,
            ask_timeout_ms: 10_000,
            undo_attempts: 10,
            backoff_first_ms: 20,
            backoff_last_ms: 5_000,
            flush_after_ms: 200,
            active_sagas: 16_384,
            recovery: Recovery::ONCE,
            drain_ms: 5_000,
        }
    }
}
