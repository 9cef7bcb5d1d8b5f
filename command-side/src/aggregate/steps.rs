//! The steps in which every aggregate is tested: given events, when an action, then events or a refusal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::Aggregate;
use contract::{Answer, Event, Refusal, Timestamp};
use std::fmt::Debug;

/// What happened before.
pub struct Given<A: Aggregate> {
    state: A::State,
    now: Timestamp,
}

/// What came of an action.
pub struct Outcome<A: Aggregate> {
    state: A::State,
    decision: Result<Vec<Event>, Refusal>,
    answer: Answer,
}

/// Begins with these events, at time 0.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = Event>) -> Given<A> {
    let mut state = A::State::default();
    events.into_iter().for_each(|event| A::evolve(&mut state, &event));
    Given {
        state,
        now: Timestamp(0),
    }
}

impl<A: Aggregate> Given<A> {
    /// The clock shows this.
    pub fn at(mut self, ms: i64) -> Self {
        self.now = Timestamp(ms);
        self
    }

    /// The action is decided, and what it decides happens. Asked again it must never decide anything more.
    pub fn when(mut self, action: A::Action) -> Outcome<A> {
        let decision = A::decide(&self.state, &action, self.now);
        for event in decision.iter().flatten() {
            A::evolve(&mut self.state, event);
        }
        if decision.is_ok() {
            let again = A::decide(&self.state, &action, self.now).unwrap_or_default();
            assert_eq!(again, [], "the same action twice must give no second event");
        }
        if A::is_query(&action) {
            assert_eq!(decision, Ok(vec![]), "a query changes nothing");
        }
        let answer = A::answer(&self.state, &action, self.now);
        Outcome {
            state: self.state,
            decision,
            answer,
        }
    }
}

impl<A: Aggregate<State: Debug>> Outcome<A> {
    /// Exactly these events.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = Event>) -> Self {
        assert_eq!(self.decision, Ok(events.into_iter().collect()));
        self
    }

    /// Nothing new, and no refusal either.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then([])
    }

    /// Refused.
    #[track_caller]
    pub fn refused(self, refusal: Refusal) {
        assert_eq!(self.decision, Err(refusal));
    }

    /// What the asker is told.
    #[track_caller]
    pub fn answers(self, answer: Answer) -> Self {
        assert_eq!(self.answer, answer);
        self
    }

    /// What the asker is told, to look into.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The state behind it.
    pub fn state(&self) -> &A::State {
        &self.state
    }
}
