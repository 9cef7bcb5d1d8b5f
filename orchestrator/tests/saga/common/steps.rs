//! Moving a saga by hand, without a runner.

use super::{T0, request, reservation, settings, yes};
use contract::{Answer, Event, Timestamp, events::Step};
use orchestrator::reservation::{Direction, Input, Phase, State, owed, react};

/// When everything is answered.
pub const NOW: Timestamp = Timestamp(T0.0 + 1_000);

pub fn answered(step: Step, direction: Direction, answer: Answer) -> Input {
    Input::Answered {
        step,
        direction,
        answer,
    }
}

/// Reacts and evolves.
pub fn step(state: &mut State, input: Input) -> Vec<Event> {
    if let Input::Answered { answer, .. } = &input {
        state.learn(answer);
    }
    let events = react(state, input, NOW);
    events.iter().for_each(|event| state.evolve(event));
    events
}

/// A fresh saga that has come as far as asking for this step.
pub fn asking_for(wanted: Step) -> State {
    let mut state = State::begin(&request(reservation(1)));
    for done in Step::ALL.into_iter().take_while(|done| *done != wanted) {
        let answer = yes(done, state.hold_id());
        step(&mut state, answered(done, Direction::Forward, answer));
    }
    assert_eq!(state.phase, Phase::Forward { asked: wanted });
    state
}

/// Undoes all that is pending; the steps in their order and the events.
pub fn undo_all(state: &mut State) -> (Vec<Step>, Vec<Event>) {
    let (mut steps, mut events) = (vec![], vec![]);
    while let Some(open) = owed(state, &settings()) {
        assert_eq!(open.direction, Direction::Undo);
        steps.push(open.step);
        events.extend(step(state, answered(open.step, Direction::Undo, Answer::Done)));
    }
    (steps, events)
}

pub fn pending(state: &State) -> Vec<Step> {
    match &state.phase {
        Phase::Compensating(undoing) => undoing.pending.clone(),
        other => panic!("not undoing: {other:?}"),
    }
}
