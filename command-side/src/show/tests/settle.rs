//! Adopting, selling and restoring: what a reservation does with a hold.

use super::*;

fn with_hold() -> Vec<Event> {
    events![general(10), held(1, ann(), tally(8, 2, 0))].into()
}

fn with_own_hold() -> Vec<Event> {
    events![general(10), held_for(1, ann(), tally(8, 2, 0))].into()
}

fn with_sale() -> Vec<Event> {
    with_own_hold()
        .into_iter()
        .chain(events![sold(1, ann(), tally(8, 0, 2))])
        .collect()
}

#[test]
fn a_reservation_takes_over_a_hold_and_the_deadline_stays() {
    given::<Show>(with_hold())
        .at(300)
        .when(adopt(1, ann()))
        .then(events![HoldAdopted {
            hold_id: h(1),
            reservation_id: r(1)
        }])
        .answers(Answer::Held(grant(&held(1, ann(), tally(8, 2, 0)))));
}

#[test]
fn a_reservation_that_has_the_hold_is_told_so_again() {
    given::<Show>(with_own_hold())
        .when(adopt(1, ann()))
        .then_nothing();
    given::<Show>(with_sale())
        .at(9_999)
        .when(adopt(1, ann()))
        .then_nothing();
}

#[test]
fn another_persons_hold_is_not_found() {
    given::<Show>(with_hold())
        .when(adopt(1, bob()))
        .refused(Refusal::HoldNotFound);
    given::<Show>(with_hold())
        .when(adopt(2, ann()))
        .refused(Refusal::HoldNotFound);
}

#[test]
fn a_hold_is_paid_for_once() {
    let other = || ShowAction::AdoptHold {
        hold_id: h(1),
        user_id: ann(),
        reservation_id: r(2),
    };
    given::<Show>(with_own_hold())
        .when(other())
        .refused(Refusal::HoldInUse);
    given::<Show>(with_sale())
        .when(other())
        .refused(Refusal::HoldInUse);
}

#[test]
fn a_hold_that_is_over_is_not_adopted() {
    given::<Show>(with_hold())
        .at(600)
        .when(adopt(1, ann()))
        .refused(Refusal::HoldExpired);
    let tombstone = HoldReleased {
        quantity: 0,
        ..released(1, ReleaseReason::Compensated, tally(10, 0, 0))
    };
    given::<Show>(events![general(10), tombstone])
        .when(adopt(1, ann()))
        .refused(Refusal::HoldExpired);
    let over = released(1, ReleaseReason::ShowCancelled, tally(10, 0, 0));
    given::<Show>(
        with_hold()
            .into_iter()
            .chain(events![over, cancelled(tally(10, 0, 0))]),
    )
    .when(adopt(1, ann()))
    .refused(Refusal::ShowUnavailable {
        why: Unavailable::Cancelled,
    });
}

#[test]
fn a_show_that_has_begun_takes_no_new_buyers() {
    let late = TicketsHeld {
        deadline_ms: Timestamp(STARTS + 50),
        ..held(1, ann(), tally(8, 2, 0))
    };
    given::<Show>(events![general(10), late])
        .at(STARTS)
        .when(adopt(1, ann()))
        .refused(Refusal::ShowUnavailable {
            why: Unavailable::Begun,
        });
}

#[test]
fn a_paid_hold_becomes_a_sale() {
    given::<Show>(with_own_hold())
        .at(599)
        .when(sell(1))
        .then(events![sold(1, ann(), tally(8, 0, 2))])
        .answers(Answer::Done);
}

#[test]
fn a_sale_is_made_once() {
    given::<Show>(with_sale())
        .at(9_999)
        .when(sell(1))
        .then_nothing()
        .answers(Answer::Done);
    let other = ShowAction::Sell {
        hold_id: h(1),
        reservation_id: r(2),
    };
    given::<Show>(with_sale()).when(other).refused(Refusal::HoldInUse);
}

#[test]
fn a_hold_is_not_sold_at_its_deadline() {
    given::<Show>(with_own_hold())
        .at(600)
        .when(sell(1))
        .refused(Refusal::HoldExpired);
    let over = released(1, ReleaseReason::Expired, tally(10, 0, 0));
    given::<Show>(with_own_hold().into_iter().chain(events![over]))
        .when(sell(1))
        .refused(Refusal::HoldExpired);
}

#[test]
fn only_the_reservation_that_has_the_hold_buys_it() {
    given::<Show>(with_hold())
        .when(sell(1))
        .refused(Refusal::HoldNotFound);
    given::<Show>(with_hold())
        .when(sell(2))
        .refused(Refusal::HoldNotFound);
    let other = ShowAction::Sell {
        hold_id: h(1),
        reservation_id: r(2),
    };
    given::<Show>(with_own_hold())
        .when(other)
        .refused(Refusal::HoldInUse);
}

#[test]
fn a_reservation_buys_one_hold() {
    let second = TicketsHeld {
        reservation_id: Some(r(1)),
        ..held(2, ann(), tally(6, 2, 2))
    };
    given::<Show>(with_sale().into_iter().chain(events![second]))
        .when(ShowAction::Sell {
            hold_id: h(2),
            reservation_id: r(1),
        })
        .refused(Refusal::HoldInUse);
}

#[test]
fn a_hold_made_before_the_show_began_is_still_honoured() {
    let late = TicketsHeld {
        deadline_ms: Timestamp(STARTS + 50),
        ..held_for(1, ann(), tally(8, 2, 0))
    };
    given::<Show>(events![general(10), late])
        .at(STARTS + 49)
        .when(sell(1))
        .then(events![sold(1, ann(), tally(8, 0, 2))]);
}

#[test]
fn a_cancelled_show_sells_nothing_more() {
    // Its last holds may still have to be released: see `cancel`.
    given::<Show>(
        with_own_hold()
            .into_iter()
            .chain(events![cancelled(tally(8, 2, 0))]),
    )
    .when(sell(1))
    .refused(Refusal::ShowUnavailable {
        why: Unavailable::Cancelled,
    });
    given::<Show>(with_sale().into_iter().chain(events![cancelled(tally(8, 0, 2))]))
        .when(sell(1))
        .then_nothing();
}

#[test]
fn restoring_a_hold_releases_it() {
    let event = released(1, ReleaseReason::Compensated, tally(10, 0, 0));
    given::<Show>(with_own_hold())
        .when(restore(1))
        .then(events![event])
        .answers(Answer::Done);
}

#[test]
fn restoring_a_sale_takes_it_back_even_after_cancellation() {
    let event = returned(1, ann(), tally(10, 0, 0));
    given::<Show>(with_sale())
        .when(restore(1))
        .then(events![event.clone()])
        .answers(Answer::Done);
    given::<Show>(with_sale().into_iter().chain(events![cancelled(tally(8, 0, 2))]))
        .when(restore(1))
        .then(events![event]);
}

#[test]
fn restoring_what_is_over_needs_nothing() {
    let over = released(1, ReleaseReason::Expired, tally(10, 0, 0));
    given::<Show>(with_own_hold().into_iter().chain(events![over]))
        .when(restore(1))
        .then_nothing();
    let back = returned(1, ann(), tally(10, 0, 0));
    given::<Show>(with_sale().into_iter().chain(events![back]))
        .when(restore(1))
        .then_nothing();
}

#[test]
fn restoring_leaves_alone_what_the_reservation_does_not_own() {
    let other = || ShowAction::Restore {
        hold_id: h(1),
        reservation_id: r(2),
    };
    given::<Show>(with_hold())
        .when(other())
        .then_nothing()
        .answers(Answer::Done);
    given::<Show>(with_own_hold())
        .when(other())
        .then_nothing()
        .answers(Answer::Done);
    given::<Show>(with_sale())
        .when(other())
        .then_nothing()
        .answers(Answer::Done);
}

#[test]
fn tickets_that_came_back_can_be_sold_again() {
    let back = returned(1, ann(), tally(10, 0, 0));
    let event = TicketsHeld {
        hold_id: h(2),
        quantity: 4,
        amount: usd(4_000),
        deadline_ms: Timestamp(1_600),
        ..held(2, ann(), tally(6, 4, 0))
    };
    given::<Show>(with_sale().into_iter().chain(events![back]))
        .at(1_000)
        .when(ask_hold(2, ann(), quantity(4)))
        .then(events![event]);
}
