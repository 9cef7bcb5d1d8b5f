//! The account of tickets.

use super::*;

#[test]
fn an_oversold_show_is_found() {
    let mut story = Story::general(3);
    story.purchase(1, 2);
    story.request(2, 2);
    story.tally = Tally {
        free: 0,
        held: 2,
        sold: 2,
    };
    story.at_show(story.held(2, 2, &[]));
    assert_eq!(story.rules(), [Rule::NeverOversold]);
}

#[test]
fn a_tally_that_does_not_add_up_is_found_once() {
    let mut story = Story::general(10);
    story.tally.free -= 1;
    story.purchase(1, 2);
    assert_eq!(story.rules(), [Rule::Tally]);
}

#[test]
fn a_seat_with_two_owners_is_found() {
    let mut story = Story::numbered();
    story.request(1, 2);
    story.hold(1, 2, &["Platea-A-1", "Platea-A-2"]);
    story.request(2, 1);
    story.hold(2, 1, &["Platea-A-2"]);
    let report = story.verify();
    assert_eq!(
        report.violations.iter().map(|v| v.rule).collect::<Vec<_>>(),
        [Rule::SeatOnce]
    );
    assert_eq!(report.violations[0].detail, "Platea-A-2 has an owner already");
}

#[test]
fn seats_that_do_not_exist_or_are_not_those_of_the_hold_are_found() {
    for seat in ["Platea-C-1", "Platea-A-4", "Gallery-A-1"] {
        let mut story = Story::numbered();
        story.request(1, 1);
        story.hold(1, 1, &[seat]);
        assert_eq!(story.rules(), [Rule::SeatOnce], "{seat}");
    }
    let mut story = Story::numbered();
    story.request(1, 1);
    story.hold(1, 1, &["Platea-A-1"]);
    story.sell(1, 1, &["Platea-A-2"]);
    assert_eq!(story.rules(), [Rule::Hold]);
}

#[test]
fn a_blocked_place_that_somebody_has_is_found() {
    let mut story = Story::with_blocked(1);
    story.request(1, 1);
    story.hold(1, 1, &["Platea-A-2"]);
    let report = story.verify();
    assert_eq!(report.violations[0].rule, Rule::SeatOnce);
    assert_eq!(report.violations[0].detail, "there is no seat Platea-A-2");
}

#[test]
fn blocked_places_do_not_count_as_tickets() {
    let mut story = Story::with_blocked(1);
    assert_eq!(story.tally.free, 5);
    story.request(1, 2);
    story.hold(1, 2, &["Platea-A-1", "Platea-A-3"]);
    assert_eq!(story.rules(), []);
    story.tally.free += 1;
    story.request(2, 1);
    story.hold(2, 1, &["Platea-B-1"]);
    assert_eq!(story.rules(), [Rule::Tally], "free again by one too many");
}

#[test]
fn a_place_that_is_blocked_twice_is_still_one_seat_less() {
    // No program writes this. Its tallies would be one short.
    let mut story = Story::with_blocked(2);
    story.request(1, 1);
    story.hold(1, 1, &["Platea-A-1"]);
    assert_eq!(story.rules(), [Rule::Tally]);
}

#[test]
fn a_seat_that_came_back_may_be_held_again() {
    let mut story = Story::numbered();
    story.request(1, 1);
    story.hold(1, 1, &["Platea-A-1"]);
    story.tally = Tally {
        free: 12,
        held: 0,
        sold: 0,
    };
    let (hold_id, tally) = (reservation(1).own_hold(), story.tally);
    let seats = vec!["Platea-A-1".into()];
    story.at_show(HoldReleased {
        hold_id,
        reason: ReleaseReason::Compensated,
        quantity: 1,
        seats,
        tally,
    });
    story.request(2, 1);
    story.hold(2, 1, &["Platea-A-1"]);
    story.sell(2, 1, &["Platea-A-1"]);
    assert_eq!(story.rules(), []);
}

#[test]
fn tickets_at_another_price_are_found() {
    let mut story = Story::numbered();
    story.request(1, 1);
    story.hold(1, 1, &["Palco-A-1"]);
    assert_eq!(story.rules(), [Rule::Price]);
}

#[test]
fn a_sale_without_an_active_hold_is_found() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.at_show(story.sale(1, 1, &[]));
    assert_eq!(story.rules(), [Rule::Hold]);
    let mut story = Story::general(10);
    story.request(1, 1);
    story.hold(1, 1, &[]);
    story.sell(1, 1, &[]);
    story.at_show(story.sale(1, 1, &[]));
    assert_eq!(story.rules(), [Rule::Hold]);
}

#[test]
fn a_hold_that_was_made_impossible_stays_so() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.release(1, 0, ReleaseReason::Compensated);
    assert_eq!(story.rules(), []);
    story.at_show(story.held(1, 1, &[]));
    assert_eq!(story.rules(), [Rule::Hold]);
}

#[test]
fn a_sale_at_the_deadline_is_too_late_and_one_before_it_is_not() {
    for (at, rules) in [(DEADLINE.0 - 1, vec![]), (DEADLINE.0, vec![Rule::Deadline])] {
        let mut story = Story::general(10);
        story.request(1, 1);
        story.hold(1, 1, &[]);
        story.now = at - 1;
        story.sell(1, 1, &[]);
        assert_eq!(story.rules(), rules);
    }
}

#[test]
fn a_hold_that_expired_before_its_deadline_is_found() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.hold(1, 1, &[]);
    story.release(1, 1, ReleaseReason::Expired);
    assert_eq!(story.rules(), [Rule::Deadline]);
}

#[test]
fn a_hold_that_another_reservation_adopted_is_not_sold_to_the_first() {
    let mut story = Story::general(10);
    story.request(1, 1);
    let hold_id = HoldId(Uuid::from_u128(77));
    story.tally = Tally {
        free: 9,
        held: 1,
        sold: 0,
    };
    story.at_show(TicketsHeld {
        hold_id,
        reservation_id: None,
        ..story.held(1, 1, &[])
    });
    story.request_for(2, Choice::Hold { hold_id }, 1);
    story.at_show(HoldAdopted {
        hold_id,
        reservation_id: reservation(2),
    });
    story.tally = Tally {
        free: 9,
        held: 0,
        sold: 1,
    };
    story.at_show(TicketsSold {
        hold_id,
        ..story.sale(1, 1, &[])
    });
    assert_eq!(story.rules(), [Rule::Hold]);
}

#[test]
fn a_person_over_the_limit_is_found() {
    let mut story = Story::general(10);
    story.purchase(1, LIMIT);
    story.request(2, 1);
    story.tally = Tally {
        free: 5,
        held: 1,
        sold: 4,
    };
    story.at_show(TicketsHeld {
        user_id: user(1),
        ..story.held(2, 1, &[])
    });
    assert_eq!(story.rules(), [Rule::Limit]);
}
