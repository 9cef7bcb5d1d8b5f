//! How many tickets one person may have, and how much one show remembers.

use super::*;

fn refused(already: u32) -> Refusal {
    Refusal::PurchaseLimit { limit: 4, already }
}

#[test]
fn nobody_holds_more_than_the_limit() {
    given::<Show>(events![general(10)])
        .when(ask_hold(1, ann(), quantity(5)))
        .refused(refused(0));
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0))])
        .when(ask_hold(2, ann(), quantity(3)))
        .refused(refused(2));
}

#[test]
fn the_limit_counts_holds_and_purchases_together() {
    let before = || {
        events![
            general(10),
            held_for(1, ann(), tally(8, 2, 0)),
            sold(1, ann(), tally(8, 0, 2)),
            held(2, ann(), tally(6, 2, 2)),
        ]
    };
    given::<Show>(before())
        .when(ask_hold(3, ann(), quantity(1)))
        .refused(refused(4));
    let event = held(3, bob(), tally(4, 4, 2));
    given::<Show>(before())
        .when(ask_hold(3, bob(), quantity(2)))
        .then(events![event]);
}

#[test]
fn what_is_over_does_not_count() {
    let overdue = || {
        events![
            general(10),
            held(1, ann(), tally(8, 2, 0)),
            held(2, ann(), tally(6, 4, 0))
        ]
    };
    let event = TicketsHeld {
        quantity: 4,
        amount: usd(4_000),
        deadline_ms: Timestamp(1_200),
        ..held(3, ann(), tally(6, 4, 0))
    };
    given::<Show>(overdue())
        .at(600)
        .when(ask_hold(3, ann(), quantity(4)))
        .then(events![
            released(1, ReleaseReason::Expired, tally(8, 2, 0)),
            released(2, ReleaseReason::Expired, tally(10, 0, 0)),
            event,
        ]);
}

#[test]
fn the_limit_comes_before_the_stock() {
    given::<Show>(events![general(1)])
        .when(ask_hold(1, ann(), quantity(5)))
        .refused(refused(0));
    given::<Show>(events![
        numbered(),
        TicketsHeld {
            seats: names(&["Platea-A-1"]),
            ..held(1, bob(), tally(12, 1, 0))
        }
    ])
    .when(ask_hold(
        2,
        ann(),
        seats(&[
            "Platea-A-1",
            "Platea-A-2",
            "Platea-A-3",
            "Platea-A-4",
            "Platea-A-5",
        ]),
    ))
    .refused(refused(0));
}

#[test]
fn a_limit_past_counting_does_not_overflow() {
    let show = ShowScheduled {
        limit_per_user: u32::MAX,
        ..general(10)
    };
    given::<Show>(events![show, held(1, ann(), tally(8, 2, 0))])
        .when(ask_hold(2, ann(), quantity(u32::MAX)))
        .refused(Refusal::SoldOut { free: 8 });
}

/// A hold that ended, and the next hold, `later` ms after.
fn remembered_after(later: u64) -> bool {
    let mut state = State::default();
    let next = TicketsHeld {
        deadline_ms: Timestamp(600).plus_ms(later),
        ..held(2, bob(), tally(8, 2, 0))
    };
    for event in events![
        general(10),
        held(1, ann(), tally(8, 2, 0)),
        released(1, ReleaseReason::Released, tally(10, 0, 0)),
        // The first event after the end that tells a time; the day is counted from here.
        TicketsHeld {
            hold_id: h(9),
            ..next.clone()
        },
        TicketsHeld {
            deadline_ms: next.deadline_ms.plus_ms(later),
            ..next
        },
    ] {
        state.evolve(&event);
    }
    state.hold(h(1)).is_some()
}

#[test]
fn a_hold_that_ended_is_remembered_for_a_day_of_the_streams_own_time() {
    assert!(remembered_after(REMEMBERED_FOR_MS - 1));
    assert!(!remembered_after(REMEMBERED_FOR_MS));
}

#[test]
fn a_sale_is_never_forgotten_while_it_stands() {
    let mut state = State::default();
    let much_later = TicketsHeld {
        deadline_ms: Timestamp(i64::MAX),
        ..held(2, bob(), tally(6, 2, 2))
    };
    for event in events![
        general(10),
        held_for(1, ann(), tally(8, 2, 0)),
        sold(1, ann(), tally(8, 0, 2)),
        much_later
    ] {
        state.evolve(&event);
    }
    assert!(state.hold(h(1)).is_some());
}

#[test]
fn no_more_than_so_many_ended_holds_are_remembered() {
    let mut state = State::default();
    state.evolve(&general(10).into());
    for n in 0..=MAX_REMEMBERED as u128 {
        state.evolve(
            &HoldReleased {
                quantity: 0,
                ..released(n, ReleaseReason::Compensated, tally(10, 0, 0))
            }
            .into(),
        );
    }
    assert_eq!(state.holds.len(), MAX_REMEMBERED);
    assert!(state.hold(h(0)).is_none(), "the oldest is forgotten first");
}

#[test]
fn a_sale_costs_little_memory() {
    // 100,000 of them, with the indexes, stay below 30 MB: see docs/PERFORMANCE.md.
    let size = size_of::<super::super::hold::Hold>();
    assert!(size <= 96, "a hold takes {size} bytes");
}
