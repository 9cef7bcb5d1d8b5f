use super::*;

fn ask_quote(choice: Choice) -> ShowAction {
    ShowAction::Quote {
        user_id: ann(),
        choice,
    }
}

fn quote(quantity: u32, amount: i64, tally: Tally, already: u32, objection: Option<Refusal>) -> Answer {
    Answer::Quoted(Quote {
        show_name: "Ballet".into(),
        category: Some("danza".into()),
        starts_at_ms: Timestamp(STARTS),
        quantity,
        amount: usd(amount),
        tally,
        limit_per_user: 4,
        already,
        objection,
    })
}

#[test]
fn a_quote_tells_price_stock_and_what_the_person_has() {
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0))])
        .when(ask_quote(quantity(3)))
        .answers(quote(3, 3_000, tally(8, 2, 0), 2, None));
}

#[test]
fn a_quote_counts_overdue_holds_as_free() {
    given::<Show>(events![general(2), held(1, ann(), tally(0, 2, 0))])
        .at(600)
        .when(ask_quote(quantity(2)))
        .answers(quote(2, 2_000, tally(2, 0, 0), 0, None));
}

#[test]
fn a_quote_says_what_the_show_would_object() {
    let full = || events![general(3), held(1, bob(), tally(1, 2, 0))];
    let all_held = Refusal::AllHeld { free: 1, held: 2 };
    given::<Show>(full()).when(ask_quote(quantity(2))).answers(quote(
        2,
        2_000,
        tally(1, 2, 0),
        0,
        Some(all_held),
    ));
    let sold_out = Refusal::SoldOut { free: 1 };
    given::<Show>(full()).when(ask_quote(quantity(4))).answers(quote(
        4,
        4_000,
        tally(1, 2, 0),
        0,
        Some(sold_out),
    ));
    given::<Show>(full())
        .when(ask_quote(seats(&["Platea-A-1"])))
        .answers(quote(1, 0, tally(1, 2, 0), 0, Some(Refusal::NotNumbered)));
    let begun = Refusal::ShowUnavailable {
        why: Unavailable::Begun,
    };
    given::<Show>(events![general(3)])
        .at(STARTS)
        .when(ask_quote(quantity(1)))
        .answers(quote(1, 1_000, tally(3, 0, 0), 0, Some(begun)));
}

#[test]
fn a_quote_does_not_object_for_the_limit() {
    given::<Show>(events![general(10)])
        .when(ask_quote(quantity(5)))
        .answers(quote(5, 5_000, tally(10, 0, 0), 0, None));
}

#[test]
fn a_quote_of_a_hold_is_what_was_granted() {
    let of_hold = |n| ask_quote(Choice::Hold { hold_id: h(n) });
    let with = |event: TicketsHeld| events![general(10), event];
    let hold = || held(1, ann(), tally(8, 2, 0));
    given::<Show>(with(hold()))
        .when(of_hold(1))
        .answers(quote(2, 2_000, tally(8, 2, 0), 2, None));
    let objects = |given: crate::aggregate::steps::Given<Show>, n, refusal: Refusal| {
        let outcome = given.when(of_hold(n));
        let Answer::Quoted(quote) = outcome.answer() else {
            panic!("no quote")
        };
        assert_eq!(quote.objection, Some(refusal));
    };
    objects(given(with(hold())), 2, Refusal::HoldNotFound);
    objects(
        given(with(held(1, bob(), tally(8, 2, 0)))),
        1,
        Refusal::HoldNotFound,
    );
    objects(given(with(hold())).at(600), 1, Refusal::HoldExpired);
    objects(
        given(with(held_for(1, ann(), tally(8, 2, 0)))),
        1,
        Refusal::HoldInUse,
    );
    let tombstone = HoldReleased {
        quantity: 0,
        ..released(1, ReleaseReason::Compensated, tally(10, 0, 0))
    };
    objects(given(events![general(10), tombstone]), 1, Refusal::HoldExpired);
}

#[test]
fn a_quote_past_counting_is_refused() {
    let show = ShowScheduled {
        price: usd(i64::MAX / 2),
        ..general(10)
    };
    given::<Show>(events![show])
        .when(ask_quote(quantity(3)))
        .answers(Answer::Refused(Refusal::AmountTooLarge));
}

#[test]
fn a_hold_is_described_as_it_stands() {
    let describe = || ShowAction::DescribeHold { hold_id: h(1) };
    let status = |phase| {
        let fingerprint = Some(Digest([3; 32]));
        let grant = grant(&held(1, ann(), tally(8, 2, 0)));
        Answer::Hold(HoldStatus {
            grant,
            user_id: ann(),
            phase,
            fingerprint,
        })
    };
    let with = |event: TicketsHeld, more: Vec<Event>| {
        let event = TicketsHeld {
            fingerprint: Some(Digest([3; 32])),
            ..event
        };
        given::<Show>(events![general(10), event].into_iter().chain(more))
    };
    let hold = || held(1, ann(), tally(8, 2, 0));
    let own = || held_for(1, ann(), tally(8, 2, 0));
    with(hold(), vec![])
        .when(describe())
        .answers(status(HoldPhase::Active { reservation_id: None }));
    with(own(), vec![])
        .when(describe())
        .answers(status(HoldPhase::Active {
            reservation_id: Some(r(1)),
        }));
    with(own(), vec![sold(1, ann(), tally(8, 0, 2)).into()])
        .at(9_999)
        .when(describe())
        .answers(status(HoldPhase::Sold { reservation_id: r(1) }));
    with(hold(), vec![])
        .at(600)
        .when(describe())
        .answers(status(HoldPhase::Over));
    given::<Show>(events![general(10)])
        .when(describe())
        .answers(Answer::Refused(Refusal::HoldNotFound));
}

#[test]
fn sales_are_listed_in_the_order_of_their_reservations() {
    let mut before: Vec<Event> = events![general(10)].into();
    for n in [3, 1, 2] {
        before.extend(events![
            held_for(n, ann(), Tally::default()),
            sold(n, ann(), Tally::default())
        ]);
    }
    let list = |after, limit| ShowAction::ListSales { after, limit };
    let sales = |numbers: &[u128]| Answer::Sales {
        reservations: numbers.iter().map(|n| r(*n)).collect(),
    };
    given::<Show>(before.clone())
        .when(list(None, 2))
        .answers(sales(&[1, 2]));
    given::<Show>(before.clone())
        .when(list(Some(r(2)), 2))
        .answers(sales(&[3]));
    given::<Show>(before.clone())
        .when(list(Some(r(3)), 2))
        .answers(sales(&[]));
    before.extend(events![returned(2, ann(), Tally::default())]);
    given::<Show>(before).when(list(None, 10)).answers(sales(&[1, 3]));
}
