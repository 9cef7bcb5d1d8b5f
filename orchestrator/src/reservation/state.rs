//! What a reservation's stream tells its saga.

use contract::{
    Answer, Event, HoldId, Refusal, ReservationId, Timestamp,
    events::{Choice, HoldGrant, ReservationProgressed, ReservationRequested, Step, StepRecord},
};

/// A saga, folded from the events of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What the buyer asked for.
    pub request: ReservationRequested,
    /// Where the saga stands.
    pub phase: Phase,
    /// The tickets that are or were held.
    pub grant: Option<HoldGrant>,
    /// What became of each step, in the order of [`Step::ALL`].
    pub steps: [Option<StepRecord>; 6],
    /// What the buyer's history says of the show. In memory only: asked for again where it is missing.
    pub show: Option<ShowFacts>,
    /// This process has driven the saga since it was requested, so that nothing was asked for but what the state
    /// tells. In memory only: a saga that was read from the log may have asked for more than the log tells.
    pub fresh: bool,
}

/// Where a saga stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Going forward; this step is asked for.
    Forward {
        /// The step.
        asked: Step,
    },
    /// Undoing, step by step.
    Compensating(Undoing),
    /// Undoing kept failing; it goes on from here when an operator resumes it.
    Stuck(Undoing),
    /// Nothing is left to do.
    Settled(Outcome),
}

/// What is being undone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// The steps whose undoing has not been answered, in the order in which they are undone. Never empty.
    pub pending: Vec<Step>,
    /// The step that failed, or that was asked for when the buyer cancelled.
    pub failed_step: Step,
    /// Why.
    pub refusal: Refusal,
    /// What the reservation will be: [`Outcome::Rejected`] or [`Outcome::Cancelled`].
    pub outcome: Outcome,
}

/// What a settled reservation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Paid, recorded and sold.
    Confirmed,
    /// It came to nothing, and all that was done is undone.
    Rejected,
    /// It was undone because somebody wanted it.
    Cancelled,
}

/// What a purchase in the buyer's history says of the show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowFacts {
    /// The show's name.
    pub name: String,
    /// Its category.
    pub category: Option<String>,
}

impl State {
    /// The saga of a reservation that was requested just now, driven by this process alone. What user and show said
    /// before it was made is not asked for again: the hold is refused all the same if it is no longer true.
    pub fn begin(request: &ReservationRequested) -> Self {
        let mut state = Self {
            request: request.clone(),
            phase: Phase::Forward {
                asked: Step::ValidateUser,
            },
            grant: None,
            steps: [None; 6],
            show: None,
            fresh: true,
        };
        if let Some(checked) = &request.checked {
            state.show = Some(ShowFacts {
                name: checked.show_name.clone(),
                category: checked.category.clone(),
            });
            let steps = request.steps();
            state.record(&steps);
            state.advance(&steps);
        }
        state
    }

    /// The saga as its stream tells. `None` when the stream does not begin with the request.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let Some(Event::ReservationRequested(request)) = events.next() else {
            return None;
        };
        let mut state = Self {
            fresh: false,
            ..Self::begin(request)
        };
        events.for_each(|event| state.evolve(event));
        Some(state)
    }

    /// Moves the state behind an event. Never fails: what is in the log happened. Events that mean nothing to
    /// where the saga stands change nothing.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::ReservationProgressed(ReservationProgressed { steps, hold }) => {
                self.hold(hold.as_ref());
                self.record(steps);
                self.advance(steps);
            }
            Event::CompensationStarted(event) => {
                self.hold(event.hold.as_ref());
                self.record(&event.steps);
                self.phase = Phase::Compensating(Undoing {
                    pending: undo_order(event.failed_step, &event.refusal, self.fresh),
                    failed_step: event.failed_step,
                    refusal: event.refusal.clone(),
                    outcome: Outcome::Rejected,
                });
            }
            Event::ReservationConfirmed(event) => {
                self.hold(Some(&event.grant));
                self.record(&event.steps);
                self.phase = Phase::Settled(Outcome::Confirmed);
            }
            Event::ReservationRejected(event) => {
                self.record(&event.steps);
                self.phase = Phase::Settled(Outcome::Rejected);
            }
            Event::ReservationCancelled(event) => {
                self.record(&event.steps);
                self.phase = Phase::Settled(Outcome::Cancelled);
            }
            Event::CancellationRequested(_) => self.cancel(),
            Event::SagaStuck(event) => {
                self.record(&event.steps);
                self.advance(&event.steps);
                if let Phase::Compensating(undoing) = &self.phase {
                    self.phase = Phase::Stuck(undoing.clone());
                }
            }
            Event::SagaResumed(_) => {
                if let Phase::Stuck(undoing) = &self.phase {
                    self.phase = Phase::Compensating(undoing.clone());
                }
            }
            // A second request, and the events of other aggregates' streams.
            _ => {}
        }
    }

    /// Keeps what an answer tells beside its outcome. True when that was news.
    pub fn learn(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Quoted(quote) if self.show.is_none() => {
                self.show = Some(ShowFacts {
                    name: quote.show_name.clone(),
                    category: quote.category.clone(),
                });
                true
            }
            _ => false,
        }
    }

    /// The reservation.
    pub fn id(&self) -> ReservationId {
        self.request.reservation_id
    }

    /// The hold that the reservation pays for: the buyer's, or its own.
    pub fn hold_id(&self) -> HoldId {
        match self.request.choice {
            Choice::Hold { hold_id } => hold_id,
            Choice::Quantity { .. } | Choice::Seats { .. } => self.id().own_hold(),
        }
    }

    /// What became of a step.
    pub fn step(&self, step: Step) -> Option<StepRecord> {
        self.steps[step as usize]
    }

    /// It came to nothing, and whoever ended it has undone no more than the hold, for they knew of no payment.
    pub fn is_undone_in_part(&self) -> bool {
        let came_to_nothing = matches!(self.phase, Phase::Settled(Outcome::Rejected | Outcome::Cancelled));
        came_to_nothing && self.step(Step::TakePayment).is_none()
    }

    /// When a step ended.
    pub fn ended_at(&self, step: Step) -> Option<Timestamp> {
        self.step(step).map(|record| record.at_ms)
    }

    fn hold(&mut self, grant: Option<&HoldGrant>) {
        if let Some(grant) = grant {
            self.grant = Some(grant.clone());
        }
    }

    fn record(&mut self, records: &[StepRecord]) {
        for record in records {
            self.steps[record.step as usize] = Some(*record);
        }
    }

    /// Going forward, a record of the step that is asked for says that it is done; undoing, a record of a step
    /// says that its undoing was answered.
    fn advance(&mut self, records: &[StepRecord]) {
        for record in records {
            match &mut self.phase {
                Phase::Forward { asked } if record.step == *asked => *asked = asked.next().unwrap_or(*asked),
                Phase::Compensating(undoing) => undoing.pending.retain(|step| *step != record.step),
                Phase::Forward { .. } | Phase::Stuck(_) | Phase::Settled(_) => {}
            }
        }
    }

    /// Somebody wants it undone. What is being undone already ends as it was going to.
    fn cancel(&mut self) {
        let asked = match &self.phase {
            Phase::Forward { asked } => *asked,
            Phase::Settled(Outcome::Confirmed) => Step::Confirm,
            Phase::Compensating(_)
            | Phase::Stuck(_)
            | Phase::Settled(Outcome::Rejected | Outcome::Cancelled) => {
                return;
            }
        };
        self.phase = Phase::Compensating(Undoing {
            pending: undo_order(asked, &Refusal::Cancelled, self.fresh),
            failed_step: asked,
            refusal: Refusal::Cancelled,
            outcome: Outcome::Cancelled,
        });
    }
}

/// The steps to be undone, the last first, when this one came to nothing for this reason. Confirming is undone
/// with the inventory: restoring takes a sale back like a hold.
///
/// The log may be behind what was asked: steps that are done ride on the next decision. So whoever reads a saga
/// from the log undoes everything, also what was perhaps never asked for, which every participant bears; only
/// the process that has driven it all along (`fresh`) knows better. A payment that was declined was never
/// captured, so nothing came after it.
fn undo_order(failed: Step, refusal: &Refusal, fresh: bool) -> Vec<Step> {
    match failed {
        Step::ValidateUser | Step::ValidateShow | Step::HoldInventory if fresh => vec![Step::HoldInventory],
        Step::TakePayment if matches!(refusal, Refusal::PaymentDeclined { .. }) => {
            vec![Step::TakePayment, Step::HoldInventory]
        }
        Step::ValidateUser
        | Step::ValidateShow
        | Step::HoldInventory
        | Step::TakePayment
        | Step::RecordHistory
        | Step::Confirm => vec![Step::RecordHistory, Step::TakePayment, Step::HoldInventory],
    }
}
