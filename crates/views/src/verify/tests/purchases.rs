//! The account of reservations and their money.

use super::*;

#[test]
fn a_confirmation_without_payment_sale_or_history_is_found() {
    type Others = fn(&mut Story);
    let steps: [(&str, Rule, Others); 3] = [
        ("payment", Rule::Paid, |story| {
            story.record(1, 1);
            story.sell(1, 1, &[]);
        }),
        ("sale", Rule::Sold, |story| {
            story.capture(1, 1);
            story.record(1, 1);
        }),
        ("history", Rule::Recorded, |story| {
            story.capture(1, 1);
            story.sell(1, 1, &[]);
        }),
    ];
    for (missing, rule, others) in steps {
        let mut story = Story::general(10);
        story.request(1, 1);
        story.hold(1, 1, &[]);
        others(&mut story);
        story.confirm(1, 1);
        assert_eq!(story.rules(), [rule], "without {missing}");
    }
}

#[test]
fn a_payment_taken_twice_is_found() {
    let mut story = Story::general(10);
    story.purchase(1, 1);
    story.capture(1, 1);
    assert_eq!(story.rules(), [Rule::Paid]);
}

#[test]
fn another_amount_than_was_confirmed_is_found() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.hold(1, 1, &[]);
    story.capture(1, 2);
    story.record(1, 1);
    story.sell(1, 1, &[]);
    story.confirm(1, 1);
    assert_eq!(story.rules(), [Rule::Paid]);
}

#[test]
fn a_rejected_reservation_that_keeps_money_or_tickets_is_found() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.hold(1, 1, &[]);
    story.reject(1);
    assert_eq!(story.rules(), [Rule::Sold]);
    let mut story = Story::general(10);
    story.request(1, 1);
    story.capture(1, 1);
    story.reject(1);
    assert_eq!(story.rules(), [Rule::Paid]);
    let mut story = Story::general(10);
    story.request(1, 1);
    story.capture(1, 1);
    story.refund(1, 1);
    story.reject(1);
    assert_eq!(story.rules(), []);
}

#[test]
fn a_charge_that_comes_after_the_rejection_is_found_at_the_end() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.reject(1);
    let rejected = story.log.last().unwrap().position;
    story.capture(1, 1);
    let report = story.verify();
    assert_eq!(
        (report.violations[0].rule, report.violations[0].position),
        (Rule::Paid, rejected)
    );
}

#[test]
fn a_second_outcome_is_found() {
    let mut story = Story::general(10);
    story.request(1, 1);
    story.reject(1);
    story.reject(1);
    assert_eq!(story.rules(), [Rule::Outcome]);
}

#[test]
fn money_and_tickets_of_nobody_are_found() {
    let mut story = Story::general(10);
    story.capture(1, 1);
    assert_eq!(story.rules(), [Rule::Paid]);
    let mut story = Story::general(10);
    story.hold(1, 1, &[]);
    story.sell(1, 1, &[]);
    assert_eq!(story.rules(), [Rule::Sold]);
}
