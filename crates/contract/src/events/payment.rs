//! What happens to the money of a reservation: stream `payment-{reservation_id}`.

use crate::{ids::ReservationId, money::Money, refusal::DeclineReason, time::Timestamp};
use serde::{Deserialize, Serialize};

/// `payment_captured.v1`: the money was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// For which reservation.
    pub reservation_id: ReservationId,
    /// How much.
    pub amount: Money,
    /// When.
    pub at_ms: Timestamp,
}

/// `payment_declined.v1`: no money was taken, and none will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// For which reservation.
    pub reservation_id: ReservationId,
    /// Why.
    pub reason: DeclineReason,
    /// When.
    pub at_ms: Timestamp,
}

/// `payment_voided.v1`: the payment can no longer be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// For which reservation.
    pub reservation_id: ReservationId,
    /// When.
    pub at_ms: Timestamp,
}

/// `payment_refunded.v1`: the money was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// For which reservation.
    pub reservation_id: ReservationId,
    /// How much.
    pub amount: Money,
    /// When.
    pub at_ms: Timestamp,
}
