//! The rules of a show, a file for each subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod best_seats;
mod cancel;
mod hold;
mod limits;
mod properties;
mod queries;
mod schedule;
mod seats;
mod settle;
mod snapshot;

use super::*;
pub(super) use crate::aggregate::steps::given;
pub(super) use contract::{
    Answer, Currency, Digest, Event, HoldId, Money, Refusal, ReservationId, ShowId, Timestamp, UserId,
    commands::{HoldPhase, HoldStatus, Quote, ShowAction},
    events::*,
    refusal::Unavailable,
};
use uuid::Uuid;

/// When the show begins; all tests play before, near time 0.
const STARTS: i64 = 1_000_000;
/// How long a hold lasts.
const TTL: u64 = 600;

fn ann() -> UserId {
    UserId(Uuid::from_u128(0xa))
}

fn bob() -> UserId {
    UserId(Uuid::from_u128(0xb))
}

fn h(n: u128) -> HoldId {
    HoldId(Uuid::from_u128(0x100 + n))
}

fn r(n: u128) -> ReservationId {
    ReservationId(Uuid::from_u128(0x200 + n))
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn tally(free: u32, held: u32, sold: u32) -> Tally {
    Tally { free, held, sold }
}

/// A show with so many tickets at 10.00, four per person.
fn general(capacity: u32) -> ShowScheduled {
    ShowScheduled {
        show_id: ShowId(Uuid::from_u128(0x5)),
        name: "Ballet".into(),
        description: None,
        starts_at_ms: Timestamp(STARTS),
        venue: "Teatro".into(),
        price: usd(1_000),
        category: Some("danza".into()),
        limit_per_user: 4,
        layout: Layout::General { capacity },
        scheduled_at_ms: Timestamp(0),
        organiser: None,
        fingerprint: None,
    }
}

/// Platea at 25.00 with rows A and B of five, Palco-Alto at the show's 10.00 with one row of three.
fn numbered() -> ShowScheduled {
    let section = |name: &str, rows, seats_per_row, price| Section {
        name: name.into(),
        rows,
        seats_per_row,
        price,
        ..Section::default()
    };
    let sections = vec![
        section("Platea", 2, 5, Some(usd(2_500))),
        section("Palco-Alto", 1, 3, None),
    ];
    ShowScheduled {
        layout: Layout::Numbered { sections },
        ..general(0)
    }
}

/// The same room with an aisle behind number 2 of Platea and three places where nothing is sold: ten tickets.
fn planned() -> ShowScheduled {
    let mut show = numbered();
    if let Layout::Numbered { sections } = &mut show.layout {
        sections[0].aisles = vec![2];
        sections[0].blocked = places(&["A-1", "B-5"]);
        sections[1].blocked = places(&["A-2"]);
    }
    show
}

fn places(names: &[&str]) -> Vec<Place> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Two tickets of a general show, held until 600.
fn held(n: u128, user_id: UserId, tally: Tally) -> TicketsHeld {
    TicketsHeld {
        hold_id: h(n),
        user_id,
        reservation_id: None,
        quantity: 2,
        seats: vec![],
        amount: usd(2_000),
        deadline_ms: Timestamp(TTL as i64),
        tally,
        fingerprint: None,
    }
}

/// The same for a reservation that pays for it.
fn held_for(n: u128, user_id: UserId, tally: Tally) -> TicketsHeld {
    TicketsHeld {
        reservation_id: Some(r(n)),
        ..held(n, user_id, tally)
    }
}

fn released(n: u128, reason: ReleaseReason, tally: Tally) -> HoldReleased {
    HoldReleased {
        hold_id: h(n),
        reason,
        quantity: 2,
        seats: vec![],
        tally,
    }
}

fn sold(n: u128, user_id: UserId, tally: Tally) -> TicketsSold {
    TicketsSold {
        hold_id: h(n),
        reservation_id: r(n),
        user_id,
        quantity: 2,
        seats: vec![],
        amount: usd(2_000),
        tally,
    }
}

fn returned(n: u128, user_id: UserId, tally: Tally) -> TicketsReturned {
    TicketsReturned {
        hold_id: h(n),
        reservation_id: r(n),
        user_id,
        quantity: 2,
        seats: vec![],
        tally,
    }
}

fn cancelled(tally: Tally) -> ShowCancelled {
    ShowCancelled {
        show_id: general(0).show_id,
        tally,
        at_ms: Timestamp(0),
    }
}

fn quantity(quantity: u32) -> Choice {
    Choice::Quantity {
        quantity,
        section: None,
    }
}

fn in_section(quantity: u32, section: &str) -> Choice {
    Choice::Quantity {
        quantity,
        section: Some(section.into()),
    }
}

fn names(seats: &[&str]) -> Vec<String> {
    seats.iter().map(|seat| (*seat).to_owned()).collect()
}

fn seats(names_of: &[&str]) -> Choice {
    Choice::Seats {
        seats: names(names_of),
    }
}

fn ask_hold(n: u128, user_id: UserId, choice: Choice) -> ShowAction {
    ShowAction::Hold {
        hold_id: h(n),
        user_id,
        choice,
        reservation_id: None,
        ttl_ms: TTL,
        line_until_ms: None,
        fingerprint: None,
    }
}

fn sell(n: u128) -> ShowAction {
    ShowAction::Sell {
        hold_id: h(n),
        reservation_id: r(n),
    }
}

fn restore(n: u128) -> ShowAction {
    ShowAction::Restore {
        hold_id: h(n),
        reservation_id: r(n),
    }
}

fn adopt(n: u128, user_id: UserId) -> ShowAction {
    ShowAction::AdoptHold {
        hold_id: h(n),
        user_id,
        reservation_id: r(n),
    }
}

fn grant(event: &TicketsHeld) -> HoldGrant {
    HoldGrant {
        hold_id: event.hold_id,
        quantity: event.quantity,
        seats: event.seats.clone(),
        amount: event.amount,
        deadline_ms: event.deadline_ms,
    }
}

/// Events of different types in one list.
macro_rules! events {
    ($($event:expr),* $(,)?) => { [$(contract::Event::from($event)),*] };
}
use events;
