//! What the tests of the orchestrator have in common.

pub mod fakes;
pub mod stage;
pub mod steps;
pub mod world;

use contract::{
    Answer, Currency, Event, HoldId, Money, Refusal, ReservationId, ShowId, Timestamp, UserId,
    commands::Quote,
    events::{Checked, Choice, HoldGrant, ReservationRequested, Step, Tally},
};
use orchestrator::Settings;
use uuid::Uuid;

pub const SHOW: ShowId = ShowId(Uuid::from_u128(0x5_0000));
pub const USER: UserId = UserId(Uuid::from_u128(0xA_0000));
/// When everything begins.
pub const T0: Timestamp = Timestamp(1_700_000_000_000);

pub fn reservation(n: u128) -> ReservationId {
    ReservationId(Uuid::from_u128(0x4_0000 + n))
}

pub fn price() -> Money {
    Money::new(9_900, Currency::USD)
}

pub fn settings() -> Settings {
    Settings {
        hold_ttl_ms: 600_000,
        undo_attempts: 3,
        ..Settings::default()
    }
}

/// Two tickets, thirty seconds in line.
pub fn request(id: ReservationId) -> ReservationRequested {
    ReservationRequested {
        reservation_id: id,
        user_id: USER,
        show_id: SHOW,
        choice: Choice::Quantity {
            quantity: 2,
            section: None,
        },
        quantity: 2,
        amount: price(),
        payment_token: "tok_ok".into(),
        line_until_ms: T0.plus_ms(30_000),
        requested_at_ms: T0,
        checked: None,
        fingerprint: None,
    }
}

/// The same, after buyer and show were asked.
pub fn checked(id: ReservationId) -> ReservationRequested {
    ReservationRequested {
        checked: Some(Box::new(Checked {
            show_name: "Hamlet".into(),
            category: None,
        })),
        ..request(id)
    }
}

pub fn grant(hold_id: HoldId, deadline_ms: Timestamp) -> HoldGrant {
    HoldGrant {
        hold_id,
        quantity: 2,
        seats: vec![],
        amount: price(),
        deadline_ms,
    }
}

pub fn quoted(objection: Option<Refusal>) -> Answer {
    Answer::Quoted(Quote {
        show_name: "Hamlet".into(),
        category: Some("theatre".into()),
        starts_at_ms: T0.plus_ms(86_400_000),
        quantity: 2,
        amount: price(),
        tally: Tally {
            free: 10,
            held: 0,
            sold: 0,
        },
        limit_per_user: 10,
        already: 0,
        objection,
    })
}

/// What a participant says when it has done the step.
pub fn yes(step: Step, hold_id: HoldId) -> Answer {
    match step {
        Step::ValidateUser => Answer::User { registered_at_ms: T0 },
        Step::ValidateShow => quoted(None),
        Step::HoldInventory => Answer::Held(grant(hold_id, T0.plus_ms(600_000))),
        Step::TakePayment | Step::RecordHistory | Step::Confirm => Answer::Done,
    }
}

/// A refusal that fits the step.
pub fn no(step: Step) -> Refusal {
    use contract::refusal::{DeclineReason, Unavailable};
    match step {
        Step::ValidateUser | Step::RecordHistory => Refusal::UserNotFound,
        Step::ValidateShow => Refusal::ShowUnavailable {
            why: Unavailable::Cancelled,
        },
        Step::HoldInventory => Refusal::SoldOut { free: 0 },
        Step::TakePayment => Refusal::PaymentDeclined {
            reason: DeclineReason::Declined,
        },
        Step::Confirm => Refusal::HoldExpired,
    }
}

pub fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}
