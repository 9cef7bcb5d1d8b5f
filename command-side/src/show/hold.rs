//! A hold, from its making until it is forgotten.

use super::seats::Seat;
use contract::{Currency, Digest, Money, ReservationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// It claims its tickets, as long as its deadline has not come.
    Active,
    /// Its tickets belong to its reservation.
    Sold,
    /// Released, expired or taken back.
    Over,
}

/// A hold. There is one for each sale, so its size counts: seats and
/// fingerprint cost only where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub user_id: UserId,
    pub phase: Phase,
    /// The reservation that pays, or has paid.
    pub reservation_id: Option<ReservationId>,
    /// How many tickets; 0 = a tombstone: the hold never was and never can be.
    pub quantity: u32,
    pub amount: Money,
    pub deadline: Timestamp,
    pub seats: Box<[Seat]>,
    pub fingerprint: Option<Box<Digest>>,
}

impl Hold {
    /// A hold that was undone before it was made.
    pub fn tombstone() -> Self {
        Self {
            user_id: UserId(Uuid::nil()),
            phase: Phase::Over,
            reservation_id: None,
            quantity: 0,
            amount: Money::zero(Currency::USD),
            deadline: Timestamp::default(),
            seats: Box::default(),
            fingerprint: None,
        }
    }

    pub fn is_tombstone(&self) -> bool {
        self.quantity == 0
    }

    /// The phase by the clock: a hold is over from its deadline on, whether or not that was written down.
    pub fn phase_at(&self, now: Timestamp) -> Phase {
        match self.phase {
            Phase::Active if self.deadline <= now => Phase::Over,
            phase => phase,
        }
    }
}
