//! The payment gateway.

use async_trait::async_trait;
use contract::{Money, ReservationId, refusal::DeclineReason};

/// A charge to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The gateway's idempotency key: one reservation is charged once.
    pub reservation_id: ReservationId,
    /// How much.
    pub amount: Money,
    /// What stands for the card.
    pub token: String,
}

/// What the gateway answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// Authorised and captured.
    Captured,
    /// Authorised, but the capture failed: the authorisation still stands and must be voided.
    Authorised,
    /// Not charged, and it will not be.
    Declined(DeclineReason),
}

/// What the gateway holds for a reservation, in minor units of `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Authorised in all, also when captured or voided since.
    pub authorised: Money,
    /// Captured.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
    /// No charge can be made any more.
    pub closed: bool,
}

/// Why the gateway could not do it, or is not known to have.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No answer: it may have happened. Look it up before anything is decided.
    #[error("the payment gateway did not answer")]
    NoAnswer,
    /// It did not happen.
    #[error("the payment gateway is unavailable: {0}")]
    Unavailable(String),
}

/// A payment provider. Every call is idempotent by the reservation's id, and durable on the provider's side when
/// it answers.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Authorises and captures. The same again gives the same outcome; after `void` it is declined as `Voided`.
    async fn charge(&self, charge: Charge) -> Result<ChargeOutcome, PaymentError>;

    /// Ends an authorisation, and makes a charge that was never seen impossible. What is captured stays.
    async fn void(&self, reservation_id: ReservationId) -> Result<(), PaymentError>;

    /// Gives back all that was captured.
    async fn refund(&self, reservation_id: ReservationId) -> Result<(), PaymentError>;

    /// What it holds; `None` when it has never heard of it.
    async fn find(&self, reservation_id: ReservationId) -> Result<Option<Ledger>, PaymentError>;
}
