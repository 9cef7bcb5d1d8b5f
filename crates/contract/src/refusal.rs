//! Refusals: the business says no. Nothing failed, nothing is to be retried as it stands.

use crate::{money::Money, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Why a payment was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The issuer said no.
    Declined,
    /// Not enough money on the card.
    InsufficientFunds,
    /// Authorised, but the capture failed; the authorisation was voided.
    CaptureFailed,
    /// The gateway never answered and knows of no charge; the payment was voided, so that it cannot come later.
    NoAnswer,
    /// The payment was voided before it was made.
    Voided,
    /// The token means nothing to the gateway.
    UnknownToken,
}

/// Why a show cannot be sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// The organiser cancelled it.
    Cancelled,
    /// It has begun.
    Begun,
}

/// A business "no". The HTTP sides map each to a status and a `codigo`, in one table (`web::refusal`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// No such user.
    #[error("no such user")]
    UserNotFound,
    /// The person was forgotten.
    #[error("this user was forgotten")]
    UserForgotten,
    /// The document belongs to a registered user.
    #[error("this document is registered already")]
    DocumentRegistered,
    /// The address belongs to a registered user.
    #[error("this e-mail address is registered already")]
    EmailRegistered,
    /// No such show.
    #[error("no such show")]
    ShowNotFound,
    /// The show is cancelled or has begun.
    #[error("the show is no longer on sale")]
    ShowUnavailable {
        /// Why.
        why: Unavailable,
    },
    /// The show would lie in the past.
    #[error("the show's date lies in the past")]
    ShowInThePast,
    /// Too few tickets left, and none can come back from others' holds.
    #[error("sold out: {free} left")]
    SoldOut {
        /// How many are free.
        free: u32,
    },
    /// Too few tickets free now, but others' holds may still come back: worth waiting in line.
    #[error("all tickets are held")]
    AllHeld {
        /// How many are free.
        free: u32,
        /// How many others hold.
        held: u32,
    },
    /// Some of the seats are held or sold.
    #[error("seats are taken")]
    SeatsTaken {
        /// Those seats.
        seats: Vec<String>,
    },
    /// Some of the seats do not exist in this show.
    #[error("no such seats")]
    SeatsUnknown {
        /// Those seats.
        seats: Vec<String>,
    },
    /// Seats or a section were named for a show that has none.
    #[error("this show has no numbered seats")]
    NotNumbered,
    /// No such section.
    #[error("no such section")]
    SectionUnknown {
        /// The name that was asked for.
        section: String,
    },
    /// More than one person may have, over all their holds and purchases of this show.
    #[error("over the limit of {limit} per person")]
    PurchaseLimit {
        /// The limit.
        limit: u32,
        /// What the person has already.
        already: u32,
    },
    /// No such hold, or another person's.
    #[error("no such hold")]
    HoldNotFound,
    /// The hold's deadline has passed, or it was released.
    #[error("the hold is over")]
    HoldExpired,
    /// The hold is being paid for, or was sold.
    #[error("the hold is already being paid for")]
    HoldInUse,
    /// The payment was not made.
    #[error("the payment was declined")]
    PaymentDeclined {
        /// Why.
        reason: DeclineReason,
    },
    /// No such reservation.
    #[error("no such reservation")]
    ReservationNotFound,
    /// The reservation's state does not allow it to be cancelled.
    #[error("this reservation cannot be cancelled")]
    NotCancellable,
    /// The saga is not stuck.
    #[error("this saga is not stuck")]
    NotStuck,
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The ask came after its own deadline: whoever asked has given up.
    #[error("the ask came after its deadline")]
    TooLate {
        /// The deadline.
        deadline_ms: Timestamp,
    },
    /// The amount is past what can be counted.
    #[error("the amount is too large")]
    AmountTooLarge,
    /// The buyer's price is no longer the price.
    #[error("the price changed to {now}")]
    PriceChanged {
        /// What it costs now.
        now: Money,
    },
    /// The buyer, or whoever may, cancelled it.
    #[error("cancelled on request")]
    Cancelled,
}
