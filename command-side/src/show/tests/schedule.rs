use super::*;

fn schedule(show: ShowScheduled) -> ShowAction {
    ShowAction::Schedule { show: Box::new(show) }
}

#[test]
fn a_show_is_scheduled_once() {
    given::<Show>([])
        .when(schedule(general(10)))
        .then(events![general(10)])
        .answers(Answer::Done);
    given::<Show>(events![general(10)])
        .when(schedule(general(10)))
        .then_nothing()
        .answers(Answer::Done);
}

#[test]
fn the_same_key_means_the_same_show_whenever_it_was_sent() {
    let first = ShowScheduled {
        fingerprint: Some(Digest([1; 32])),
        ..general(10)
    };
    let later = ShowScheduled {
        scheduled_at_ms: Timestamp(77),
        ..first.clone()
    };
    given::<Show>(events![first.clone()])
        .when(schedule(later))
        .then_nothing();
    // Even when the show has begun since.
    given::<Show>(events![first.clone()])
        .at(STARTS)
        .when(schedule(first))
        .then_nothing();
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let first = ShowScheduled {
        fingerprint: Some(Digest([1; 32])),
        ..general(10)
    };
    let other = ShowScheduled {
        fingerprint: Some(Digest([2; 32])),
        ..general(11)
    };
    given::<Show>(events![first])
        .when(schedule(other))
        .refused(Refusal::KeyReused);
    given::<Show>(events![general(10)])
        .when(schedule(general(11)))
        .refused(Refusal::KeyReused);
}

#[test]
fn a_show_cannot_begin_now_or_before() {
    given::<Show>([])
        .at(STARTS)
        .when(schedule(general(10)))
        .refused(Refusal::ShowInThePast);
    given::<Show>([])
        .at(STARTS - 1)
        .when(schedule(general(10)))
        .then(events![general(10)]);
}

#[test]
fn a_show_has_at_most_a_hundred_thousand_tickets() {
    given::<Show>([])
        .when(schedule(general(MAX_CAPACITY)))
        .then(events![general(MAX_CAPACITY)]);
    given::<Show>([])
        .when(schedule(general(MAX_CAPACITY + 1)))
        .refused(Refusal::AmountTooLarge);
    let section = |rows, seats_per_row| Section {
        name: "S".into(),
        rows,
        seats_per_row,
        ..Section::default()
    };
    let sections = vec![section(u32::MAX, u32::MAX)];
    let show = ShowScheduled {
        layout: Layout::Numbered { sections },
        ..general(0)
    };
    given::<Show>([])
        .when(schedule(show))
        .refused(Refusal::AmountTooLarge);
}

/// One section of so many rows and places, and what is in it.
fn with_section(rows: u32, seats_per_row: u32, aisles: &[u32], blocked: &[&str]) -> ShowScheduled {
    let section = Section {
        name: "S".into(),
        rows,
        seats_per_row,
        aisles: aisles.to_vec(),
        blocked: places(blocked),
        ..Section::default()
    };
    ShowScheduled {
        layout: Layout::Numbered {
            sections: vec![section],
        },
        ..general(0)
    }
}

#[test]
fn blocked_places_are_no_tickets_but_take_their_room() {
    given::<Show>([])
        .when(schedule(planned()))
        .then(events![planned()]);
    given::<Show>(events![planned()])
        .when(ask_hold(1, ann(), quantity(11)))
        .refused(Refusal::PurchaseLimit { limit: 4, already: 0 });
    let mut state = State::default();
    state.evolve(&planned().into());
    assert_eq!(state.tally(), tally(10, 0, 0));
    let full = with_section(1_000, 100, &[50], &["A-1"]);
    given::<Show>([]).when(schedule(full.clone())).then(events![full]);
    // One ticket less than there may be, but more places.
    given::<Show>([])
        .when(schedule(with_section(100_001, 1, &[], &["A-1", "B-1"])))
        .refused(Refusal::AmountTooLarge);
}

#[test]
fn aisles_and_blocked_places_are_in_their_section() {
    for (aisles, blocked, named) in [
        (&[5][..], &[][..], "S-A-5"),
        (&[3, 3], &[], "S-A-3"),
        (&[], &["C-1"], "S-C-1"),
        (&[], &["A-2", "A-2"], "S-A-2"),
    ] {
        given::<Show>([])
            .when(schedule(with_section(2, 5, aisles, blocked)))
            .refused(Refusal::SeatsUnknown {
                seats: names(&[named]),
            });
    }
}

#[test]
fn a_show_is_another_kind_of_event_once_places_are_blocked() {
    let kind = |show: ShowScheduled| Event::from(show).kind();
    assert_eq!(kind(numbered()), "show_scheduled.v1");
    assert_eq!(kind(with_section(2, 5, &[2], &[])), "show_scheduled.v1");
    assert_eq!(kind(planned()), "show_scheduled.v2");
}

#[test]
fn rows_without_seats_take_no_room() {
    let sections = vec![Section {
        name: "S".into(),
        rows: u32::MAX,
        seats_per_row: 0,
        ..Section::default()
    }];
    let show = ShowScheduled {
        layout: Layout::Numbered { sections },
        ..general(0)
    };
    given::<Show>([])
        .when(schedule(show.clone()))
        .then(events![show.clone()]);
    given::<Show>(events![show])
        .when(ask_hold(1, ann(), quantity(1)))
        .refused(Refusal::SoldOut { free: 0 });
}

#[test]
fn two_sections_of_one_name_are_refused() {
    let section = || Section {
        name: "S".into(),
        rows: 1,
        seats_per_row: 1,
        ..Section::default()
    };
    let show = ShowScheduled {
        layout: Layout::Numbered {
            sections: vec![section(), section()],
        },
        ..general(0)
    };
    given::<Show>([])
        .when(schedule(show))
        .refused(Refusal::SectionUnknown { section: "S".into() });
}

#[test]
fn a_show_that_does_not_exist_refuses_everything_but_an_undoing() {
    for action in [
        ask_hold(1, ann(), quantity(1)),
        adopt(1, ann()),
        ShowAction::ReleaseHold { hold_id: h(1) },
        sell(1),
        ShowAction::ExpireHolds,
        ShowAction::Cancel,
    ] {
        given::<Show>([]).when(action).refused(Refusal::ShowNotFound);
    }
    // Nothing was ever held, and the stream must begin with the scheduling.
    given::<Show>([])
        .when(restore(1))
        .then_nothing()
        .answers(Answer::Done);
    for query in [
        ShowAction::Quote {
            user_id: ann(),
            choice: quantity(1),
        },
        ShowAction::DescribeHold { hold_id: h(1) },
        ShowAction::ListSales {
            after: None,
            limit: 10,
        },
    ] {
        given::<Show>([])
            .when(query)
            .then_nothing()
            .answers(Answer::Refused(Refusal::ShowNotFound));
    }
}

#[test]
fn only_scheduling_makes_a_show() {
    assert!(Show::creates(&schedule(general(1))));
    assert!(!Show::creates(&ask_hold(1, ann(), quantity(1))));
    assert!(!Show::creates(&restore(1)));
}
