//! Seats that are named.

use super::*;

fn seated(n: u128, user_id: UserId, seat_names: &[&str], tally: Tally) -> TicketsHeld {
    let quantity = seat_names.len() as u32;
    TicketsHeld {
        quantity,
        seats: names(seat_names),
        ..held(n, user_id, tally)
    }
}

#[test]
fn named_seats_are_held_at_the_price_of_their_sections() {
    let event = TicketsHeld {
        amount: usd(3_500),
        ..seated(1, ann(), &["Platea-B-5", "Palco-Alto-A-1"], tally(11, 2, 0))
    };
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), seats(&["Platea-B-5", "Palco-Alto-A-1"])))
        .then(events![event.clone()])
        .answers(Answer::Held(grant(&event)));
}

#[test]
fn taken_seats_are_named_and_nothing_is_held() {
    let before = || {
        events![
            numbered(),
            seated(1, bob(), &["Platea-A-1", "Platea-A-2"], tally(11, 2, 0))
        ]
    };
    given::<Show>(before())
        .when(ask_hold(
            2,
            ann(),
            seats(&["Platea-A-2", "Platea-A-3", "Platea-A-1"]),
        ))
        .refused(Refusal::SeatsTaken {
            seats: names(&["Platea-A-2", "Platea-A-1"]),
        });
}

#[test]
fn seats_of_an_overdue_hold_are_free() {
    let event = TicketsHeld {
        amount: usd(2_500),
        deadline_ms: Timestamp(1_200),
        ..seated(2, ann(), &["Platea-A-1"], tally(12, 1, 0))
    };
    let over = HoldReleased {
        seats: names(&["Platea-A-1", "Platea-A-2"]),
        ..released(1, ReleaseReason::Expired, tally(13, 0, 0))
    };
    given::<Show>(events![
        numbered(),
        seated(1, bob(), &["Platea-A-1", "Platea-A-2"], tally(11, 2, 0))
    ])
    .at(600)
    .when(ask_hold(2, ann(), seats(&["Platea-A-1"])))
    .then(events![over, event]);
}

#[test]
fn seats_that_do_not_exist_are_named() {
    for name in [
        "Platea-C-1",
        "Platea-A-6",
        "Platea-A-0",
        "Palco-A-1",
        "Platea-A-01",
        "platea-A-1",
        "",
        "Platea",
    ] {
        given::<Show>(events![numbered()])
            .when(ask_hold(1, ann(), seats(&["Platea-A-1", name])))
            .refused(Refusal::SeatsUnknown {
                seats: names(&[name]),
            });
    }
}

#[test]
fn a_blocked_place_is_a_seat_that_does_not_exist() {
    for name in ["Platea-A-1", "Platea-B-5", "Palco-Alto-A-2"] {
        given::<Show>(events![planned()])
            .when(ask_hold(1, ann(), seats(&["Platea-A-2", name])))
            .refused(Refusal::SeatsUnknown {
                seats: names(&[name]),
            });
    }
    let event = TicketsHeld {
        quantity: 1,
        seats: names(&["Platea-A-2"]),
        amount: usd(2_500),
        ..held(1, ann(), tally(9, 1, 0))
    };
    given::<Show>(events![planned()])
        .when(ask_hold(1, ann(), seats(&["Platea-A-2"])))
        .then(events![event]);
}

#[test]
fn a_section_is_sold_out_when_only_blocked_places_are_left() {
    let palco = ["Palco-Alto-A-1", "Palco-Alto-A-3"];
    given::<Show>(events![planned(), seated(1, bob(), &palco, tally(8, 2, 0))])
        .when(ask_hold(2, ann(), in_section(3, "Palco-Alto")))
        .refused(Refusal::SoldOut { free: 0 });
}

#[test]
fn whatever_the_log_says_a_blocked_place_stays_blocked() {
    // No program writes this; one that reads it must not make a seat of it.
    let mut state = State::default();
    for event in events![planned(), seated(1, bob(), &["Platea-A-1"], tally(9, 1, 0))] {
        state.evolve(&event);
    }
    assert!(state.seats().unwrap().find("Platea-A-1").is_none());
    assert!(state.hold(h(1)).unwrap().seats.is_empty());
}

#[test]
fn a_seat_is_named_once() {
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), seats(&["Platea-A-1", "Platea-A-1"])))
        .refused(Refusal::SeatsUnknown {
            seats: names(&["Platea-A-1"]),
        });
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), seats(&[])))
        .refused(Refusal::SeatsUnknown { seats: vec![] });
}

#[test]
fn a_show_without_seats_has_neither_seats_nor_sections() {
    given::<Show>(events![general(10)])
        .when(ask_hold(1, ann(), seats(&["Platea-A-1"])))
        .refused(Refusal::NotNumbered);
    given::<Show>(events![general(10)])
        .when(ask_hold(1, ann(), in_section(1, "Platea")))
        .refused(Refusal::NotNumbered);
}

#[test]
fn an_unknown_section_is_named() {
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), in_section(1, "Galería")))
        .refused(Refusal::SectionUnknown {
            section: "Galería".into(),
        });
}

#[test]
fn sold_seats_go_back_with_their_sale() {
    let seat = ["Palco-Alto-A-2"];
    let before = events![
        numbered(),
        TicketsHeld {
            reservation_id: Some(r(1)),
            ..seated(1, ann(), &seat, tally(12, 1, 0))
        },
        TicketsSold {
            quantity: 1,
            seats: names(&seat),
            ..sold(1, ann(), tally(12, 0, 1))
        },
    ];
    given::<Show>(before.clone())
        .when(ask_hold(2, bob(), seats(&seat)))
        .refused(Refusal::SeatsTaken { seats: names(&seat) });
    let back = TicketsReturned {
        quantity: 1,
        seats: names(&seat),
        ..returned(1, ann(), tally(13, 0, 0))
    };
    given::<Show>(before.clone())
        .when(restore(1))
        .then(events![back.clone()]);
    let event = TicketsHeld {
        amount: usd(1_000),
        ..seated(2, bob(), &seat, tally(12, 1, 0))
    };
    given::<Show>(before.into_iter().chain(events![back]))
        .when(ask_hold(2, bob(), seats(&seat)))
        .then(events![event]);
}

#[test]
fn a_section_that_others_hold_is_worth_waiting_for() {
    let palco = ["Palco-Alto-A-1", "Palco-Alto-A-2"];
    let before = || events![numbered(), seated(1, bob(), &palco, tally(11, 2, 0))];
    given::<Show>(before())
        .when(ask_hold(2, ann(), in_section(2, "Palco-Alto")))
        .refused(Refusal::AllHeld { free: 1, held: 2 });
    given::<Show>(before())
        .when(ask_hold(2, bob(), in_section(2, "Palco-Alto")))
        .refused(Refusal::SoldOut { free: 1 });
    given::<Show>(before())
        .when(ask_hold(2, ann(), in_section(4, "Palco-Alto")))
        .refused(Refusal::SoldOut { free: 1 });
}

#[test]
fn a_quote_of_seats_is_their_price_even_when_they_are_taken() {
    let ask = |choice| ShowAction::Quote {
        user_id: ann(),
        choice,
    };
    let outcome = given::<Show>(events![
        numbered(),
        seated(1, bob(), &["Platea-A-1"], tally(12, 1, 0))
    ])
    .when(ask(seats(&["Platea-A-1", "Palco-Alto-A-1"])));
    let Answer::Quoted(quote) = outcome.answer() else {
        panic!("no quote")
    };
    assert_eq!((quote.quantity, quote.amount), (2, usd(3_500)));
    assert_eq!(
        quote.objection,
        Some(Refusal::SeatsTaken {
            seats: names(&["Platea-A-1"])
        })
    );
    let outcome = given::<Show>(events![numbered()]).when(ask(in_section(4, "Palco-Alto")));
    let Answer::Quoted(quote) = outcome.answer() else {
        panic!("no quote")
    };
    assert_eq!(
        (quote.amount, &quote.objection),
        (usd(4_000), &Some(Refusal::SoldOut { free: 3 }))
    );
}
