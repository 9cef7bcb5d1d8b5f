//! How long a buyer waits for the outcome (`Prefer`, RFC 7240).

use crate::app::App;
use axum::{http::HeaderValue, response::Response};
use contract::Timestamp;
use web::{Prefer, headers::PREFERENCE_APPLIED};

/// How much earlier than the buyer a reservation gives up waiting in line, at the most: the refusal still has to
/// travel through the saga, and a clear no is worth more than a 202.
const LINE_LEAD_MS: u64 = 500;

/// Until when somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Until when the answer waits for the outcome.
    pub until: Timestamp,
    /// Until when the reservation waits in line, when all tickets are held by others.
    pub line_until: Timestamp,
    applied: Option<Applied>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Applied {
    Wait(u8),
    Async,
}

impl Patience {
    /// What the buyer prefers; `wait` says how long also beside `respond-async`, which then asks for no more than
    /// what happens anyway: a 202 when the wait is over.
    pub fn of(app: &App, prefer: Prefer) -> Self {
        let (wait_ms, applied) = match (prefer.wait_s, prefer.respond_async) {
            (Some(seconds), _) => (u64::from(seconds) * 1_000, Some(Applied::Wait(seconds))),
            (None, true) => (0, Some(Applied::Async)),
            (None, false) => (app.settings.default_wait_ms, None),
        };
        Self {
            applied,
            ..Self::lasting(app, wait_ms)
        }
    }

    /// No wait for the outcome at all.
    pub fn none(app: &App) -> Self {
        Self::lasting(app, 0)
    }

    fn lasting(app: &App, wait_ms: u64) -> Self {
        // Whoever follows the reservation instead of waiting stays in line as long as anybody.
        let line_ms = if wait_ms == 0 {
            app.settings.default_wait_ms
        } else {
            wait_ms
        };
        let now = app.clock.now();
        Self {
            until: now.plus_ms(wait_ms),
            line_until: now.plus_ms(line_ms - LINE_LEAD_MS.min(line_ms / 10)),
            applied: None,
        }
    }

    /// The answer, saying which preference was honoured.
    pub fn applied_to(self, mut response: Response) -> Response {
        let value = match self.applied {
            Some(Applied::Wait(seconds)) => HeaderValue::from_str(&format!("wait={seconds}")).ok(),
            Some(Applied::Async) => Some(HeaderValue::from_static("respond-async")),
            None => None,
        };
        if let Some(value) = value {
            response.headers_mut().insert(PREFERENCE_APPLIED, value);
        }
        response
    }
}
