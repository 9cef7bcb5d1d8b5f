use super::*;

#[test]
fn a_snapshot_is_the_state() {
    let mut state = State::default();
    let fingerprint = Some(Digest([9; 32]));
    for event in events![
        numbered(),
        TicketsHeld {
            seats: names(&["Platea-A-1", "Platea-A-2"]),
            ..held(1, ann(), tally(11, 2, 0))
        },
        TicketsHeld {
            seats: names(&["Platea-B-1", "Platea-B-2"]),
            fingerprint,
            ..held_for(2, bob(), tally(9, 4, 0))
        },
        TicketsSold {
            seats: names(&["Platea-B-1", "Platea-B-2"]),
            ..sold(2, bob(), tally(9, 2, 2))
        },
        HoldReleased {
            quantity: 0,
            ..released(3, ReleaseReason::Compensated, tally(9, 2, 2))
        },
        HoldReleased {
            seats: names(&["Platea-A-1", "Platea-A-2"]),
            ..released(1, ReleaseReason::Expired, tally(11, 0, 2))
        },
        // A reservation that pays for its own hold has the hold's id.
        TicketsHeld {
            reservation_id: Some(h(4).into()),
            seats: names(&["Palco-Alto-A-1", "Palco-Alto-A-2"]),
            ..held(4, bob(), tally(9, 2, 2))
        },
        cancelled(tally(9, 2, 2)),
    ] {
        state.evolve(&event);
        let stored = serde_json::to_vec(&state).unwrap();
        assert_eq!(serde_json::from_slice::<State>(&stored).unwrap(), state);
    }
    assert_eq!(
        serde_json::from_slice::<State>(&serde_json::to_vec(&State::default()).unwrap()).unwrap(),
        State::default()
    );
}

#[test]
fn a_program_that_does_not_know_of_blocked_places_cannot_read_a_snapshot_with_any() {
    let mut state = State::default();
    for event in events![
        planned(),
        TicketsHeld {
            seats: names(&["Platea-A-2", "Palco-Alto-A-1"]),
            ..held(1, ann(), tally(8, 2, 0))
        }
    ] {
        state.evolve(&event);
    }
    let stored = serde_json::to_value(&state).unwrap();
    assert_eq!(stored["show"]["layout"]["kind"], "numbered_with_blocked");
    assert_eq!(serde_json::from_value::<State>(stored).unwrap(), state);
}

#[test]
fn the_stored_form_is_what_its_number_says() {
    let mut state = State::default();
    for event in events![
        general(10),
        held_for(1, ann(), tally(8, 2, 0)),
        sold(1, ann(), tally(8, 0, 2))
    ] {
        state.evolve(&event);
    }
    let stored = serde_json::to_value(&state).unwrap();
    // Another form wants another SNAPSHOT_FORM.
    assert_eq!(SNAPSHOT_FORM, 1);
    assert_eq!(
        stored["holds"],
        serde_json::json!([[
            "00000000-0000-0000-0000-000000000101",
            "00000000-0000-0000-0000-00000000000a",
            "Sold",
            "00000000-0000-0000-0000-000000000201",
            false,
            [2, 2000, "USD"],
            600,
            [],
            null
        ]])
    );
}
