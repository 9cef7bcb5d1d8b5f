//! Stories as a log tells them, and what the verifier finds in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod purchases;
mod tickets;

use super::*;
use contract::{
    Cause, CommandId, Currency, HoldId, Money, Refusal, StreamEnd, StreamName, Timestamp, envelope::NewEvent,
    events::*, refusal::DeclineReason,
};
use std::sync::Arc;

const SHOW: ShowId = ShowId(Uuid::from_u128(1));
const DEADLINE: Timestamp = Timestamp(10_000);
const LIMIT: u32 = 4;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}
fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(1_000 + n))
}
fn reservation(n: u128) -> ReservationId {
    ReservationId(Uuid::from_u128(2_000 + n))
}

/// A log that is written properly, whatever is written.
#[derive(Default)]
struct Story {
    now: i64,
    ends: BTreeMap<StreamName, StreamEnd>,
    log: Vec<Recorded>,
    tally: Tally,
}

impl Story {
    fn write(&mut self, stream: StreamName, event: impl Into<Event>) {
        self.now += 1;
        let end = self.ends.entry(stream.clone()).or_insert(StreamEnd::NEW);
        let revision = end.next;
        let position = self.log.len() as u64 + 1;
        let cause = Cause {
            correlation: Uuid::from_u128(7),
            actor: "saga".into(),
            trace: Some("00-ab".into()),
        };
        let command = CommandId(Uuid::from_u128(9_000 + u128::from(position)));
        let linked = end
            .link(&stream, command, &cause, Timestamp(self.now), [event.into()])
            .unwrap();
        let NewEvent {
            id, kind, data, meta, ..
        } = linked.into_iter().next().unwrap();
        let position = Position(position);
        self.log.push(Recorded {
            position,
            stream,
            revision,
            id,
            kind,
            data,
            meta,
            decoded: None,
        });
    }

    fn at_show(&mut self, event: impl Into<Event>) {
        self.write(StreamName::show(SHOW), event);
    }

    fn scheduled(layout: Layout) -> Self {
        let mut story = Self {
            tally: Tally {
                free: layout.capacity(),
                held: 0,
                sold: 0,
            },
            ..Self::default()
        };
        story.at_show(ShowScheduled {
            show_id: SHOW,
            name: "Hamlet".into(),
            description: None,
            starts_at_ms: Timestamp(1_000_000),
            venue: "Globe".into(),
            price: usd(5_000),
            category: None,
            limit_per_user: LIMIT,
            layout,
            scheduled_at_ms: Timestamp(0),
            organiser: None,
            fingerprint: None,
        });
        story
    }

    fn general(capacity: u32) -> Self {
        Self::scheduled(Layout::General { capacity })
    }

    fn numbered() -> Self {
        let section = |name: &str, price| Section {
            name: name.into(),
            rows: 2,
            seats_per_row: 3,
            price,
            ..Section::default()
        };
        Self::scheduled(Layout::Numbered {
            sections: vec![section("Platea", None), section("Palco", Some(usd(9_000)))],
        })
    }

    /// The same with a place of Platea blocked, perhaps more than once.
    fn with_blocked(times: usize) -> Self {
        let section = Section {
            name: "Platea".into(),
            rows: 2,
            seats_per_row: 3,
            blocked: vec!["A-2".parse().unwrap(); times],
            ..Section::default()
        };
        Self::scheduled(Layout::Numbered {
            sections: vec![section],
        })
    }

    fn request(&mut self, n: u128, quantity: u32) {
        let choice = Choice::Quantity {
            quantity,
            section: None,
        };
        self.request_for(n, choice, quantity);
    }

    fn request_for(&mut self, n: u128, choice: Choice, quantity: u32) {
        self.write(
            StreamName::reservation(reservation(n)),
            ReservationRequested {
                reservation_id: reservation(n),
                user_id: user(n),
                show_id: SHOW,
                choice,
                quantity,
                amount: usd(5_000 * i64::from(quantity)),
                payment_token: "tok_ok".into(),
                line_until_ms: Timestamp(0),
                requested_at_ms: Timestamp(self.now),
                checked: None,
                fingerprint: None,
            },
        );
    }

    fn held(&self, n: u128, quantity: u32, seats: &[&str]) -> TicketsHeld {
        TicketsHeld {
            hold_id: reservation(n).own_hold(),
            user_id: user(n),
            reservation_id: Some(reservation(n)),
            quantity,
            seats: seats.iter().map(|&seat| seat.into()).collect(),
            amount: usd(5_000 * i64::from(quantity)),
            deadline_ms: DEADLINE,
            tally: self.tally,
            fingerprint: None,
        }
    }

    fn hold(&mut self, n: u128, quantity: u32, seats: &[&str]) {
        self.tally.free -= quantity;
        self.tally.held += quantity;
        self.at_show(self.held(n, quantity, seats));
    }

    fn grant(&self, n: u128, quantity: u32) -> HoldGrant {
        HoldGrant {
            hold_id: reservation(n).own_hold(),
            quantity,
            seats: vec![],
            amount: usd(5_000 * i64::from(quantity)),
            deadline_ms: DEADLINE,
        }
    }

    fn release(&mut self, n: u128, quantity: u32, reason: ReleaseReason) {
        self.tally.held -= quantity;
        self.tally.free += quantity;
        let (hold_id, tally) = (reservation(n).own_hold(), self.tally);
        self.at_show(HoldReleased {
            hold_id,
            reason,
            quantity,
            seats: vec![],
            tally,
        });
    }

    fn capture(&mut self, n: u128, quantity: u32) {
        let (reservation_id, at_ms) = (reservation(n), Timestamp(self.now));
        let amount = usd(5_000 * i64::from(quantity));
        self.write(
            StreamName::payment(reservation_id),
            PaymentCaptured {
                reservation_id,
                amount,
                at_ms,
            },
        );
    }

    fn refund(&mut self, n: u128, quantity: u32) {
        let (reservation_id, at_ms) = (reservation(n), Timestamp(self.now));
        let amount = usd(5_000 * i64::from(quantity));
        self.write(
            StreamName::payment(reservation_id),
            PaymentRefunded {
                reservation_id,
                amount,
                at_ms,
            },
        );
    }

    fn record(&mut self, n: u128, quantity: u32) {
        self.write(
            StreamName::user(user(n)),
            PurchaseRecorded {
                reservation_id: reservation(n),
                show_id: SHOW,
                show_name: "Hamlet".into(),
                category: None,
                quantity,
                amount: usd(5_000 * i64::from(quantity)),
                at_ms: Timestamp(self.now),
            },
        );
    }

    fn sale(&self, n: u128, quantity: u32, seats: &[&str]) -> TicketsSold {
        TicketsSold {
            hold_id: reservation(n).own_hold(),
            reservation_id: reservation(n),
            user_id: user(n),
            quantity,
            seats: seats.iter().map(|&seat| seat.into()).collect(),
            amount: usd(5_000 * i64::from(quantity)),
            tally: self.tally,
        }
    }

    fn sell(&mut self, n: u128, quantity: u32, seats: &[&str]) {
        self.tally.held -= quantity;
        self.tally.sold += quantity;
        self.at_show(self.sale(n, quantity, seats));
    }

    fn confirm(&mut self, n: u128, quantity: u32) {
        self.write(
            StreamName::reservation(reservation(n)),
            ReservationConfirmed {
                reservation_id: reservation(n),
                user_id: user(n),
                show_id: SHOW,
                grant: self.grant(n, quantity),
                steps: vec![],
                confirmed_at_ms: Timestamp(self.now),
            },
        );
    }

    fn reject(&mut self, n: u128) {
        let refusal = Refusal::PaymentDeclined {
            reason: DeclineReason::Declined,
        };
        self.write(
            StreamName::reservation(reservation(n)),
            ReservationRejected {
                reservation_id: reservation(n),
                steps: vec![],
                failed_step: Step::TakePayment,
                refusal,
                at_ms: Timestamp(self.now),
            },
        );
    }

    fn purchase(&mut self, n: u128, quantity: u32) {
        self.request(n, quantity);
        self.hold(n, quantity, &[]);
        self.capture(n, quantity);
        self.record(n, quantity);
        self.sell(n, quantity, &[]);
        self.confirm(n, quantity);
    }

    fn cancel(&mut self, n: u128, quantity: u32) {
        let (reservation_id, at_ms) = (reservation(n), Timestamp(self.now));
        let stream = StreamName::reservation(reservation_id);
        self.write(
            stream.clone(),
            CancellationRequested {
                reservation_id,
                reason: CancelReason::Buyer,
                at_ms,
            },
        );
        self.write(
            StreamName::user(user(n)),
            PurchaseUnrecorded {
                reservation_id,
                at_ms,
            },
        );
        self.refund(n, quantity);
        self.tally.sold -= quantity;
        self.tally.free += quantity;
        let (hold_id, user_id, tally) = (reservation_id.own_hold(), user(n), self.tally);
        self.at_show(TicketsReturned {
            hold_id,
            reservation_id,
            user_id,
            quantity,
            seats: vec![],
            tally,
        });
        self.write(
            stream,
            ReservationCancelled {
                reservation_id,
                steps: vec![],
                at_ms,
            },
        );
    }

    fn verify(&self) -> Report {
        let mut verifier = Verifier::expecting(Expectations {
            first: Some(Position(1)),
            next: Some(|recorded| Position(recorded.position.0 + 1)),
            head: None,
            events: None,
        });
        self.log.iter().for_each(|recorded| verifier.check(recorded));
        verifier.finish()
    }

    fn rules(&self) -> Vec<Rule> {
        self.verify()
            .violations
            .iter()
            .map(|violation| violation.rule)
            .collect()
    }
}

/// One sold, one declined, one cancelled, one still at work, one hold that expired.
fn good_story() -> Story {
    let mut story = Story::general(20);
    story.purchase(1, 2);
    story.request(2, 1);
    story.hold(2, 1, &[]);
    story.release(2, 1, ReleaseReason::Compensated);
    story.reject(2);
    story.purchase(3, 4);
    story.cancel(3, 4);
    story.request(4, 1);
    story.hold(4, 1, &[]);
    story.write(
        StreamName::new("orders-of-somebody-else"),
        ShowCancelled {
            show_id: SHOW,
            tally: Tally::default(),
            at_ms: Timestamp(0),
        },
    );
    story.request(5, 1);
    story.hold(5, 1, &[]);
    story.now = DEADLINE.0 - 1;
    story.release(5, 1, ReleaseReason::Expired);
    story
}
