//! One purchase, as events.

use contract::{Currency, Event, Money, ReservationId, ShowId, Timestamp, UserId, events::*};
use uuid::Uuid;

/// Two tickets for one person.
pub struct Purchase {
    pub id: ReservationId,
    pub user_id: UserId,
    pub show_id: ShowId,
    pub seats: Vec<String>,
    pub amount: Money,
}

impl Purchase {
    pub fn new(n: u128, show_id: ShowId, numbered: bool) -> Self {
        let (row, number) = ((n / 25) as u32, 2 * (n % 25) as u32 + 1);
        let seats = match numbered {
            true => vec![
                seat_name("Platea", row, number),
                seat_name("Platea", row, number + 1),
            ],
            false => vec![],
        };
        let id = |kind: u128| Uuid::from_u128(kind << 64 | n);
        let amount = Money::new(10_000, Currency::USD);
        Self {
            id: ReservationId(id(3)),
            user_id: UserId(id(4)),
            show_id,
            seats,
            amount,
        }
    }

    pub fn grant(&self) -> HoldGrant {
        HoldGrant {
            hold_id: self.id.own_hold(),
            quantity: 2,
            seats: self.seats.clone(),
            amount: self.amount,
            deadline_ms: Timestamp(600_000),
        }
    }

    /// Requested, progressed, confirmed; cancellation requested, cancelled.
    pub fn reservation_events(&self) -> [Event; 5] {
        let Self {
            id: reservation_id,
            user_id,
            show_id,
            amount,
            ..
        } = *self;
        let step = |step| StepRecord {
            step,
            state: StepState::Done,
            at_ms: Timestamp(2),
        };
        let (steps, at_ms) = (vec![step(Step::TakePayment)], Timestamp(4));
        [
            ReservationRequested {
                reservation_id,
                user_id,
                show_id,
                choice: Choice::Quantity {
                    quantity: 2,
                    section: None,
                },
                quantity: 2,
                amount,
                payment_token: "tok_ok".into(),
                line_until_ms: Timestamp(0),
                requested_at_ms: Timestamp(0),
                checked: None,
                fingerprint: None,
            }
            .into(),
            ReservationProgressed {
                steps: vec![step(Step::HoldInventory)],
                hold: Some(self.grant()),
            }
            .into(),
            ReservationConfirmed {
                reservation_id,
                user_id,
                show_id,
                grant: self.grant(),
                steps: steps.clone(),
                confirmed_at_ms: at_ms,
            }
            .into(),
            CancellationRequested {
                reservation_id,
                reason: CancelReason::Buyer,
                at_ms,
            }
            .into(),
            ReservationCancelled {
                reservation_id,
                steps,
                at_ms,
            }
            .into(),
        ]
    }

    pub fn held(&self, tally: Tally) -> Event {
        let grant = self.grant();
        TicketsHeld {
            hold_id: grant.hold_id,
            user_id: self.user_id,
            reservation_id: Some(self.id),
            quantity: 2,
            seats: grant.seats,
            amount: self.amount,
            deadline_ms: grant.deadline_ms,
            tally,
            fingerprint: None,
        }
        .into()
    }

    pub fn sold(&self, tally: Tally) -> Event {
        TicketsSold {
            hold_id: self.id.own_hold(),
            reservation_id: self.id,
            user_id: self.user_id,
            quantity: 2,
            seats: self.seats.clone(),
            amount: self.amount,
            tally,
        }
        .into()
    }

    pub fn returned(&self, tally: Tally) -> Event {
        TicketsReturned {
            hold_id: self.id.own_hold(),
            reservation_id: self.id,
            user_id: self.user_id,
            quantity: 2,
            seats: self.seats.clone(),
            tally,
        }
        .into()
    }

    pub fn recorded(&self) -> Event {
        PurchaseRecorded {
            reservation_id: self.id,
            show_id: self.show_id,
            show_name: "Hamlet".into(),
            category: None,
            quantity: 2,
            amount: self.amount,
            at_ms: Timestamp(4),
        }
        .into()
    }
}
