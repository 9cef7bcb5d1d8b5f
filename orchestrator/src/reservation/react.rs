//! What follows from an input: the one place where the saga decides.

use super::{
    owed::Direction,
    state::{Outcome, Phase, State, Undoing},
};
use contract::{
    Answer, Event, Refusal, Timestamp,
    events::{
        CompensationStarted, HoldGrant, ReservationCancelled, ReservationConfirmed, ReservationProgressed,
        ReservationRejected, SagaStuck, Step, StepRecord, StepState,
    },
};

/// What a saga is told. That it is cancelled or resumed comes as an event of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An ask was answered; possibly late, possibly not for the first time.
    Answered {
        /// The step that was asked for.
        step: Step,
        /// To do it or to undo it.
        direction: Direction,
        /// The answer.
        answer: Answer,
    },
    /// The open ask was not answered in time: nobody knows what became of it.
    DeadlinePassed {
        /// The deadline.
        deadline_ms: Timestamp,
    },
    /// Undoing the step that is being undone was tried as often as it may be.
    GaveUp {
        /// The last failure, without personal data.
        detail: String,
    },
}

/// The events that follow from an input. None when it changes nothing: it was late, repeated, or a technical
/// failure after which the same ask is sent again.
pub fn react(state: &State, input: Input, now: Timestamp) -> Vec<Event> {
    use Direction::{Forward, Undo};
    match (&state.phase, input) {
        (
            Phase::Forward { asked },
            Input::Answered {
                step,
                direction: Forward,
                answer,
            },
        ) if step == *asked => match verdict(state, step, answer) {
            Verdict::Done(hold) => done(state, step, hold, now),
            Verdict::Refused(refusal, hold) => failed(state, step, refusal, hold, now),
            Verdict::Nothing => vec![],
        },
        (Phase::Forward { asked }, Input::DeadlinePassed { deadline_ms }) => {
            failed(state, *asked, too_late(state, deadline_ms), None, now)
        }
        (
            Phase::Compensating(undoing),
            Input::Answered {
                step,
                direction: Undo,
                answer: Answer::Done,
            },
        ) if undoing.pending.first() == Some(&step) => undone(state, undoing, step, now),
        (Phase::Compensating(undoing), Input::GaveUp { detail }) => stuck(state, undoing, detail, now),

        // The answer to an ask that is not the open one (late or repeated), or not what undoing is answered with.
        (
            Phase::Forward { .. } | Phase::Compensating(_),
            Input::Answered {
                direction: Forward | Undo,
                ..
            },
        ) => vec![],
        // Going forward has a deadline, undoing a number of tries.
        (Phase::Forward { .. }, Input::GaveUp { .. }) => vec![],
        (Phase::Compensating(_), Input::DeadlinePassed { .. }) => vec![],
        // At rest, nothing is asked for, so nothing can be news.
        (
            Phase::Stuck(_) | Phase::Settled(_),
            Input::Answered { .. } | Input::DeadlinePassed { .. } | Input::GaveUp { .. },
        ) => vec![],
    }
}

/// Why a deadline that has passed ends the purchase: the hold is over, or somebody took too long.
fn too_late(state: &State, deadline_ms: Timestamp) -> Refusal {
    match &state.grant {
        Some(grant) if grant.deadline_ms <= deadline_ms => Refusal::HoldExpired,
        Some(_) | None => Refusal::TooLate { deadline_ms },
    }
}

/// What an answer to the open forward ask says.
enum Verdict {
    /// The step is done; with what was held, if it was that step.
    Done(Option<HoldGrant>),
    /// The step came to nothing; with what was held all the same.
    Refused(Refusal, Option<HoldGrant>),
    /// Neither: the ask stays open.
    Nothing,
}

fn verdict(state: &State, step: Step, answer: Answer) -> Verdict {
    match (step, answer) {
        // One try came late. Whether it is too late for the saga, its own deadline says.
        (_, Answer::Failed(_) | Answer::Refused(Refusal::TooLate { .. })) => Verdict::Nothing,
        (_, Answer::Refused(refusal)) => Verdict::Refused(refusal, None),
        (Step::ValidateUser, Answer::User { .. }) => Verdict::Done(None),
        (Step::ValidateShow, Answer::Quoted(quote)) => match quote.objection {
            Some(objection) if is_lasting(&objection) => Verdict::Refused(objection, None),
            Some(_) | None => Verdict::Done(None),
        },
        (Step::HoldInventory, Answer::Held(grant))
            if grant.amount == state.request.amount || !state.request.is_quoted() =>
        {
            Verdict::Done(Some(grant))
        }
        (Step::HoldInventory, Answer::Held(grant)) => {
            Verdict::Refused(Refusal::PriceChanged { now: grant.amount }, Some(grant))
        }
        (Step::TakePayment | Step::RecordHistory | Step::Confirm, Answer::Done) => Verdict::Done(None),
        // The facts for the history, which come before it can be asked for; or not an answer to this ask.
        (
            Step::ValidateUser
            | Step::ValidateShow
            | Step::HoldInventory
            | Step::TakePayment
            | Step::RecordHistory
            | Step::Confirm,
            Answer::Done
            | Answer::Quoted(_)
            | Answer::Held(_)
            | Answer::Hold(_)
            | Answer::Sales { .. }
            | Answer::Requested { .. }
            | Answer::User { .. },
        ) => Verdict::Nothing,
    }
}

/// The show can never be sold as it was asked for. Whether tickets are left is decided when they are held, where
/// the reservation may also wait in line.
fn is_lasting(objection: &Refusal) -> bool {
    matches!(
        objection,
        Refusal::ShowNotFound
            | Refusal::ShowUnavailable { .. }
            | Refusal::NotNumbered
            | Refusal::SeatsUnknown { .. }
            | Refusal::SectionUnknown { .. }
            | Refusal::AmountTooLarge
    )
}

fn done(state: &State, step: Step, hold: Option<HoldGrant>, now: Timestamp) -> Vec<Event> {
    let steps = vec![StepRecord {
        step,
        state: StepState::Done,
        at_ms: now,
    }];
    match (step, &state.grant) {
        (Step::Confirm, Some(grant)) => vec![Event::from(ReservationConfirmed {
            reservation_id: state.id(),
            user_id: state.request.user_id,
            show_id: state.request.show_id,
            grant: grant.clone(),
            steps,
            confirmed_at_ms: now,
        })],
        // Nothing is sold that was never held: no stream tells such a story.
        (Step::Confirm, None) => vec![],
        (
            Step::ValidateUser
            | Step::ValidateShow
            | Step::HoldInventory
            | Step::TakePayment
            | Step::RecordHistory,
            _,
        ) => vec![ReservationProgressed { steps, hold }.into()],
    }
}

fn failed(
    state: &State,
    step: Step,
    refusal: Refusal,
    hold: Option<HoldGrant>,
    now: Timestamp,
) -> Vec<Event> {
    let steps = vec![StepRecord {
        step,
        state: StepState::Failed,
        at_ms: now,
    }];
    match step {
        // Nothing was asked for that has an effect, so there is nothing to undo.
        Step::ValidateUser | Step::ValidateShow if state.fresh => vec![Event::from(ReservationRejected {
            reservation_id: state.id(),
            steps,
            failed_step: step,
            refusal,
            at_ms: now,
        })],
        Step::ValidateUser
        | Step::ValidateShow
        | Step::HoldInventory
        | Step::TakePayment
        | Step::RecordHistory
        | Step::Confirm => {
            vec![
                CompensationStarted {
                    steps,
                    hold,
                    failed_step: step,
                    refusal,
                    at_ms: now,
                }
                .into(),
            ]
        }
    }
}

fn undone(state: &State, undoing: &Undoing, step: Step, now: Timestamp) -> Vec<Event> {
    let mut steps = Vec::with_capacity(2);
    if step == Step::HoldInventory
        && state
            .step(Step::Confirm)
            .is_some_and(|record| record.state == StepState::Done)
    {
        // The sale was taken back with the tickets.
        steps.push(StepRecord {
            step: Step::Confirm,
            state: StepState::Compensated,
            at_ms: now,
        });
    }
    // A step that failed stays failed for whoever reads the reservation: its record says so once more.
    let record = state
        .step(step)
        .filter(|record| record.state == StepState::Failed);
    steps.push(record.unwrap_or(StepRecord {
        step,
        state: StepState::Compensated,
        at_ms: now,
    }));
    if undoing.pending.len() > 1 {
        return vec![ReservationProgressed { steps, hold: None }.into()];
    }
    let reservation_id = state.id();
    vec![match undoing.outcome {
        Outcome::Cancelled => ReservationCancelled {
            reservation_id,
            steps,
            at_ms: now,
        }
        .into(),
        Outcome::Rejected | Outcome::Confirmed => Event::from(ReservationRejected {
            reservation_id,
            steps,
            failed_step: undoing.failed_step,
            refusal: undoing.refusal.clone(),
            at_ms: now,
        }),
    }]
}

fn stuck(state: &State, undoing: &Undoing, detail: String, now: Timestamp) -> Vec<Event> {
    let step = undoing.pending.first().copied().unwrap_or(undoing.failed_step);
    vec![
        SagaStuck {
            reservation_id: state.id(),
            step,
            detail,
            steps: vec![],
            at_ms: now,
        }
        .into(),
    ]
}
