use super::*;

#[test]
fn cancelling_a_show_releases_its_holds() {
    let before = events![
        general(10),
        held(1, ann(), tally(8, 2, 0)),
        held_for(2, bob(), tally(6, 4, 0)),
        held_for(3, ann(), tally(4, 6, 0)),
        sold(3, ann(), tally(4, 4, 2)),
    ];
    let cancellation = ShowCancelled {
        at_ms: Timestamp(5),
        ..cancelled(tally(8, 0, 2))
    };
    given::<Show>(before)
        .at(5)
        .when(ShowAction::Cancel)
        .then(events![
            released(1, ReleaseReason::ShowCancelled, tally(6, 2, 2)),
            released(2, ReleaseReason::ShowCancelled, tally(8, 0, 2)),
            cancellation,
        ])
        .answers(Answer::Done);
}

#[test]
fn a_hold_that_was_overdue_has_expired() {
    let cancellation = ShowCancelled {
        at_ms: Timestamp(600),
        ..cancelled(tally(10, 0, 0))
    };
    given::<Show>(events![general(10), held(1, ann(), tally(8, 2, 0))])
        .at(600)
        .when(ShowAction::Cancel)
        .then(events![
            released(1, ReleaseReason::Expired, tally(10, 0, 0)),
            cancellation
        ]);
}

#[test]
fn a_show_is_cancelled_once() {
    given::<Show>(events![general(10), cancelled(tally(10, 0, 0))])
        .at(STARTS + 1)
        .when(ShowAction::Cancel)
        .then_nothing();
}

#[test]
fn a_show_that_has_begun_is_not_cancelled() {
    given::<Show>(events![general(10)])
        .at(STARTS)
        .when(ShowAction::Cancel)
        .refused(Refusal::ShowUnavailable {
            why: Unavailable::Begun,
        });
}

/// A thousand and one holds of one ticket, each by another person.
fn crowded() -> State {
    let mut state = State::default();
    let count = MAX_RELEASES as u32 + 1;
    state.evolve(&general(count).into());
    for n in 1..=count {
        let tally = tally(count - n, n, 0);
        let user_id = UserId(Uuid::from_u128(u128::from(n)));
        state.evolve(
            &TicketsHeld {
                quantity: 1,
                ..held_for(u128::from(n), user_id, tally)
            }
            .into(),
        );
    }
    state
}

fn happen(state: &mut State, action: &ShowAction, now: i64) -> usize {
    let events = Show::decide(state, action, Timestamp(now)).unwrap();
    events.iter().for_each(|event| state.evolve(event));
    events.len()
}

#[test]
fn a_crowd_of_holds_is_released_in_turns_when_its_time_is_up() {
    let mut state = crowded();
    assert_eq!(next_deadline(&state), Some(Timestamp(600)));
    assert_eq!(happen(&mut state, &ShowAction::ExpireHolds, 600), MAX_RELEASES);
    assert_eq!(
        next_deadline(&state),
        Some(Timestamp(600)),
        "the rest is still due"
    );
    assert_eq!(happen(&mut state, &ShowAction::ExpireHolds, 600), 1);
    assert_eq!(next_deadline(&state), None);
    assert_eq!(state.tally(), tally(1_001, 0, 0));
}

#[test]
fn a_crowd_of_holds_is_released_in_turns_when_its_show_is_cancelled() {
    let mut state = crowded();
    assert_eq!(happen(&mut state, &ShowAction::Cancel, 5), MAX_RELEASES + 1);
    assert_eq!(state.tally(), tally(1_000, 1, 0));
    assert_eq!(
        next_deadline(&state),
        Some(Timestamp(0)),
        "what is left is due at once"
    );
    assert_eq!(happen(&mut state, &ShowAction::Cancel, 5), 0);
    let left = state.due(Timestamp(5)).map(|(id, _)| id).next().unwrap();
    let description = Show::answer(&state, &ShowAction::DescribeHold { hold_id: left }, Timestamp(5));
    assert!(matches!(
        description,
        Answer::Hold(HoldStatus {
            phase: HoldPhase::Over,
            ..
        })
    ));
    assert_eq!(happen(&mut state, &ShowAction::ExpireHolds, 5), 1);
    assert_eq!((state.tally(), next_deadline(&state)), (tally(1_001, 0, 0), None));
}

#[test]
fn a_decision_on_a_crowd_of_overdue_holds_fits_one_append() {
    let state = crowded();
    let events = Show::decide(&state, &ask_hold(5_000, ann(), quantity(4)), Timestamp(600)).unwrap();
    assert_eq!(events.len(), MAX_RELEASES + 1);
}
