//! What a payment's stream says.

use contract::{Event, Money, refusal::DeclineReason};

/// A payment as its stream tells. `Default` is one that was never tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    captured: Option<Money>,
    declined: Option<DeclineReason>,
    voided: bool,
    refunded: bool,
}

impl State {
    /// Moves the state behind an event; those of other aggregates mean nothing to it.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::PaymentCaptured(event) => self.captured = Some(event.amount),
            Event::PaymentDeclined(event) => self.declined = Some(event.reason),
            Event::PaymentVoided(_) => self.voided = true,
            Event::PaymentRefunded(_) => self.refunded = true,
            _ => {}
        }
    }

    /// What the buyer has paid and not got back.
    pub fn taken(&self) -> Option<Money> {
        self.captured.filter(|_| !self.refunded)
    }

    /// Why no money was taken, when that is settled.
    pub fn declined(&self) -> Option<DeclineReason> {
        self.declined
    }

    /// No money was taken, and that is settled: it was declined, or made impossible.
    pub fn is_closed(&self) -> bool {
        self.declined.is_some() || self.voided
    }

    /// Money was taken after the payment had been closed: nobody waits for it, and it must go back.
    pub fn owes_refund(&self) -> bool {
        self.taken().is_some() && self.is_closed()
    }

    /// Nothing is left to give back, and nothing can be taken any more.
    pub fn is_given_back(&self) -> bool {
        self.taken().is_none() && (self.refunded || self.is_closed())
    }

    pub(super) fn captured(&self) -> Option<Money> {
        self.captured
    }

    pub(super) fn is_untried(&self) -> bool {
        *self == Self::default()
    }
}
