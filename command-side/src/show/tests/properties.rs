//! Whatever is asked of a show, in whatever order: no ticket is lost, none is given twice.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One step: the clock moves, then something is asked.
type Step = (i64, ShowAction);

fn user() -> impl Strategy<Value = UserId> {
    (0..4_u128).prop_map(|n| UserId(Uuid::from_u128(n + 1)))
}

fn hold_id() -> impl Strategy<Value = HoldId> {
    (0..10_u128).prop_map(h)
}

fn reservation() -> impl Strategy<Value = ReservationId> {
    (0..6_u128).prop_map(r)
}

fn choice() -> impl Strategy<Value = Choice> {
    let section = prop_oneof!["Platea", "Palco-Alto", "Nada"];
    let seat = prop_oneof!["Platea-[AB]-[1-6]", "Palco-Alto-A-[1-4]"];
    prop_oneof![
        4 => (0..6_u32).prop_map(quantity),
        2 => (1..5_u32, section).prop_map(|(quantity, name)| in_section(quantity, &name)),
        4 => prop::collection::vec(seat, 0..4).prop_map(|seats| Choice::Seats { seats }),
        1 => hold_id().prop_map(|hold_id| Choice::Hold { hold_id }),
    ]
}

fn action() -> impl Strategy<Value = ShowAction> {
    let fingerprint = prop::option::of((1..3_u8).prop_map(|byte| Digest([byte; 32])));
    let ask = (
        hold_id(),
        user(),
        choice(),
        prop::option::of(reservation()),
        0..400_u64,
        fingerprint,
    );
    let ask = ask.prop_map(
        |(hold_id, user_id, choice, reservation_id, ttl_ms, fingerprint)| ShowAction::Hold {
            hold_id,
            user_id,
            choice,
            reservation_id,
            ttl_ms,
            line_until_ms: None,
            fingerprint,
        },
    );
    let ids = || (hold_id(), reservation());
    prop_oneof![
        12 => ask,
        4 => (ids(), user()).prop_map(|((hold_id, reservation_id), user_id)| {
            ShowAction::AdoptHold { hold_id, user_id, reservation_id }
        }),
        8 => ids().prop_map(|(hold_id, reservation_id)| ShowAction::Sell { hold_id, reservation_id }),
        4 => ids().prop_map(|(hold_id, reservation_id)| ShowAction::Restore { hold_id, reservation_id }),
        2 => hold_id().prop_map(|hold_id| ShowAction::ReleaseHold { hold_id }),
        2 => Just(ShowAction::ExpireHolds),
        1 => Just(ShowAction::Cancel),
        1 => (user(), choice()).prop_map(|(user_id, choice)| ShowAction::Quote { user_id, choice }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((-20..120_i64, action()), 1..80)
}

fn show() -> impl Strategy<Value = ShowScheduled> {
    let limit = |show: fn() -> ShowScheduled| {
        (1..6_u32).prop_map(move |limit_per_user| ShowScheduled {
            limit_per_user,
            ..show()
        })
    };
    prop_oneof![limit(|| general(12)), limit(numbered), limit(planned)]
}

/// What the events alone say: written down anew, as simply as can be.
#[derive(Default)]
struct Ledger {
    capacity: u32,
    limit: u32,
    /// Where there is no seat.
    blocked: BTreeSet<String>,
    /// Who has how many tickets by which hold, and which seats.
    claims: BTreeMap<HoldId, (UserId, u32, Vec<String>, bool)>,
}

impl Ledger {
    fn enter(&mut self, event: &Event) {
        let told = match event {
            Event::ShowScheduled(show) => {
                self.limit = show.limit_per_user;
                self.enter_layout(&show.layout);
                None
            }
            Event::TicketsHeld(event) => {
                let claim = (event.user_id, event.quantity, event.seats.clone(), false);
                assert!(self.claims.insert(event.hold_id, claim).is_none(), "held twice");
                Some(event.tally)
            }
            Event::HoldReleased(event) => {
                let before = self.claims.remove(&event.hold_id);
                assert_eq!(
                    before.is_none(),
                    event.quantity == 0,
                    "released what was not held"
                );
                assert!(before.is_none_or(|(_, quantity, seats, sold)| {
                    (quantity, seats, sold) == (event.quantity, event.seats.clone(), false)
                }));
                Some(event.tally)
            }
            Event::TicketsSold(event) => {
                let claim = self
                    .claims
                    .get_mut(&event.hold_id)
                    .expect("sold what was not held");
                assert_eq!(
                    *claim,
                    (event.user_id, event.quantity, event.seats.clone(), false)
                );
                claim.3 = true;
                Some(event.tally)
            }
            Event::TicketsReturned(event) => {
                let claim = self
                    .claims
                    .remove(&event.hold_id)
                    .expect("took back what was not sold");
                assert_eq!(claim, (event.user_id, event.quantity, event.seats.clone(), true));
                Some(event.tally)
            }
            Event::ShowCancelled(event) => Some(event.tally),
            _ => None,
        };
        if let Some(told) = told {
            assert_eq!(told, self.tally(), "the tally that {} tells", event.kind());
        }
        self.audit();
    }

    /// Counts the seats one by one.
    fn enter_layout(&mut self, layout: &Layout) {
        let sections = match layout {
            Layout::General { capacity } => return self.capacity = *capacity,
            Layout::Numbered { sections } => sections,
        };
        for section in sections {
            let rows = (0..section.rows).flat_map(|row| (1..=section.seats_per_row).map(move |n| (row, n)));
            for (row, number) in rows {
                match section.blocked.contains(&Place { row, number }) {
                    true => drop(self.blocked.insert(seat_name(&section.name, row, number))),
                    false => self.capacity += 1,
                }
            }
        }
    }

    fn tally(&self) -> Tally {
        let count = |sold| {
            self.claims
                .values()
                .filter(|claim| claim.3 == sold)
                .map(|claim| claim.1)
                .sum::<u32>()
        };
        let (held, sold) = (count(false), count(true));
        Tally {
            free: self.capacity.checked_sub(held + sold).expect("oversold"),
            held,
            sold,
        }
    }

    fn audit(&self) {
        let (mut seats, mut people) = (BTreeSet::new(), BTreeMap::<UserId, u32>::new());
        for (user, quantity, named, _) in self.claims.values() {
            assert!(named.iter().all(|seat| seats.insert(seat)), "a seat twice");
            assert!(
                named.iter().all(|seat| !self.blocked.contains(seat)),
                "no seat there"
            );
            assert!(named.is_empty() || named.len() as u32 == *quantity);
            *people.entry(*user).or_default() += quantity;
        }
        assert!(
            people.values().all(|tickets| *tickets <= self.limit),
            "over the limit"
        );
    }
}

/// Plays the steps and returns every event.
fn play(show: ShowScheduled, steps: &[Step]) -> Vec<Event> {
    let (mut state, mut ledger, mut history, mut now) = (State::default(), Ledger::default(), vec![], 0_i64);
    let mut happen = |state: &mut State, event: Event| {
        state.evolve(&event);
        ledger.enter(&event);
        assert_eq!(state.tally(), ledger.tally());
        history.push(event);
    };
    happen(&mut state, show.into());
    for (passed, action) in steps {
        now += passed;
        let at = Timestamp(now);
        let decision = Show::decide(&state, action, at);
        let answer_before = Show::answer(&state, action, at);
        let Ok(events) = decision else { continue };
        let unchanged = events.is_empty();
        events.into_iter().for_each(|event| happen(&mut state, event));
        let again = Show::decide(&state, action, at);
        match action {
            // A hold without a time to live is over as soon as it is made.
            ShowAction::Hold { ttl_ms: 0, .. } => {
                assert!(again.is_ok_and(|events| events.is_empty()) || !unchanged)
            }
            _ => assert_eq!(again, Ok(vec![]), "the same command twice"),
        }
        if unchanged {
            assert_eq!(Show::answer(&state, action, at), answer_before);
        }
        if !Show::is_query(action) {
            assert!(
                !matches!(Show::answer(&state, action, at), Answer::Refused(_)),
                "done, yet refused"
            );
        }
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn held_and_sold_and_free_are_the_capacity_whatever_is_asked(show in show(), steps in steps()) {
        play(show, &steps);
    }

    #[test]
    fn a_snapshot_and_the_tail_are_the_whole_history(show in show(), steps in steps(), cut in any::<prop::sample::Index>()) {
        let history = play(show, &steps);
        let (head, tail) = history.split_at(cut.index(history.len() + 1));
        let fold = |mut state: State, events: &[Event]| {
            events.iter().for_each(|event| state.evolve(event));
            state
        };
        let kept = serde_json::to_vec(&fold(State::default(), head)).unwrap();
        let restored: State = serde_json::from_slice(&kept).unwrap();
        prop_assert_eq!(fold(restored, tail), fold(State::default(), &history));
    }

    #[test]
    fn what_is_decided_can_be_stored_and_read(show in show(), steps in steps()) {
        for event in play(show, &steps) {
            let stored = serde_json::to_vec(&event).unwrap();
            prop_assert_eq!(Event::decode(event.kind(), &stored).unwrap().unwrap(), event);
        }
    }

    #[test]
    fn an_overdue_hold_is_as_good_as_released(show in show(), steps in steps(), later in 0..500_i64) {
        // Deciding on a state before and after ExpireHolds gives the same refusal or the same grant.
        let mut state = State::default();
        play(show, &steps).iter().for_each(|event| state.evolve(event));
        let now = Timestamp(later + 9_600);
        let mut swept = state.clone();
        Show::decide(&state, &ShowAction::ExpireHolds, now).unwrap().iter().for_each(|event| swept.evolve(event));
        for n in 1..5 {
            let ask = ask_hold(99, UserId(Uuid::from_u128(n)), quantity(2));
            let last = |decision: Result<Vec<Event>, Refusal>| decision.map(|mut events| events.pop());
            prop_assert_eq!(last(Show::decide(&state, &ask, now)), last(Show::decide(&swept, &ask, now)));
            let quote = ShowAction::Quote { user_id: ann(), choice: quantity(2) };
            prop_assert_eq!(Show::answer(&state, &quote, now), Show::answer(&swept, &quote, now));
        }
    }
}
