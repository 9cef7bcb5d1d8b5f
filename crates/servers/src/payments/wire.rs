//! What goes over the wire between [`HttpPayments`](super::HttpPayments) and a provider: JSON over HTTP/1.1, amounts
//! in minor units, English throughout. A reservation's id is the idempotency key of all that is done for it.
//!
//! | request | answers |
//! |---|---|
//! | `POST /charges`, a [`ChargeRequest`], `Idempotency-Key: {reservation_id}` | 200, a [`ChargeAnswer`] |
//! | `POST /voids/{reservation_id}` | 204 |
//! | `POST /refunds/{reservation_id}` | 204 |
//! | `GET /charges/{reservation_id}` | 200, a [`LedgerAnswer`]; 404, a [`Problem`] with [`UNKNOWN_PAYMENT`] |
//! | `GET /salud/viva` | 200 while the process lives |
//!
//! Any other answer is a [`Problem`]. Only one that says `"carried_out": false` is a promise that nothing happened;
//! after every other one, and after none, the caller has to look.

use contract::{Currency, Money, ReservationId, refusal::DeclineReason};
use ports::{ChargeOutcome, Ledger};
use serde::{Deserialize, Serialize};

/// How large a request's or an answer's body may be, in bytes.
pub const MAX_BODY_BYTES: usize = 16 << 10;
/// The header that names the charge: one key is charged once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The code of the problem that says that the provider has never heard of a payment.
pub const UNKNOWN_PAYMENT: &str = "unknown_payment";

/// A charge to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRequest {
    /// What it is for; also the idempotency key.
    pub reservation_id: ReservationId,
    /// How much, in minor units of `currency`; not negative.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// What stands for the card.
    pub token: String,
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeAnswer {
    /// Which charge.
    pub reservation_id: ReservationId,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// `{"outcome": "captured"}`, or declined with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Authorised and captured.
    Captured,
    /// Authorised; the capture failed.
    Authorised,
    /// Not charged, and it will not be.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
}

impl From<ChargeOutcome> for Outcome {
    fn from(outcome: ChargeOutcome) -> Self {
        match outcome {
            ChargeOutcome::Captured => Self::Captured,
            ChargeOutcome::Authorised => Self::Authorised,
            ChargeOutcome::Declined(reason) => Self::Declined { reason },
        }
    }
}

impl From<Outcome> for ChargeOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Captured => Self::Captured,
            Outcome::Authorised => Self::Authorised,
            Outcome::Declined { reason } => Self::Declined(reason),
        }
    }
}

/// What the provider holds for a reservation, in minor units of `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAnswer {
    /// Whose payment.
    pub reservation_id: ReservationId,
    /// The currency of all three sums.
    pub currency: Currency,
    /// Authorised in all, also when captured or voided since.
    pub authorised_minor: i64,
    /// Captured.
    pub captured_minor: i64,
    /// Given back.
    pub refunded_minor: i64,
    /// No charge can be made any more.
    pub closed: bool,
}

impl LedgerAnswer {
    /// What the port tells, for the wire.
    pub fn new(reservation_id: ReservationId, ledger: Ledger) -> Self {
        Self {
            reservation_id,
            currency: ledger.captured.currency,
            authorised_minor: ledger.authorised.minor,
            captured_minor: ledger.captured.minor,
            refunded_minor: ledger.refunded.minor,
            closed: ledger.closed,
        }
    }

    /// What the wire tells, for the port.
    pub fn ledger(self) -> Ledger {
        let money = |minor| Money::new(minor, self.currency);
        Ledger {
            authorised: money(self.authorised_minor),
            captured: money(self.captured_minor),
            refunded: money(self.refunded_minor),
            closed: self.closed,
        }
    }
}

/// A problem document (RFC 9457) with the two members that programs look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: `code` tells which it is.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The status in words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What is wrong this time, without repeating what was sent.
    #[serde(default)]
    pub detail: String,
    /// What is wrong, for programs.
    pub code: String,
    /// `false`: nothing was done. Anything else leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_out: Option<bool>,
}
