use super::*;

#[test]
fn a_hold_takes_its_tickets_until_its_deadline() {
    let event = TicketsHeld {
        deadline_ms: Timestamp(610),
        ..held(1, ann(), tally(8, 2, 0))
    };
    given::<Show>(events![general(10)])
        .at(10)
        .when(ask_hold(1, ann(), quantity(2)))
        .then(events![event.clone()])
        .answers(Answer::Held(grant(&event)));
}

#[test]
fn a_hold_may_be_made_for_a_reservation_and_carry_a_fingerprint() {
    let fingerprint = Some(Digest([7; 32]));
    let event = TicketsHeld {
        fingerprint,
        ..held_for(1, ann(), tally(8, 2, 0))
    };
    let action = ShowAction::Hold {
        hold_id: h(1),
        user_id: ann(),
        choice: quantity(2),
        reservation_id: Some(r(1)),
        ttl_ms: TTL,
        line_until_ms: Some(Timestamp(99)),
        fingerprint,
    };
    given::<Show>(events![general(10)])
        .when(action)
        .then(events![event]);
}

#[test]
fn the_same_hold_again_is_answered_with_the_hold_that_there_is() {
    let event = held(1, ann(), tally(8, 2, 0));
    given::<Show>(events![general(10), event.clone()])
        .at(100)
        .when(ask_hold(1, ann(), quantity(2)))
        .then_nothing()
        .answers(Answer::Held(grant(&event)));
}

#[test]
fn the_same_hold_again_is_answered_also_when_it_was_sold() {
    let event = held_for(1, ann(), tally(8, 2, 0));
    given::<Show>(events![
        general(10),
        event.clone(),
        sold(1, ann(), tally(8, 0, 2))
    ])
    .at(5_000)
    .when(ask_hold(1, ann(), quantity(2)))
    .then_nothing()
    .answers(Answer::Held(grant(&event)));
}

#[test]
fn the_same_hold_for_something_else_is_refused() {
    let event = TicketsHeld {
        fingerprint: Some(Digest([1; 32])),
        ..held(1, ann(), tally(8, 2, 0))
    };
    given::<Show>(events![general(10), event.clone()])
        .when(ask_hold(1, ann(), quantity(2)))
        .refused(Refusal::KeyReused);
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0))])
        .when(ask_hold(1, bob(), quantity(2)))
        .refused(Refusal::KeyReused);
}

#[test]
fn a_hold_expires_at_its_deadline_not_after() {
    let before = || events![general(10), held(1, ann(), tally(8, 2, 0))];
    given::<Show>(before())
        .at(599)
        .when(ask_hold(1, ann(), quantity(2)))
        .then_nothing();
    given::<Show>(before())
        .at(600)
        .when(ask_hold(1, ann(), quantity(2)))
        .refused(Refusal::HoldExpired);
    given::<Show>(before())
        .at(599)
        .when(ShowAction::ExpireHolds)
        .then_nothing();
    given::<Show>(before())
        .at(600)
        .when(ShowAction::ExpireHolds)
        .then(events![released(1, ReleaseReason::Expired, tally(10, 0, 0))])
        .answers(Answer::Done);
}

#[test]
fn a_hold_that_is_over_is_not_made_again() {
    let over = released(1, ReleaseReason::Released, tally(10, 0, 0));
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0)), over])
        .when(ask_hold(1, ann(), quantity(2)))
        .refused(Refusal::HoldExpired);
}

#[test]
fn a_hold_that_was_undone_before_it_was_made_is_never_made() {
    let tombstone = HoldReleased {
        quantity: 0,
        ..released(1, ReleaseReason::Compensated, tally(10, 0, 0))
    };
    given::<Show>(events![general(10)])
        .when(restore(1))
        .then(events![tombstone.clone()])
        .answers(Answer::Done);
    given::<Show>(events![general(10), tombstone])
        .when(ask_hold(1, ann(), quantity(2)))
        .refused(Refusal::HoldExpired);
}

#[test]
fn a_cancelled_or_begun_show_holds_nothing() {
    given::<Show>(events![general(10), cancelled(tally(10, 0, 0))])
        .when(ask_hold(1, ann(), quantity(1)))
        .refused(Refusal::ShowUnavailable {
            why: Unavailable::Cancelled,
        });
    given::<Show>(events![general(10)])
        .at(STARTS)
        .when(ask_hold(1, ann(), quantity(1)))
        .refused(Refusal::ShowUnavailable {
            why: Unavailable::Begun,
        });
}

#[test]
fn overdue_holds_are_released_by_the_decision_that_needs_their_tickets() {
    let event = TicketsHeld {
        deadline_ms: Timestamp(1_200),
        ..held(3, bob(), tally(0, 2, 0))
    };
    given::<Show>(events![general(2), held(1, ann(), tally(0, 2, 0))])
        .at(600)
        .when(ask_hold(3, bob(), quantity(2)))
        .then(events![
            released(1, ReleaseReason::Expired, tally(2, 0, 0)),
            event
        ]);
}

#[test]
fn what_others_hold_is_worth_waiting_for() {
    let full = || events![general(3), held(1, ann(), tally(1, 2, 0))];
    given::<Show>(full())
        .when(ask_hold(2, bob(), quantity(3)))
        .refused(Refusal::AllHeld { free: 1, held: 2 });
    given::<Show>(full())
        .when(ask_hold(2, bob(), quantity(4)))
        .refused(Refusal::SoldOut { free: 1 });
    // At the deadline there is nothing to wait for: it is free.
    let event = TicketsHeld {
        quantity: 3,
        amount: usd(3_000),
        deadline_ms: Timestamp(1_200),
        ..held(2, bob(), tally(0, 3, 0))
    };
    given::<Show>(full())
        .at(600)
        .when(ask_hold(2, bob(), quantity(3)))
        .then(events![
            released(1, ReleaseReason::Expired, tally(3, 0, 0)),
            event
        ]);
}

#[test]
fn nobody_waits_for_their_own_hold() {
    given::<Show>(events![general(3), held(1, ann(), tally(1, 2, 0))])
        .when(ask_hold(2, ann(), quantity(2)))
        .refused(Refusal::SoldOut { free: 1 });
}

#[test]
fn what_is_sold_is_not_worth_waiting_for() {
    given::<Show>(events![
        general(2),
        held_for(1, ann(), tally(0, 2, 0)),
        sold(1, ann(), tally(0, 0, 2))
    ])
    .when(ask_hold(2, bob(), quantity(1)))
    .refused(Refusal::SoldOut { free: 0 });
}

#[test]
fn an_amount_past_counting_is_refused() {
    let show = ShowScheduled {
        price: usd(i64::MAX / 2),
        ..general(10)
    };
    given::<Show>(events![show])
        .when(ask_hold(1, ann(), quantity(3)))
        .refused(Refusal::AmountTooLarge);
}

#[test]
fn a_hold_of_nothing_or_of_a_hold_is_refused() {
    given::<Show>(events![general(10)])
        .when(ask_hold(1, ann(), quantity(0)))
        .refused(Refusal::SeatsUnknown { seats: vec![] });
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0))])
        .when(ask_hold(2, ann(), Choice::Hold { hold_id: h(1) }))
        .refused(Refusal::HoldNotFound);
}

#[test]
fn an_owner_gives_a_hold_back() {
    let event = held(1, ann(), tally(8, 2, 0));
    let status = HoldStatus {
        grant: grant(&event),
        user_id: ann(),
        phase: HoldPhase::Over,
        fingerprint: None,
    };
    given::<Show>(events![general(10), event.clone()])
        .when(ShowAction::ReleaseHold { hold_id: h(1) })
        .then(events![released(1, ReleaseReason::Released, tally(10, 0, 0))])
        .answers(Answer::Hold(status.clone()));
    // One that is over needs nothing, by the clock or by the log.
    given::<Show>(events![general(10), event])
        .at(600)
        .when(ShowAction::ReleaseHold { hold_id: h(1) })
        .then_nothing()
        .answers(Answer::Hold(status));
}

#[test]
fn a_hold_in_use_is_not_given_back() {
    let release = || ShowAction::ReleaseHold { hold_id: h(1) };
    let paying = || events![general(10), held_for(1, ann(), tally(8, 2, 0))];
    given::<Show>(paying())
        .when(release())
        .refused(Refusal::HoldInUse);
    given::<Show>(
        paying()
            .into_iter()
            .chain(events![sold(1, ann(), tally(8, 0, 2))]),
    )
    .when(release())
    .refused(Refusal::HoldInUse);
}

#[test]
fn a_hold_that_never_was_is_not_given_back() {
    let release = || ShowAction::ReleaseHold { hold_id: h(1) };
    given::<Show>(events![general(10)])
        .when(release())
        .refused(Refusal::HoldNotFound);
    let tombstone = HoldReleased {
        quantity: 0,
        ..released(1, ReleaseReason::Compensated, tally(10, 0, 0))
    };
    given::<Show>(events![general(10), tombstone])
        .when(release())
        .refused(Refusal::HoldNotFound);
}
